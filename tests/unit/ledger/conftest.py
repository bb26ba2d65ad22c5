"""An empty, upgraded ledger for each test, once on PostgreSQL and once on SQLite."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.support.databases import POSTGRESQL, SQLITE, Database, Server, sqlite_database
from worker.ledger.database import Ledger
from worker.ledger.upgrade import upgrade


@pytest_asyncio.fixture(params=[POSTGRESQL, SQLITE])
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    """A database with nothing in it."""
    if request.param == SQLITE:
        yield sqlite_database(tmp_path)
        return
    server: Server = request.getfixturevalue("postgresql")
    made = await server.create()
    yield made
    await made.drop()


@pytest_asyncio.fixture
async def ledger(database: Database) -> AsyncIterator[Ledger]:
    """A ledger that was brought up to date."""
    opened = Ledger(database.text)
    await upgrade(opened)
    yield opened
    await opened.close()
