"""One page for a whole module: a world without a running worker."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.support.databases import Server
from tests.support.opening import open_world
from tests.support.page import Page, open_page
from tests.support.world import World


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def village(
    module_broker: str, postgresql: Server, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[World]:
    """A world in which nobody works by themselves."""
    folder = tmp_path_factory.mktemp("village")
    async with open_world(bootstrap=module_broker, server=postgresql, folder=folder) as made:
        made.may_erase(10_000)
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def page(village: World) -> AsyncIterator[Page]:
    """The page of that world."""
    async with open_page(village) as served:
        yield served
