"""What a store has to bear beside a sweep: others at work and others that wait, seen and gone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, ClassVar
from unittest.mock import patch

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from connectors.base import Connector
from connectors.falling_due import Past
from connectors.mapping import Field
from connectors.sql.past import read_past
from connectors.sweeping import Pressure, Span, Walk
from tests.contract.small import ANCHORED, CUTOFF, Small, Store, people
from tests.support.databases import MARIADB, POSTGRESQL, SQLITE

MAPPING = people(Field("name", "name", None))
DATED = people(Field("name", "name", None), grounds=(ANCHORED,))
UPDATE = "UPDATE people SET name = 'b' WHERE id = 1"
PROCESSORS = "max_parallel_workers_per_gather"
TRIES = 300
"""Looks: others may be at work on a server that tests share."""
BETWEEN = 0.2
"""Seconds between two looks: MariaDB shows the same transactions to who asks more often."""


async def until(connector: Connector, seen: Callable[[Pressure], bool]) -> None:
    """Look until it is so; fail when it never is."""
    for _ in range(TRIES):
        if seen(await connector.sweeping.pressure()):
            return
        await asyncio.sleep(BETWEEN)
    raise AssertionError(f"at last {await connector.sweeping.pressure()}")


@asynccontextmanager
async def running(store: Store, statement: str) -> AsyncIterator[None]:
    """Another client that runs a statement until the end, or until it is done."""

    async def run() -> None:
        with suppress(DBAPIError):
            await store.run(statement)

    task = asyncio.create_task(run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


class Pressed(Small):
    """The same on each server."""

    long: ClassVar[str]
    """A statement that takes long and locks nothing."""

    async def filled(self, store: Store) -> None:
        """One table with one person."""
        await store.run(
            "CREATE TABLE people (id integer PRIMARY KEY, name varchar(9), since date)",
            "INSERT INTO people (id, name) VALUES (1, 'a')",
        )

    async def test_somebody_at_work_is_seen(self, store: Store) -> None:
        """While another client runs a long statement it counts as busy, and not any more after."""
        await self.filled(store)
        connector = store.connect(MAPPING)
        async with running(store, self.long):
            await until(connector, lambda found: found.busy >= 1)
        await until(connector, lambda found: not found.busy)

    async def test_somebody_who_waits_is_seen(self, store: Store) -> None:
        """While another client waits for a row that a third one holds; and not any more after."""
        await self.filled(store)
        connector = store.connect(MAPPING)
        async with store.holding(UPDATE), running(store, UPDATE):
            await until(connector, lambda found: found.waiting >= 1)
        await until(connector, lambda found: not found.waiting)

    async def test_who_only_holds_a_lock_is_no_load(self, store: Store) -> None:
        """A transaction that does nothing and keeps nobody waiting is not waited for."""
        await self.filled(store)
        connector = store.connect(MAPPING)
        async with store.holding(UPDATE):
            await until(connector, lambda found: not found.busy and not found.waiting)


class TestPostgreSQL(Pressed):
    """On PostgreSQL."""

    dialect = POSTGRESQL
    long = "SELECT pg_sleep(60)"

    async def test_who_is_about_is_seen_between_statements(self, store: Store) -> None:
        """Who asked something a moment ago may come again; who has long been silent is away."""
        await self.filled(store)
        connector = store.connect(MAPPING)
        async with store.engine.connect() as connection:
            await connection.exec_driver_sql("SELECT 1")
            assert (await connector.sweeping.pressure()).about >= 1
            await until(connector, lambda found: not found.about)

    async def test_counting_takes_one_processor_beside_others(self, store: Store) -> None:
        """And all that the server gives where nobody is; never what a sweep sets for its parts."""
        await self.filled(store)
        connector = store.connect(DATED)
        shown: list[dict[str, str]] = []

        async def reading(connection: AsyncConnection, *rest: Any, **options: Any) -> Past:
            asked = sa.text("SELECT name, setting FROM pg_settings WHERE name = ANY (:names)")
            found = await connection.execute(asked, {"names": ["enable_seqscan", PROCESSORS]})
            shown.append({row.name: row.setting for row in found})
            return await read_past(connection, *rest, **options)

        with patch("connectors.sql.connector.read_past", reading):
            span = Span("people", Walk.KEYS, None, None)
            await connector.sweeping.left(span, {"kept": CUTOFF}, ())
            async with store.engine.connect() as connection:
                await connection.exec_driver_sql("SELECT 1")
                await connector.past(["people"], {"kept": CUTOFF})
            await until(connector, lambda found: not found.about)
            await connector.past(["people"], {"kept": CUTOFF})
        assert shown == [
            {PROCESSORS: "0", "enable_seqscan": "on"},
            {PROCESSORS: "2", "enable_seqscan": "on"},
        ]

    async def test_who_is_hidden_is_about(self, store: Store) -> None:
        """Of another login's client nothing is seen but that it is there: it may be at work."""
        await self.filled(store)
        role = f"h{store.database.url.database}"
        await store.run(f"CREATE ROLE {role} LOGIN", f"GRANT SELECT ON people TO {role}")
        connector = store.connect(MAPPING, login=role)
        async with store.holding(UPDATE):
            await asyncio.sleep(1.1)
            assert (await connector.sweeping.pressure()).about >= 1

    async def test_a_login_that_sees_no_statements(self, store: Store) -> None:
        """What others do it may not know; that one of them waits it does."""
        await self.filled(store)
        role = f"r{store.database.url.database}"
        await store.run(f"CREATE ROLE {role} LOGIN", f"GRANT SELECT ON people TO {role}")
        connector = store.connect(MAPPING, login=role)
        async with store.holding(UPDATE), running(store, UPDATE):
            await until(connector, lambda found: found.waiting >= 1)
        await until(connector, lambda found: not found.waiting)

    async def test_our_own_statements_are_no_load_of_others(self, store: Store) -> None:
        """Another worker's connection counts for nothing: it says by its name that it is one."""
        await self.filled(store)
        connector = store.connect(MAPPING)
        name = "SET application_name = 'erasure-worker'"
        async with store.engine.connect() as connection:
            await connection.exec_driver_sql(name)
            asleep = asyncio.ensure_future(connection.exec_driver_sql("SELECT pg_sleep(1)"))
            while not asleep.done():
                assert await connector.sweeping.pressure() == Pressure(0, 0, None)
                await asyncio.sleep(0.05)
            await asleep


