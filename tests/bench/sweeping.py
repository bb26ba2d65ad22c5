"""Bench (h) to (j): sweeps of all that is past its ground, against one DELETE of the same rows.

Three of ten members left long ago; each has one visit, in a child table. The sweep does all that it
does in earnest: it counts first, notes who may lose data, erases, reads again, writes receipts and
counts once more. The statements by hand delete, in one transaction, and do nothing else.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter
from typing import Final
from uuid import uuid4

import asyncpg

from connectors.registry import connect
from tests.bench.report import Row
from tests.bench.rounds import RunFailed
from tests.bench.world import World
from worker.bootstrap import now
from worker.context import Context, Outgoing
from worker.ledger.database import Ledger
from worker.ledger.sweeps import Sweep, read
from worker.ledger.upgrade import upgrade
from worker.policy_file import load
from worker.sealing import Sealer
from worker.sweeping.run import run_sweep
from worker.sweeps import Wanted, ask

STORE: Final = "club"
LEDGER: Final = "sweeps_ledger"
POLICY: Final = Path(__file__).with_name("sweeps.yaml")
CUTOFF: Final = date(2020, 1, 1)
ROUNDS: Final = 3
FOREGROUND: Final = 5.0
"""Seconds of a foreground load without a sweep beside it."""
_TABLES: Final = """
    DROP TABLE IF EXISTS visit, member;
    CREATE TABLE member (member_no bigint PRIMARY KEY, name text, email text, left_on date);
    CREATE INDEX member_left ON member (left_on);
    CREATE TABLE visit (
        visit_id bigint PRIMARY KEY,
        member_no bigint NOT NULL REFERENCES member,
        visited_on date, note text
    );
    CREATE INDEX visit_member ON visit (member_no);
"""
_FILL: Final = (
    "INSERT INTO member SELECT n, 'Name ' || n, 'member' || n || '@example.no',"
    " CASE WHEN n * 7919::bigint % 10 < 3 THEN DATE '2015-06-01' END"
    " FROM generate_series(1, $1::int) AS n",
    "INSERT INTO visit SELECT n, n, DATE '2014-06-01', 'asked for a locker near the door ' || n"
    " FROM generate_series(1, $1::int) AS n",
)
_BY_HAND: Final = (
    "DELETE FROM visit AS v USING member AS m WHERE v.member_no = m.member_no AND m.left_on <= $1",
    "DELETE FROM member WHERE left_on <= $1",
)


class _Silent:
    """Sweeps publish nothing themselves."""

    async def send(self, topic: str, messages: Sequence[Outgoing]) -> None:
        """Say nothing."""


async def fill(world: World, members: int) -> None:
    """Make the tables anew with so many members, and let the disk rest."""
    connection = await asyncpg.connect(world.url(STORE))
    await connection.execute(_TABLES)
    for statement in _FILL:
        await connection.execute(statement, members)
    await connection.execute("VACUUM ANALYZE")
    await connection.execute("CHECKPOINT")
    await connection.close()


@asynccontextmanager
async def opened(world: World, urls: Mapping[str, str]) -> AsyncIterator[Context]:
    """The worker's parts for the stores of the bench of sweeps."""
    policy = load(POLICY)
    ledger = Ledger(world.url(LEDGER))
    await upgrade(ledger)
    key = random.Random(1).randbytes(32)
    connectors = {
        name: connect("sql", policy.mapping(name), url, statement_timeout=600)
        for name, url in urls.items()
    }
    try:
        yield Context(policy, ledger, Sealer({"k1": key}, "k1", key), _Silent(), connectors, now)
    finally:
        for connector in connectors.values():
            await connector.close()
        await ledger.close()


