"""A database for each test of the contract suite, on the server that its class names."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
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


KINDS = [
    databases.SQLITE,
    databases.POSTGRESQL,
    pytest.param(databases.MARIADB, marks=pytest.mark.mariadb),
]


@pytest.fixture(scope="module", params=KINDS)
def any_database(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Database]:
    """An empty database of each kind in turn, one for all tests and examples of a module."""
    if request.param == databases.SQLITE:
        made = databases.sqlite_database(tmp_path_factory.mktemp("any"))
    else:
        server: Server = request.getfixturevalue(request.param)
        made = asyncio.run(server.create())
    yield made
    asyncio.run(made.drop())
