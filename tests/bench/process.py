"""The worker as it is measured: the erase stage alone, or the whole path.

``python -m tests.bench.process`` reads its order (JSON) from standard input and writes what it
measured to standard output. It runs the very parts that ``erasure run`` runs, on uvloop: in one
process, or, where the order says ``apart``, with the stores in a second one.
"""

from __future__ import annotations

import asyncio
import os
import resource
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, Literal

import asyncpg
import orjson
import uvloop

from tests.bench.backlog import requests
from tests.bench.rounds import ROOT
from topics.reading import Message
from worker import logs
from worker.bootstrap import open_context
from worker.context import Context
from worker.erase import carry_out, tell
from worker.intake import take_in
from worker.ledger.commands import Issued
from worker.plan import plan_batch, publish_commands
from worker.run import run_parts
from worker.settings import load

PATIENCE: Final = 60.0
"""Seconds without any progress after which a run counts as stuck."""
_POLL: Final = 0.1

_ERASED = """
    SELECT NOT EXISTS (SELECT FROM commands WHERE state = 'open' AND published_at IS NOT NULL)
       AND NOT EXISTS (SELECT FROM answers WHERE published_at IS NULL)
"""
_CLOSED = """
    SELECT NOT EXISTS (SELECT FROM cases WHERE state IN ('open', 'parked'))
       AND NOT EXISTS (SELECT FROM answers WHERE published_at IS NULL)
       AND (SELECT count(*) FROM cases WHERE state = 'closed' AND received_at >= $1) >= $2
"""
_BEGUN = "SELECT EXISTS (SELECT FROM cases WHERE received_at >= $1)"
_PROGRESS = "SELECT count(*) + (SELECT count(*) FROM batches) FROM answers"
_SECONDS = "SELECT extract(epoch FROM max(published_at) - $1)::float8 FROM answers"
_FIRST = "SELECT min(received_at) FROM cases WHERE received_at >= $1"


class Stuck(Exception):
    """The worker did not get on."""


async def main(order: dict[str, Any], began: Callable[[], None] | None = None) -> dict[str, float]:
    """Carry out an order: warm up, run until all is done, tell seconds, CPU seconds and memory.

    ``began`` is called when what is measured begins.
    """
    logs.configure("console", "warning")
    settings = load(**order["settings"])
    ledger = await asyncpg.connect(order["settings"]["ledger"])
    stop = asyncio.Event()
    running: asyncio.Task[None] | None = None
    stores: Apart | None = None
    async with open_context(settings) as context:
        try:
            warm = await _warm_up(context, order["warm"])
            if order["apart"]:
                stores = await Apart.start(order, "stores")
            if order["commands"]:
                running = asyncio.create_task(
                    run_parts(context, settings, sorted(context.connectors), stop)
                )
            if running or stores:
                # The stores' own consumers carry out the first commands: then all have joined.
                await _wait(ledger, running, _ERASED)
            else:
                await asyncio.gather(*(_carry_out(context, command_id) for command_id in warm))
            start = context.now()
            if not order["commands"]:
                # Joining the group takes seconds: what is measured begins with the first event.
                parts = ["intake"] if stores else []
                running = asyncio.create_task(run_parts(context, settings, parts, stop))
                await _wait(ledger, running, _BEGUN, start)
                start = await ledger.fetchval(_FIRST, start)
            if began:
                began()
            if stores:
                stores.begin()
            cpu = _cpu()
            if order["commands"]:
                # All of it lies in the ledger; its ids are on Kafka within milliseconds.
                await publish_commands(context, [Issued(s, c) for s, c in order["commands"]])
                await _wait(ledger, running, _ERASED)
            else:
                await _wait(ledger, running, _CLOSED, start, order["events"])
            used, seconds = _cpu() - cpu, await ledger.fetchval(_SECONDS, start)
            if stores:
                used += await stores.end()
        finally:
            if stores:
                await stores.kill()
            stop.set()
            if running:
                await running
            await ledger.close()
    return {"seconds": seconds, "cpu": used, "megabytes": _most_memory() / 2**20}


class Apart:
    """Parts of the worker in a process of their own, as ``erasure run --only`` spreads them."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def start(cls, order: dict[str, Any], parts: Literal["stores", "all"]) -> Apart:
        """Start it with the settings of an order: the stores' consumers alone, or all parts."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.bench.process", parts),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
        )
        own = cls(process)
        own._write(orjson.dumps(order["settings"]))
        return own

    def begin(self) -> None:
        """What is measured begins."""
        self._write(b"")

    async def end(self) -> float:
        """Let it end; the CPU seconds it took from the beginning."""
        told, _ = await self._process.communicate(b"\n")
        return float(told)

    async def kill(self) -> None:
        """Leave no process behind."""
        if self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    def _write(self, line: bytes) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + b"\n")


async def run_apart(stores_alone: bool) -> None:
    """Be that process: settings, the beginning and the end come as lines on standard input."""
    logs.configure("console", "warning")
    lines = asyncio.StreamReader(limit=2**20)
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(lines), sys.stdin
    )
    settings = load(**orjson.loads(await lines.readline()))
    stop = asyncio.Event()
    async with open_context(settings) as context:
        parts = sorted(context.connectors) if stores_alone else []
        running = asyncio.create_task(run_parts(context, settings, parts, stop))
        await lines.readline()
        cpu = _cpu()
        await lines.readline()
        os.write(1, str(_cpu() - cpu).encode())
        stop.set()
        await running


async def _warm_up(context: Context, people: Sequence[int]) -> list[int]:
    """Take in people who do not count; return their commands, which lie on Kafka as well."""
    messages = [
        Message(event.topic, 0, at, event.key, event.value, event.headers)
        for at, event in enumerate(requests(people))
    ]
    commands = []
    for batch_id in await take_in(context, messages) if messages else ():
        planned = await plan_batch(context, batch_id)
        commands += [issued.id for issued in planned.commands] if planned else []
    return commands


async def _carry_out(context: Context, command_id: int) -> None:
    settled = await carry_out(context, command_id)
    if settled is not None:
        await tell(context, settled)


async def _wait(
    ledger: asyncpg.Connection, running: asyncio.Task[None] | None, done: str, *given: object
) -> None:
    seen, quiet = -1, 0.0
    while not await ledger.fetchval(done, *given):
        await asyncio.sleep(_POLL)
        if running is not None and running.done():
            running.result()
            raise Stuck("the worker ended before its work did")
        now = await ledger.fetchval(_PROGRESS)
        seen, quiet = now, quiet + _POLL if now == seen else 0.0
        if quiet > PATIENCE:
            raise Stuck(f"nothing has moved for {PATIENCE:g} s; look at its log")


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _most_memory() -> int:
    """The most memory that was resident, in bytes.

    Linux hands ``ru_maxrss`` on from the process that started this one; VmHWM is our own.
    """
    status = Path("/proc/self/status")
    if status.exists():
        lines = status.read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) * 1024
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


if __name__ == "__main__":
    if sys.argv[1:]:
        sys.exit(uvloop.run(run_apart(sys.argv[1:] == ["stores"])))
    answer = uvloop.run(main(orjson.loads(sys.stdin.buffer.read())))
    os.write(1, orjson.dumps(answer) + b"\n")
