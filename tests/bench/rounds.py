"""Rounds: the same people erased by the worker and by hand, one after the other."""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any, Final, Literal

import orjson

from tests.bench import backlog
from tests.bench.backlog import BATCH
from tests.bench.stores import TABLES
from tests.bench.world import LEDGER, World
from worker.bootstrap import open_context

Kind = Literal["by hand", "erase", "path"]

ROOT: Final = Path(__file__).parents[2]
WARM: Final = 2 * BATCH
"""People in front who do not count: with them connections are opened and statements prepared."""
KNOWN: Final = 10
"""In the memory runs one event in so many is about somebody whom the stores know."""
ORDERS: Final[tuple[tuple[Kind, ...], ...]] = (
    ("by hand", "erase", "path"),
    ("path", "by hand", "erase"),
    ("erase", "path", "by hand"),
)


class RunFailed(Exception):
    """A run did not do its work, so its speed means nothing."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured."""

    people: int
    rounds: int
    backlogs: tuple[int, int]
    """Events waiting in the two memory runs."""
    swept: int
    """Rows of the table that is swept."""


@dataclass(frozen=True, slots=True)
class Run:
    """What one run took, for how many people. Seconds; ``megabytes`` is the most resident."""

    people: int
    seconds: float
    cpu: float
    megabytes: float

    @property
    def rate(self) -> float:
        """People a second."""
        return self.people / self.seconds


@dataclass(slots=True)
class Results:
    """All runs, in the order of their rounds."""

    runs: dict[Kind, list[Run]] = field(
        default_factory=lambda: {"by hand": [], "erase": [], "path": []}
    )
    memory: list[Run] = field(default_factory=list)

    def ratios(self, kind: Kind) -> list[float]:
        """The worker's rate divided by that of the program written by hand, for each round."""
        pairs = zip(self.runs[kind], self.runs["by hand"], strict=True)
        return [ours.rate / theirs.rate for ours, theirs in pairs]

    def rate(self, kind: Kind) -> float:
        """Median of people a second."""
        return median(run.rate for run in self.runs[kind])

    def cpu(self, kind: Kind) -> float:
        """Median of milliseconds of CPU a person, of the one process that is measured."""
        return median(1000 * run.cpu / run.people for run in self.runs[kind])

    def growth(self) -> float:
        """Memory at the long backlog divided by memory at the short one."""
        short, long = self.memory
        return long.megabytes / short.megabytes


def measure(world: World, size: Size, tell: Callable[[str], None]) -> Results:
    """Do all rounds, then the two memory runs."""
    results = Results()
    for number in range(size.rounds):
        for kind in ORDERS[number % len(ORDERS)]:
            order = asyncio.run(prepare(world, kind, size.people, seed=number))
            run = _run(world, kind, order, size.people)
            asyncio.run(_check(world, size.people + WARM))
            results.runs[kind].append(run)
            tell(f"round {number + 1}/{size.rounds}, {kind}: {run.rate:,.0f} people/s")
    for events in size.backlogs:
        order = asyncio.run(_prepare_memory(world, events))
        run = _run(world, "path", order, events)
        asyncio.run(_check(world, events))
        results.memory.append(run)
        tell(f"backlog of {events:,}: {run.megabytes:.0f} MB, {run.rate:,.0f} events/s")
    return results


async def prepare(world: World, kind: Kind, people: int, *, seed: int) -> dict[str, Any]:
    """Fill the stores, lay out what waits, and return the order for the process."""
    await world.fill(people + WARM)
    everybody = list(range(people + WARM))
    random.Random(seed).shuffle(everybody)
    warm, rest = everybody[:WARM], everybody[WARM:]
    order = {"settings": world.settings(), "warm": warm, "commands": [], "events": people}
    # Two cores, two processes: intake and planning in one, the stores in the other.
    order["apart"] = kind == "path"
    async with open_context(world.worker_settings()) as context:
        if kind == "by hand":
            laid = await backlog.lay_out(context, everybody, by_hand=True)
            return {
                "ledger": world.url(LEDGER),
                "stores": {store: world.url(store) for store in TABLES},
                "warm": WARM // BATCH,
                "batches": [batch.plain() for batch in laid],
            }
        if kind == "erase":
            laid = await backlog.lay_out(context, rest, by_hand=False)
            order["commands"] = [command for batch in laid for command in batch.commands]
        else:
            await backlog.publish(world.bootstrap, rest)
    return order


async def _prepare_memory(world: World, events: int) -> dict[str, Any]:
    """One event in ten is about somebody in the stores, at any length of the backlog."""
    await world.fill(events // KNOWN)
    people: Sequence[int] = [
        number // KNOWN if number % KNOWN == 0 else events + number for number in range(events)
    ]
    await backlog.publish(world.bootstrap, people)
    order = {"settings": world.settings(), "warm": [], "commands": [], "events": events}
    return {**order, "apart": False}


def _run(world: World, kind: Kind, order: dict[str, Any], people: int) -> Run:
    """Start the process, give it its order, and read what it measured."""
    module = "tests.bench.handwritten" if kind == "by hand" else "tests.bench.process"
    log = world.directory / "process.log"
    with log.open("wb") as errors:
        answer = subprocess.run(
            [sys.executable, "-m", module],
            input=orjson.dumps(order),
            stdout=subprocess.PIPE,
            stderr=errors,
            cwd=ROOT,
            check=False,
        )
    if answer.returncode != 0:
        lines = "\n".join(log.read_text(errors="replace").splitlines()[-30:])
        raise RunFailed(f"{kind}: the process ended with {answer.returncode}\n{lines}")
    told = orjson.loads(answer.stdout.splitlines()[-1])
    return Run(people, told["seconds"], told["cpu"], told.get("megabytes", 0.0))


async def _check(world: World, people: int) -> None:
    """Believe no speed before the stores are empty and every receipt is written."""
    left, receipts = await world.left(), await world.receipts()
    if left or receipts != people * len(TABLES):
        raise RunFailed(f"{left} rows are left and {receipts} of {people * len(TABLES)} receipts")
