"""A sweep makes room: while others wait in its store it rests between its chunks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from unittest.mock import patch

import pytest
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from tests.support.databases import MARIADB, POSTGRESQL, Database
from tests.support.nordlys import LONG_AGO, Person
from tests.support.sweeping import sweep
from tests.support.world import World
from worker.sweeping import run, runner

SERVERS = [POSTGRESQL, pytest.param(MARIADB, marks=pytest.mark.mariadb)]
LEAST = 0.2
"""Seconds of a rest while somebody waits for a lock."""


@contextmanager
def rests() -> Iterator[list[float]]:
    """What a sweep that always looks rests between its chunks, noted and not waited for."""
    taken: list[float] = []

    async def rested(stop: asyncio.Event, seconds: float) -> None:
        taken.append(seconds)

    with patch.object(runner, "LOOK_SECONDS", 0.0), patch.object(run, "stopped_within", rested):
        yield taken


@asynccontextmanager
async def somebody_waits(database: Database) -> AsyncIterator[None]:
    """Two other clients, one of which waits for a row of the other's."""
    engine = create_async_engine(database.url, poolclass=NullPool)
    update = "UPDATE queue SET n = n + 1"
    async with engine.begin() as connection:
        await connection.exec_driver_sql("CREATE TABLE queue (n integer)")
        await connection.exec_driver_sql("INSERT INTO queue VALUES (1)")
    async with engine.connect() as holder, engine.connect() as waiter:
        await holder.exec_driver_sql(update)
        waiting = asyncio.ensure_future(waiter.exec_driver_sql(update))
        await asyncio.sleep(0.3)  # so that the server has taken it in before the sweep looks
        assert not waiting.done()
        yield
        assert not waiting.done()
        await holder.rollback()
        await waiting
        await waiter.rollback()
    await engine.dispose()


@pytest.mark.parametrize("engine", SERVERS)
async def test_it_rests_while_somebody_waits(world: World) -> None:
    """Between all chunks but the first, of which nothing was seen before; it is done all the same.

    With nobody else in the store no rest is as long.
    """
    async with world.context() as context:
        await world.stores.add(*(Person(slips=(LONG_AGO,)) for _ in range(3)))
        with rests() as alone:
            assert (await sweep(context, "billing")).state == "done"
        await world.stores.add(*(Person(slips=(LONG_AGO,)) for _ in range(3)))
        async with somebody_waits(world.stores.billing):
            with rests() as beside:
                done = await sweep(context, "billing")
    assert done.state == "done"
    assert done.rows == 12
    # Slips; invoices, with their lines; accounts.
    assert len(beside) >= 2
    assert all(seconds >= LEAST for seconds in beside)
    if world.stores.dialect == POSTGRESQL:  # nobody but this test is at work on that server
        assert not [seconds for seconds in alone if seconds >= LEAST]
