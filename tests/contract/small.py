"""One-table stores for what a single database does in its own way."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import date
from typing import Any, ClassVar

import pytest_asyncio
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from connectors.base import Connector, Work
from connectors.mapping import (
    Anchor,
    Field,
    FieldGroup,
    GroundUse,
    IdentifierColumn,
    Key,
    NullAnchor,
    ParentLink,
    StoreMapping,
    Table,
)
from connectors.sql import SqlConnector
from tests.support.databases import Database

CUTOFF = date(2024, 12, 31)
ANCHORED = GroundUse("kept", False, Anchor("since", False, NullAnchor.UNKNOWN))
CONSENT = GroundUse("consent", True, None)


def people(
    *fields: Field,
    grounds: tuple[GroundUse, ...] = (),
    key: tuple[str, ...] = ("id",),
    identifiers: tuple[IdentifierColumn, ...] = (),
    row_stays: bool = False,
) -> StoreMapping:
    """Declare a store with one table, ``people``, and one field group, ``all``."""
    group = FieldGroup("all", fields, grounds)
    table = Table("people", "people", None, key, None, (group,), identifiers, row_stays=row_stays)
    return StoreMapping("small", "Europe/Oslo", (table,))


def with_notes() -> StoreMapping:
    """Declare people, and notes on them of which their dates decide."""
    name = Field("name", "name", None)
    above = GroundUse("kept", False, Anchor("since", True, NullAnchor.UNKNOWN))
    group = FieldGroup("notes", (Field("note", "note", None),), (above,))
    up = ParentLink("people", (("person", "id"),))
    notes = Table("notes", "notes", None, ("id",), up, (group,))
    root = people(name, grounds=(ANCHORED,)).root
    return StoreMapping("small", "Europe/Oslo", (root, notes))


def work(*keys: Key) -> Work:
    """Work on keys with no consent alive and the one cut-off."""
    return Work((), {"kept": CUTOFF}, keys)


class Small:
    """A database, an administrator's line to it, and connectors that are closed afterwards."""

    dialect: ClassVar[str]

    @pytest_asyncio.fixture
    async def store(self, database: Database) -> AsyncIterator[Store]:
        """An empty database with its administrator."""
        engine = create_async_engine(database.url, poolclass=NullPool)
        store = Store(database, engine)
        yield store
        await store.close()


class Store:
    """One database under test."""

    def __init__(self, database: Database, engine: AsyncEngine) -> None:
        self.database = database
        self.engine = engine
        self._connectors: list[SqlConnector] = []

    async def run(self, *statements: str) -> None:
        """Run statements as the store's administrator."""
        async with self.engine.begin() as connection:
            for statement in statements:
                await connection.exec_driver_sql(statement)

    async def rows(self, query: str = "SELECT * FROM people ORDER BY 1") -> list[tuple[Any, ...]]:
        """Read rows as the store's administrator."""
        async with self.engine.connect() as connection:
            return [tuple(row) for row in await connection.exec_driver_sql(query)]

    def connect(self, mapping: StoreMapping, *, login: str = "", timeout: float = 30) -> Connector:
        """Connect as the worker would; ``login`` is a user without a password."""
        url = self.database.url.set(username=login) if login else self.database.url
        return self.connect_to(mapping, url, timeout)

    def connect_to(self, mapping: StoreMapping, url: sa.URL, timeout: float = 30) -> Connector:
        """Connect by a URL of one's own."""
        text = url.render_as_string(hide_password=False)
        connector = SqlConnector(mapping, text, statement_timeout=timeout)
        self._connectors.append(connector)
        return connector

    @asynccontextmanager
    async def holding(self, statement: str) -> AsyncIterator[None]:
        """Keep a transaction of somebody else open that has run a statement."""
        async with self.engine.connect() as connection:
            await connection.exec_driver_sql(statement)
            yield
            await connection.rollback()

    async def close(self) -> None:
        """Close every connector and the administrator's line."""
        for connector in self._connectors:
            await connector.close()
        await self.engine.dispose()


def left(remainders: Any) -> Sequence[tuple[Key, int]]:
    """(Key, rows left) of the one group, for keys that still have rows."""
    return [(key, groups["all"].left) for key, groups in remainders.items()]


__all__ = [
    "ANCHORED",
    "CONSENT",
    "CUTOFF",
    "Small",
    "Store",
    "left",
    "people",
    "with_notes",
    "work",
]
