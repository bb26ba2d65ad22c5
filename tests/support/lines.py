"""An administrator's line to a database of any kind: scripts, rows in, rows out."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, closing
from datetime import date
from typing import Any, Protocol

import asyncpg
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from tests.support.databases import MARIADB, POSTGRESQL, Database

Row = tuple[Any, ...]


class Line(Protocol):
    """What a test does in a store past the worker. Everything is committed when it returns."""

    async def script(self, text: str) -> None:
        """Run statements; on MariaDB none may hold a semicolon of its own."""
        ...

    async def insert(self, into: str, rows: Sequence[Row]) -> None:
        """Write rows; ``into`` is a table, with columns in brackets where not all are given."""
        ...

    async def rows(self, table: str) -> list[Row]:
        """Read a whole table."""
        ...


@asynccontextmanager
async def line(database: Database) -> AsyncIterator[Line]:
    """Connect to a database; closed at the end."""
    if database.dialect == POSTGRESQL:
        connection = await asyncpg.connect(dsn(database))
        try:
            yield _PostgreSQL(connection)
        finally:
            await connection.close()
    elif database.dialect == MARIADB:
        engine = create_async_engine(database.url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
        async with engine.connect() as opened:
            yield _MariaDB(opened)
        await engine.dispose()
    else:
        with closing(sqlite3.connect(database.url.database or "", timeout=30)) as lite:
            yield _SQLite(lite)


def dsn(database: Database) -> str:
    """The address of a PostgreSQL database as asyncpg takes it."""
    return database.url.set(drivername="postgresql").render_as_string(hide_password=False)


class _PostgreSQL:
    def __init__(self, connection: Any) -> None:
        self._connection = connection

    async def script(self, text: str) -> None:
        await self._connection.execute(text)

    async def insert(self, into: str, rows: Sequence[Row]) -> None:
        if rows:
            await self._connection.executemany(_insert(into, rows, lambda n: f"${n}"), rows)

    async def rows(self, table: str) -> list[Row]:
        return [tuple(row) for row in await self._connection.fetch(f"SELECT * FROM {table}")]


class _MariaDB:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def script(self, text: str) -> None:
        for statement in text.split(";"):
            if statement.strip():
                await self._connection.exec_driver_sql(statement)

    async def insert(self, into: str, rows: Sequence[Row]) -> None:
        if rows:
            statement = _insert(into, rows, lambda _: "%s")
            await self._connection.exec_driver_sql(statement, list(rows))

    async def rows(self, table: str) -> list[Row]:
        found = await self._connection.exec_driver_sql(f"SELECT * FROM {table}")
        return [tuple(row) for row in found]


class _SQLite:
    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    async def script(self, text: str) -> None:
        self._connection.executescript(text)

    async def insert(self, into: str, rows: Sequence[Row]) -> None:
        if rows:
            texts = [[v.isoformat() if isinstance(v, date) else v for v in row] for row in rows]
            with self._connection:
                self._connection.executemany(_insert(into, rows, lambda _: "?"), texts)

    async def rows(self, table: str) -> list[Row]:
        return self._connection.execute(f"SELECT * FROM {table}").fetchall()


def _insert(into: str, rows: Sequence[Row], placeholder: Callable[[int], str]) -> str:
    places = ", ".join(placeholder(n + 1) for n in range(len(rows[0])))
    return f"INSERT INTO {into} VALUES ({places})"
