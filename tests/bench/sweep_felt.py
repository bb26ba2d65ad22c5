"""Bench (j) and (m): what others feel of a sweep, who use the same store or ask to be erased."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from statistics import median
from typing import Final

from tests.bench import beside_people, club
from tests.bench.others import Felt, others
from tests.bench.report import Row, compared
from tests.bench.sweep_process import sweeping
from tests.bench.sweep_speed import believed
from tests.bench.world import World

Tell = Callable[[str], None]

ROUNDS: Final = 3


async def others_statements(world: World, members: int, tell: Tell) -> list[Row]:
    """(j): others' reads and writes of the table, without a sweep and beside one, by turns."""
    url = world.url(club.STORE)
    alone: list[Felt] = []
    beside: list[Felt] = []
    async with sweeping(world.url(club.LEDGER), url) as sweep:
        for number in range(ROUNDS):
            await club.fill(url, members)
            async with others(url, members) as clients:
                start = asyncio.get_running_loop().time()
                beside.append(await clients.during(believed(sweep, members)))
                seconds = asyncio.get_running_loop().time() - start
            await club.fill(url, members)
            async with others(url, members) as clients:
                alone.append(await clients.during(asyncio.sleep(seconds)))
            tell(
                f"others {number + 1}/{ROUNDS}, {seconds:.0f} s each: beside a sweep half within"
                f" {beside[-1].half:.2f} ms and 99 of 100 within {beside[-1].p99:.2f} ms, alone"
                f" {alone[-1].half:.2f} and {alone[-1].p99:.2f} ms"
            )
    return [
        compared(
            "(j) p99 of others' statements beside a sweep, ms, against without",
            f"{median(felt.p99 for felt in beside):.1f}",
            f"{median(felt.p99 for felt in alone):.1f}",
            [ours.p99 / theirs.p99 for ours, theirs in zip(beside, alone, strict=True)],
            at_most=2,
        )
    ]


async def people_who_ask(world: World, _: int, tell: Tell) -> list[Row]:
    """(m): from a person's event to the closed case, without a sweep and beside one, by turns."""
    alone: list[Felt] = []
    beside: list[Felt] = []
    for number in range(ROUNDS):
        for felt, swept in ((alone, False), (beside, True)):
            felt.append(Felt.of(await beside_people.waited(world, swept=swept)))
        tell(
            f"people {number + 1}/{ROUNDS}: beside a sweep half within {beside[-1].half:.0f} ms and"
            f" 99 of 100 within {beside[-1].p99:.0f} ms, alone"
            f" {alone[-1].half:.0f} and {alone[-1].p99:.0f} ms"
        )
    return [
        compared(
            f"(m) event to closed beside a sweep, {which}, ms, against without",
            f"{median(mine(felt) for felt in beside):.0f}",
            f"{median(mine(felt) for felt in alone):.0f}",
            [mine(ours) / mine(theirs) for ours, theirs in zip(beside, alone, strict=True)],
            at_most=2,
        )
        for which, mine in (("half", _half), ("p99", _p99))
    ]


def _half(felt: Felt) -> float:
    return felt.half


def _p99(felt: Felt) -> float:
    return felt.p99
