"""A process that sweeps the club's store whenever it is told to, as it is measured.

``python -m tests.bench.sweep_process`` reads lines of JSON from standard input, first where ledger
and store are, then one for each sweep; for each it writes a line of what it measured. Like the
worker it runs on uvloop, with the same word to the garbage collector, and it stays: from the second
sweep on everything is warm.
"""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from time import perf_counter
from typing import Any, Final
from uuid import uuid4

import orjson
import psutil
import sqlalchemy as sa
import uvloop

from connectors.registry import connect
from tests.bench.club import POLICY, STORE
from tests.bench.rounds import ROOT, RunFailed
from worker import logs
from worker.bootstrap import now
from worker.context import Context, Outgoing
from worker.ledger.database import Ledger
from worker.ledger.sweeps import read
from worker.ledger.upgrade import upgrade
from worker.memory import leave_what_stays
from worker.policy_file import load
from worker.sealing import Sealer
from worker.sweeping.run import run_sweep
from worker.sweeps import Wanted, ask
from worker.waiting import stopped_within

_LOOK_SECONDS: Final = 0.25
"""How often the process looks how much memory it has."""

_took: Final[list[float]] = []
"""Seconds of each statement that erased in the store."""


@dataclass(frozen=True, slots=True)
class Swept:
    """What one sweep took. ``rows`` are those that went.

    ``slowest`` is the longest, in milliseconds, that a statement took which erased in the store.
    ``early`` is the memory, in MB, that was resident after a tenth of its chunks, ``late`` the most
    from then on.
    """

    seconds: float
    chunks: int
    rows: int
    slowest: float
    early: float
    late: float


Sweep = Callable[[], Awaitable[Swept]]


@asynccontextmanager
async def sweeping(ledger: str, store: str) -> AsyncIterator[Sweep]:
    """Start the process for a ledger and a store; what is given sweeps once and tells of it."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.bench.sweep_process"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    orders, answers = process.stdin, process.stdout
    orders.write(orjson.dumps([ledger, store]) + b"\n")

    async def sweep() -> Swept:
        orders.write(b"{}\n")
        line = await answers.readline()
        if not line:
            raise RunFailed("the process that sweeps has ended")
        return Swept(**orjson.loads(line))

    try:
        yield sweep
    finally:
        orders.close()
        await process.wait()


class _Silent:
    """Sweeps publish nothing themselves."""

    async def send(self, topic: str, messages: Sequence[Outgoing]) -> None:
        """Say nothing."""


@asynccontextmanager
async def opened(ledger_url: str, store_url: str) -> AsyncIterator[Context]:
    """The worker's parts for the club's store."""
    policy = load(POLICY)
    ledger = Ledger(ledger_url)
    await upgrade(ledger)
    key = random.Random(1).randbytes(32)
    connector = connect("sql", policy.mapping(STORE), store_url, statement_timeout=600)
    sealer = Sealer({"k1": key}, "k1", key)
    try:
        yield Context(policy, ledger, sealer, _Silent(), {STORE: connector}, now)
    finally:
        await connector.close()
        await ledger.close()


async def swept(context: Context) -> Swept:
    """Ask for a sweep, run it to its end, and watch the memory meanwhile. Raises RunFailed."""
    async with context.ledger.begin() as connection:
        sweep_id = await ask(context, connection, Wanted(STORE, "operator", "/bench", str(uuid4())))
    assert sweep_id is not None
    seen: list[tuple[int, float]] = []
    over = asyncio.Event()
    watching = asyncio.create_task(_watch(context, sweep_id, seen, over))
    _took.clear()
    start = perf_counter()
    try:
        await run_sweep(context, sweep_id, "the bench", asyncio.Event())
        seconds = perf_counter() - start
    finally:
        over.set()
        await watching
    async with context.ledger.begin() as connection:
        done = await read(connection, sweep_id)
    if done is None or done.state != "done":
        raise RunFailed(f"the sweep is not done: {done and done.reason}")
    seen.append((done.chunks, _megabytes()))
    later = [memory for chunks, memory in seen if chunks >= done.chunks / 10]
    slowest = 1000 * max(_took, default=0.0)
    return Swept(seconds, done.chunks, done.rows, slowest, later[0], max(later))


@sa.event.listens_for(sa.Engine, "before_cursor_execute")
def _begins(connection: sa.Connection, *_: Any) -> None:
    connection.info["began"] = perf_counter()


@sa.event.listens_for(sa.Engine, "after_cursor_execute")
def _ended(connection: sa.Connection, _: Any, statement: str, *__: Any) -> None:
    """Note how long a statement took that erases in the store."""
    if STORE in str(connection.engine.url.database) and "DELETE" in statement:
        _took.append(perf_counter() - connection.info["began"])


async def _watch(
    context: Context, sweep_id: int, seen: list[tuple[int, float]], over: asyncio.Event
) -> None:
    while not over.is_set():
        async with context.ledger.begin() as connection:
            sweep = await read(connection, sweep_id)
        seen.append((sweep.chunks if sweep else 0, _megabytes()))
        await stopped_within(over, _LOOK_SECONDS)


def _megabytes() -> float:
    return float(psutil.Process().memory_info().rss / 2**20)


async def main() -> None:
    """Be that process, until standard input ends."""
    logs.configure("console", "error")
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(lines), sys.stdin
    )
    where: Any = orjson.loads(await lines.readline())
    async with opened(*where) as context:
        leave_what_stays()
        while await lines.readline():
            told = await swept(context)
            os.write(1, orjson.dumps(asdict(told)) + b"\n")


if __name__ == "__main__":
    uvloop.run(main())
