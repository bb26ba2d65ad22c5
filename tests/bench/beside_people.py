"""What people wait for who ask to be erased, without a sweep and while their store is swept.

A real worker on a real broker. A crowd fills billing that is past its last ground
and is swept from the first page on; those who ask stand at the end of it, where the sweep does not
come before they are done. They ask one after the other, and are done when their case is closed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final
from uuid import uuid4

import asyncpg
from aiokafka import AIOKafkaProducer

from tests.bench.backlog import requests
from tests.bench.process import Apart
from tests.bench.rounds import RunFailed
from tests.bench.stores import CHILDREN, ROWS
from tests.bench.stores import PEOPLE as PEOPLE_OF
from tests.bench.world import LEDGER, World
from worker.bootstrap import open_context
from worker.sweeps import Wanted, ask, publish

CROWD: Final = 500_000
"""People in billing who are swept, with two invoices each."""
PEOPLE: Final = 300
"""People who ask."""
BEAT: Final = 0.1
"""Seconds between two of them."""
ENOUGH: Final = 100
"""Of them must be done while the sweep runs, or it was too short to tell anything."""
_WARM: Final = 20
"""People in front who do not count."""
_PATIENCE: Final = 120.0
_POLL: Final = 0.1

# Of these people alone: the next worker reads some events of one that was killed again.
_CLOSED: Final = "SELECT count(*) FROM cases WHERE state = 'closed' AND event_time >= $1"
_BEGUN: Final = "SELECT count(*) FROM sweeps WHERE state <> 'waiting'"
_WAITED: Final = """
    SELECT extract(epoch FROM closed_at - event_time)::float8
    FROM cases
    WHERE event_time >= $1 AND NOT EXISTS (SELECT FROM sweeps WHERE ended_at < closed_at)
"""
_CROWD: Final = (
    "TRUNCATE account, invoice",
    "INSERT INTO account SELECT n, 'C' || n, '1234 56 ' || n, DATE '2020-01-31'"
    " FROM generate_series({first}, {last}) AS n",
    "INSERT INTO invoice (account_no, issued_on, buyer_name, buyer_address)"
    " SELECT n, DATE '2016-03-10', 'Name ' || n, 'Street ' || n || ', Oslo'"
    " FROM generate_series({first}, {last}) AS n, generate_series(1, 2)",
)


async def waited(world: World, *, swept: bool) -> list[float]:
    """Seconds from each person's event to their closed case; ``swept``: billing meanwhile.

    With a sweep, of those alone who were done while it ran. Raises RunFailed when they are few.
    """
    everybody = range(PEOPLE + _WARM)
    await _fill(world, len(everybody))
    worker = await Apart.start({"settings": world.settings()}, "all")
    try:
        await _ask(world, everybody[:_WARM])
        if swept:
            await _sweep(world)
        begun = await _ask(world, everybody[_WARM:])
        ledger = await asyncpg.connect(world.url(LEDGER))
        took = [row[0] for row in await ledger.fetch(_WAITED, begun)]
        await ledger.close()
    finally:
        await worker.kill()
    if len(took) < ENOUGH:
        raise RunFailed(f"the sweep was over when {len(took)} of {PEOPLE} who asked were done")
    return took


async def _fill(world: World, asking: int) -> None:
    """Put who asks into all stores, and the crowd into billing in front of them."""
    await world.fill(asking)
    billing = await asyncpg.connect(world.url("billing"))
    for statement in _CROWD:
        await billing.execute(statement.format(first=asking, last=asking + CROWD - 1))
    await billing.execute(PEOPLE_OF["billing"], asking)
    await billing.execute(ROWS["billing"], asking, CHILDREN)
    await billing.execute("VACUUM ANALYZE")
    await billing.execute("CHECKPOINT")
    await billing.close()


async def _ask(world: World, people: Sequence[int]) -> datetime:
    """Have people ask on the beat, and wait until all of their cases are closed; since when."""
    producer = AIOKafkaProducer(bootstrap_servers=world.bootstrap)
    await producer.start()
    ledger = await asyncpg.connect(world.url(LEDGER))
    try:
        begun = datetime.now(UTC)
        for person in people:
            for event in requests([person]):
                await producer.send_and_wait(
                    event.topic, event.value, key=event.key, headers=list(event.headers)
                )
            await asyncio.sleep(BEAT)
        await _until(ledger, _CLOSED, len(people), "closed cases", begun)
    finally:
        await ledger.close()
        await producer.stop()
    return begun


async def _sweep(world: World) -> None:
    """Ask for a sweep of billing, and wait until it is under way."""
    async with open_context(world.worker_settings()) as context:
        async with context.ledger.begin() as connection:
            wanted = Wanted("billing", "operator", "/bench", str(uuid4()))
            sweep_id = await ask(context, connection, wanted)
        assert sweep_id is not None
        await publish(context, [("billing", sweep_id)])
    ledger = await asyncpg.connect(world.url(LEDGER))
    await _until(ledger, _BEGUN, 1, "a sweep under way")
    await ledger.close()


async def _until(
    ledger: asyncpg.Connection, question: str, wanted: int, what: str, *given: datetime
) -> None:
    end = asyncio.get_running_loop().time() + _PATIENCE
    while (seen := await ledger.fetchval(question, *given)) < wanted:
        if asyncio.get_running_loop().time() > end:
            raise RunFailed(f"{seen} {what} after {_PATIENCE:g} s, {wanted} were expected")
        await asyncio.sleep(_POLL)
