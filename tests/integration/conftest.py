"""A world of its own for each test, or one a module for the tests that share a worker."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Literal

import pytest
import pytest_asyncio

from tests.support import brokers
from tests.support.databases import Server
from tests.support.opening import open_world
from tests.support.world import World
from worker.embedded.broker import EmbeddedBroker


@pytest_asyncio.fixture
async def world(
    fresh_broker: str, postgresql: Server, stores: Server | Literal["sqlite"], tmp_path: Path
) -> AsyncIterator[World]:
    """A world without a worker, of this test's own."""
    async with open_world(
        bootstrap=fresh_broker, server=postgresql, folder=tmp_path, stores=stores
    ) as made:
        yield made


@pytest.fixture(scope="module")
def module_broker(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """A broker without any topic when the module begins, as ``fresh_broker`` is for a test."""
    folder = tmp_path_factory.mktemp("broker")
    if brokers.BOOTSTRAP not in os.environ:
        with EmbeddedBroker(folder) as embedded:
            yield embedded.bootstrap
        return
    if os.environ.get(brokers.MAY_WIPE) != "yes":
        pytest.fail(f"set {brokers.MAY_WIPE}=yes if the cluster is there for tests only")
    address: str = request.getfixturevalue("broker")
    asyncio.run(brokers.wipe(address))
    yield address


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town(
    module_broker: str, postgresql: Server, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[World]:
    """A world with a running worker, for a whole module: every test brings people of its own."""
    folder = tmp_path_factory.mktemp("town")
    async with open_world(bootstrap=module_broker, server=postgresql, folder=folder) as made:
        made.may_erase(10_000)  # all of a module's people, one test after the other
        with made.worker() as worker:
            yield made
            assert await worker.stop() == 0