@pytest.mark.mariadb
class TestMariaDB(Pressed):
    """On MariaDB."""

    dialect = MARIADB
    long = "SELECT SLEEP(60)"

    async def test_a_login_without_process(self, store: Store) -> None:
        """It may not list what others do, and still sees how many are at work and how many wait."""
        await self.filled(store)
        login = "u" + (store.database.url.database or "")[:28]
        database = store.database.url.database
        for host in ("'%%'", "localhost"):
            await store.run(
                f"CREATE USER {login}@{host} IDENTIFIED BY 'secret'",
                f"GRANT SELECT ON {database}.people TO {login}@{host}",
            )
        url = store.database.url.set(username=login, password="secret")
        connector = store.connect_to(MAPPING, url)
        async with running(store, self.long):
            await until(connector, lambda found: found.busy >= 1)
        async with store.holding(UPDATE), running(store, UPDATE):
            await until(connector, lambda found: found.waiting >= 1)
        await until(connector, lambda found: not found.busy and not found.waiting)
        await store.run(*(f"DROP USER {login}@{host}" for host in ("'%%'", "localhost")))


class TestSQLite(Small):
    """On SQLite."""

    dialect = SQLITE

    async def test_it_shows_nothing_of_others(self, store: Store) -> None:
        """Not even of one that holds the write lock: there is nobody to ask."""
        await store.run("CREATE TABLE people (id integer PRIMARY KEY, name text)")
        connector = store.connect(MAPPING)
        async with store.holding("INSERT INTO people VALUES (1, 'a')"):
            assert await connector.sweeping.pressure() == Pressure(0, 0, None)