async def swept(context: Context, store: str = STORE) -> tuple[Sweep, float]:
    """Sweep a store; how the sweep stands then, and how many seconds it took."""
    async with context.ledger.begin() as connection:
        wanted = Wanted(store, "operator", "/bench", str(uuid4()))
        sweep_id = await ask(context, connection, wanted)
    assert sweep_id is not None
    start = perf_counter()
    await run_sweep(context, sweep_id, "the bench", asyncio.Event())
    seconds = perf_counter() - start
    async with context.ledger.begin() as connection:
        done = await read(connection, sweep_id)
    if done is None or done.state != "done":
        raise RunFailed(f"the sweep is not done: {done and done.reason}")
    return done, seconds


async def by_hand(world: World) -> float:
    """Delete the same rows in one transaction."""
    connection = await asyncpg.connect(world.url(STORE))
    start = perf_counter()
    async with connection.transaction():
        for statement in _BY_HAND:
            await connection.execute(statement, CUTOFF)
    seconds = perf_counter() - start
    await connection.close()
    return seconds


def measure(world: World, members: int, tell: Callable[[str], None]) -> list[Row]:
    """Sweep and delete by turns, beside a foreground load, and at two sizes of the table."""
    return asyncio.run(_measure(world, members, tell))


async def _measure(world: World, members: int, tell: Callable[[str], None]) -> list[Row]:
    for name in (STORE, LEDGER):
        world.postgres.create_database(name)
    async with opened(world, {STORE: world.url(STORE)}) as context:
        small, large, hand = [], [], []
        for number in range(ROUNDS):
            await fill(world, members // 10)
            small.append((await swept(context))[1])
            await fill(world, members)
            large.append((await swept(context))[1])
            await fill(world, members)
            hand.append(await by_hand(world))
            tell(f"sweep {number + 1}/{ROUNDS}: {large[-1]:.1f} s, one DELETE {hand[-1]:.1f} s")
        ratios = sorted(theirs / ours for ours, theirs in zip(large, hand, strict=True))
        grows = sorted(b / a / 10 for a, b in zip(small, large, strict=True))
        await fill(world, members)
        alone = await _p99(world, asyncio.sleep(FOREGROUND))
        beside = await _p99(world, swept(context))
    felt = beside / alone
    return [
        _row(
            f"(h) sweep of {members:,} rows and their children, s, against one DELETE",
            (f"{median(large):.1f}", f"{median(hand):.1f}"),
            ratios,
            "at least 0.7",
            met=median(ratios) >= 0.7,
        ),
        _row(
            f"(i) cost of a row at {members:,} rows, against {members // 10:,}",
            (f"{median(large):.1f}", f"{median(small):.1f}"),
            grows,
            "at most 1.2",
            met=median(grows) <= 1.2,
        ),
        _row(
            "(j) p99 of others' statements beside a sweep, ms, against without",
            (f"{1000 * beside:.1f}", f"{1000 * alone:.1f}"),
            [felt],
            "at most 2",
            met=felt <= 2,
        ),
    ]


def _row(what: str, both: tuple[str, str], ratios: Sequence[float], bar: str, *, met: bool) -> Row:
    middle = f"{median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})"
    return Row((what, *both, middle, bar), met)


async def _p99(world: World, meanwhile: Awaitable[object]) -> float:
    """Seconds of the slowest hundredth of reads and writes on the table, while something runs."""
    over = asyncio.Event()
    took: list[float] = []

    async def client(number: int) -> None:
        chance = random.Random(number)
        connection = await asyncpg.connect(world.url(STORE))
        while not over.is_set():
            member = chance.randrange(1, 10_000)
            start = perf_counter()
            if chance.random() < 0.8:
                await connection.fetchrow("SELECT * FROM member WHERE member_no = $1", member)
            else:
                await connection.execute(
                    "UPDATE member SET name = 'n' WHERE member_no = $1 AND left_on IS NULL", member
                )
            took.append(perf_counter() - start)
            await asyncio.sleep(0.002)
        await connection.close()

    clients = [asyncio.create_task(client(number)) for number in range(4)]
    await meanwhile
    over.set()
    await asyncio.gather(*clients)
    return quantiles(took, n=100)[-1]
