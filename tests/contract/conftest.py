"""A database for each test of the contract suite, on the server that its class names."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.support import databases
from tests.support.databases import Database, Server


@pytest_asyncio.fixture
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    """An empty database of the kind that the test class names in ``dialect``."""
    dialect = request.cls.dialect
    if dialect == databases.SQLITE:
        made = databases.sqlite_database(tmp_path)
    else:
        server: Server = request.getfixturevalue(dialect)
        made = await server.create()
    yield made
    await made.drop()
