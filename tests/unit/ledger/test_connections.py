"""A transaction of the ledger is one, whatever runs in it, and a broken connection is not kept."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
import sqlalchemy as sa

from tests.support.databases import POSTGRESQL, Database
from tests.unit.ledger.making import NOW, a_batch, some_cases
from worker.ledger import answers, cases, tables
from worker.ledger.database import Connection, Ledger, LedgerAway

_SLOW = sa.text(
    "WITH RECURSIVE counted(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counted WHERE n < 300000) "
    "SELECT count(*) FROM counted"
)
_CUT = sa.text(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE datname = current_database() ORDER BY pid = pg_backend_pid()"
)


async def _broken_off(
    ledger: Ledger, work: Callable[[Connection], Coroutine[Any, Any, object]]
) -> None:
    async with ledger.begin() as connection:
        await work(connection)
        raise ZeroDivisionError


async def _batches(ledger: Ledger) -> int:
    async with ledger.begin() as connection:
        counted = await connection.execute(sa.select(sa.func.count()).select_from(tables.batches))
        return int(counted.scalar_one())


async def _by_every_way(connection: Connection) -> None:
    """Write by a plain statement, by COPY and by a hot one."""
    batch_id = await a_batch(connection)
    await some_cases(connection, batch_id, 2)
    await answers.open_answer(connection, batch_id, None, NOW)
    assert len(await cases.open_ids(connection, batch_id)) == 2


async def test_what_raises_leaves_nothing_behind(ledger: Ledger) -> None:
    """Every way to write is in the one transaction: all of it counts, or none."""
    with pytest.raises(ZeroDivisionError):
        await _broken_off(ledger, _by_every_way)
    assert await _batches(ledger) == 0
    async with ledger.begin() as connection:
        await _by_every_way(connection)
    assert await _batches(ledger) == 1


async def test_a_hot_statement_comes_first_without_harm(ledger: Ledger) -> None:
    """It begins the transaction as any other would, and is undone with it."""
    async with ledger.begin() as connection:
        batch_id = await a_batch(connection)
    with pytest.raises(ZeroDivisionError):
        await _broken_off(ledger, lambda own: answers.open_answer(own, batch_id, None, NOW))
    async with ledger.begin() as connection:
        assert await answers.unpublished(connection, NOW, 10) == []


@pytest.mark.parametrize("database", [POSTGRESQL], indirect=True)
async def test_connections_that_broke_in_the_pool_are_not_used(ledger: Ledger) -> None:
    """After the server cut every line the next transaction is whole, and not one is lost."""
    async with ledger.begin(), ledger.begin() as other:
        await other.execute(sa.text("SELECT 1"))
    with pytest.raises(LedgerAway):
        await _broken_off(ledger, lambda own: own.execute(_CUT))
    for number in (1, 2, 3):
        async with ledger.begin() as connection:
            await _by_every_way(connection)
        assert await _batches(ledger) == number


@pytest.mark.parametrize("database", [POSTGRESQL], indirect=True)
async def test_what_is_cancelled_ends_and_its_connection_is_not_used(
    ledger: Ledger, database: Database
) -> None:
    """In the middle of a statement too; and what is written next is really committed."""
    inside = asyncio.Event()

    async def write_slowly() -> None:
        async with ledger.begin() as connection:
            await _by_every_way(connection)
            inside.set()
            await connection.execute(_SLOW)

    for _ in range(3):
        inside.clear()
        writing = asyncio.create_task(write_slowly())
        await inside.wait()
        await asyncio.sleep(0.01)
        writing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await writing
    async with ledger.begin() as connection:
        await _by_every_way(connection)
    somebody_else = Ledger(database.text)
    try:
        assert await _batches(somebody_else) == 1
    finally:
        await somebody_else.close()
