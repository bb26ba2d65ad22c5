"""One store for all examples of a module: what is opened for the first stays open for the last."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine

from connectors.mapping import StoreMapping
from connectors.sql import SqlConnector
from tests.support.databases import Database

T = TypeVar("T")


class Kept:
    """A database with tables, and a connector to it, in a loop of their own."""

    def __init__(self, database: Database, metadata: sa.MetaData, mapping: StoreMapping) -> None:
        self._tables = metadata.tables
        self._runner = asyncio.Runner()
        self._admin = create_async_engine(database.url)
        self.connector = SqlConnector(mapping, database.text)
        self.run(self._create(metadata))

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Carry out what asks the store, to its end."""
        return self._runner.run(work)

    def close(self) -> None:
        """Give back every connection and the loop."""
        self.run(self.connector.close())
        self.run(self._admin.dispose())
        self._runner.close()

    async def fill(self, rows: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
        """Empty the tables and fill them anew."""
        async with self._admin.begin() as connection:
            for name, table in self._tables.items():
                await connection.execute(table.delete())
                if rows[name]:
                    await connection.execute(table.insert(), rows[name])

    async def read(self) -> dict[str, list[dict[str, Any]]]:
        """Read what is there, in the order of its keys."""
        async with self._admin.connect() as connection:
            found = {
                name: await connection.execute(table.select().order_by(*table.primary_key))
                for name, table in self._tables.items()
            }
            return {name: [dict(row) for row in rows.mappings()] for name, rows in found.items()}

    async def _create(self, metadata: sa.MetaData) -> None:
        async with self._admin.begin() as connection:
            await connection.run_sync(metadata.create_all)


@contextmanager
def kept(database: Database, metadata: sa.MetaData, mapping: StoreMapping) -> Iterator[Kept]:
    """Open a store, and close it in the end."""
    opened = Kept(database, metadata, mapping)
    try:
        yield opened
    finally:
        opened.close()
