"""One database of each kind for all generated examples of a session."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from tests.contract.generated.running import Engine
from tests.support import databases
from tests.support.databases import Server


@pytest.fixture(scope="class")
def engine(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Engine]:
    """The tables of the layout on the kind of server that the test class names."""
    dialect = request.cls.dialect
    folder = tmp_path_factory.mktemp("generated")
    if dialect == databases.SQLITE:
        database = databases.sqlite_database(folder)
    else:
        server: Server = request.getfixturevalue(dialect)
        database = asyncio.run(server.create())
    engine = Engine(database, folder)
    yield engine
    engine.close()
    asyncio.run(database.drop())
