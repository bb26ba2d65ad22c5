"""Others who use the club's store: how long their statements take, alone and beside a sweep.

They are a process of their own, ``python -m tests.bench.others``, so that nobody's Python keeps
them from asking. Each of a few clients asks on a fixed beat: four of five statements read a member,
the fifth changes one, anywhere in the table. Whoever still waits for an answer when the beat comes
is late from then on, and that counts too.
"""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from statistics import quantiles
from time import perf_counter
from typing import Final

import asyncpg
import orjson
import uvloop

from tests.bench.rounds import ROOT, RunFailed

CLIENTS: Final = 4
BEAT: Final = 0.01
"""Seconds between two statements of one client: 400 a second of all."""
READS: Final = 0.8

_READ: Final = "SELECT * FROM member WHERE member_no = $1"
_WRITE: Final = "UPDATE member SET name = 'n' WHERE member_no = $1 AND left_on IS NULL"


@dataclass(frozen=True, slots=True)
class Felt:
    """Milliseconds that statements took: of a half of them at the most, and of 99 of 100."""

    half: float
    p99: float

    @classmethod
    def of(cls, seconds: Sequence[float]) -> Felt:
        """Sum up what each took."""
        hundredths = quantiles(seconds, n=100)
        return cls(1000 * hundredths[49], 1000 * hundredths[98])


class Others:
    """The process, while it runs."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._orders, self._answers = process.stdin, process.stdout

    async def during(self, work: Awaitable[object]) -> Felt:
        """What they feel while something is done."""
        await self._told(b"begin\n")
        await work
        return Felt.of(orjson.loads(await self._told(b"end\n")))

    async def _told(self, order: bytes) -> bytes:
        self._orders.write(order)
        line = await self._answers.readline()
        if not line:
            raise RunFailed("the others' process has ended")
        return line


@asynccontextmanager
async def others(url: str, members: int) -> AsyncIterator[Others]:
    """Start them on a store with so many members."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.bench.others"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
        limit=2**26,
    )
    own = Others(process)
    assert process.stdin is not None
    process.stdin.write(orjson.dumps([url, members]) + b"\n")
    try:
        await own.during(asyncio.sleep(1))
        yield own
    finally:
        process.stdin.close()
        await process.wait()


async def _client(
    connection: asyncpg.Connection, members: int, number: int, over: asyncio.Event
) -> list[float]:
    """Ask on the beat until it is over; the seconds that each answer took."""
    chance = random.Random(number)
    took: list[float] = []
    beat = perf_counter() + BEAT * number / CLIENTS
    while not over.is_set():
        early = beat - perf_counter()
        if early > 0:
            await asyncio.sleep(early)
        # A timer that rings late is ours; an answer that came after the beat is the store's.
        start = perf_counter() if early > 0 else beat
        member = chance.randrange(1, members + 1)
        await connection.execute(_READ if chance.random() < READS else _WRITE, member)
        took.append(perf_counter() - start)
        beat += BEAT
    return took


async def main() -> None:
    """Be that process: where the store is, then ``begin`` and ``end`` by turns."""
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(lines), sys.stdin
    )
    url, members = orjson.loads(await lines.readline())
    connections = [await asyncpg.connect(url) for _ in range(CLIENTS)]
    while await lines.readline():
        over = asyncio.Event()
        asking = asyncio.gather(
            *(_client(one, members, n, over) for n, one in enumerate(connections))
        )
        os.write(1, b"begun\n")
        await lines.readline()
        over.set()
        took = [seconds for each in await asking for seconds in each]
        os.write(1, orjson.dumps(took) + b"\n")
    for connection in connections:
        await connection.close()


if __name__ == "__main__":
    uvloop.run(main())
