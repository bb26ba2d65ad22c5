"""One world a module, its databases reached through gates; workers go on from test to test."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.runbook.measured import alone, open_metrics
from tests.support.databases import Server
from tests.support.opening import open_world
from tests.support.world import World
from worker.embedded.broker import EmbeddedBroker


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def night(
    postgresql: Server, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[World]:
    """A world without a worker, on a broker of its own."""
    folder = tmp_path_factory.mktemp("night")
    with EmbeddedBroker(folder) as broker:
        async with open_world(
            bootstrap=broker.bootstrap,
            server=postgresql,
            folder=folder,
            kafka=False,
            gates=("crm", "billing", "ledger"),
        ) as made:
            open_metrics(made)
            yield made
            await alone(made)
