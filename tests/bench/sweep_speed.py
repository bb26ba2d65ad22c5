"""Bench (h), (i), (k), (l): how fast a sweep is, how it grows, and what memory it takes."""

from __future__ import annotations

from collections.abc import Callable
from statistics import median
from typing import Final

from tests.bench import club, club_mariadb
from tests.bench.report import Row, bounded, compared
from tests.bench.rounds import RunFailed
from tests.bench.sweep_process import Sweep, Swept, sweeping
from tests.bench.world import World

Tell = Callable[[str], None]

ROUNDS: Final = 3
SMALL: Final = 100_000
"""Members of the small table, with whose cost of a row that of the large one is compared."""
_WARM: Final = 20_000
"""Members of a sweep in front, which does not count."""


async def against_one_delete(world: World, members: int, tell: Tell) -> list[Row]:
    """(h): by turns with one DELETE a table in one transaction, on PostgreSQL."""
    url = world.url(club.STORE)
    ours: list[float] = []
    slowest: list[float] = []
    hand: list[float] = []
    async with sweeping(world.url(club.LEDGER), url) as sweep:
        await club.fill(url, _WARM)
        await believed(sweep, _WARM)
        for number in range(ROUNDS):
            await club.fill(url, members)
            swept = await believed(sweep, members)
            ours.append(swept.seconds)
            slowest.append(swept.slowest)
            await club.fill(url, members)
            hand.append(await club.by_hand(url))
            tell(
                f"sweep {number + 1}/{ROUNDS}: {ours[-1]:.1f} s, slowest statement"
                f" {slowest[-1]:.0f} ms, one DELETE {hand[-1]:.1f} s"
            )
    what = f"(h) sweep of {members:,} rows and their children, s, against one DELETE"
    ratios = [theirs / own for own, theirs in zip(ours, hand, strict=True)]
    return [
        compared(what, f"{median(ours):.1f}", f"{median(hand):.1f}", ratios, at_least=0.7),
        bounded("(h) the slowest of its statements that erase, ms", slowest, 100),
    ]


async def by_size(world: World, members: int, tell: Tell) -> list[Row]:
    """(i) and (l): what a row costs in a large table and in a small one; whether memory grows."""
    url = world.url(club.STORE)
    small = min(SMALL, members // 10)
    costs: list[float] = []
    async with sweeping(world.url(club.LEDGER), url) as sweep:
        for number in range(ROUNDS + 1):
            await club.fill(url, small)
            seconds = (await believed(sweep, small)).seconds
            if number:
                costs.append(1e6 * seconds / small)
        tell(f"a row of {small:,} costs {median(costs):.1f} µs")
        await club.fill(url, members)
        large = await believed(sweep, members)
    cost = 1e6 * large.seconds / members
    tell(f"a row of {members:,} costs {cost:.1f} µs: {large.seconds:.0f} s in all")
    return [
        compared(
            f"(i) cost of a row of {members:,}, µs, against one of {small:,}",
            f"{cost:.1f}",
            f"{median(costs):.1f}",
            [cost / one for one in costs],
            at_most=1.2,
        ),
        compared(
            f"(l) resident memory in the same sweep, most after a tenth of its "
            f"{large.chunks:,} chunks against then, MB",
            f"{large.late:.0f}",
            f"{large.early:.0f}",
            [large.late / large.early],
            at_most=1.1,
        ),
    ]


async def against_pt_archiver(world: World, members: int, tell: Tell) -> list[Row]:
    """(k): by turns with the best of pt-archiver's method by hand, on MariaDB."""
    with club_mariadb.server() as server:
        if server is None:
            tell("(k) is left out: set MARIADB_URL or install mariadb-server")
            return []
        url = await club_mariadb.prepare(server)
        ours: list[float] = []
        hand: dict[int, list[float]] = {size: [] for size in club_mariadb.CHUNKS}
        async with sweeping(world.url(club.LEDGER), url) as sweep:
            await club_mariadb.fill(url, _WARM)
            await believed(sweep, _WARM)
            for number in range(ROUNDS):
                await club_mariadb.fill(url, members)
                ours.append((await believed(sweep, members)).seconds)
                for size, took in hand.items():
                    await club_mariadb.fill(url, members)
                    took.append(await club_mariadb.by_hand(url, size))
                each = ", ".join(f"{size:,}: {took[-1]:.1f} s" for size, took in hand.items())
                tell(f"MariaDB {number + 1}/{ROUNDS}: {ours[-1]:.1f} s; by hand {each}")
    best = min(hand, key=lambda size: median(hand[size]))
    return [
        compared(
            f"(k) MariaDB: sweep of {members:,} rows and their children, s, against chunks of "
            f"{best:,} by hand",
            f"{median(ours):.1f}",
            f"{median(hand[best]):.1f}",
            [theirs / own for own, theirs in zip(ours, hand[best], strict=True)],
            at_least=1.5,
        )
    ]


async def believed(sweep: Sweep, members: int) -> Swept:
    """Sweep, and believe no speed unless whoever left went, with their visits."""
    told = await sweep()
    if told.rows != 2 * members // 10 * club.LEFT:
        raise RunFailed(f"{told.rows} rows went of a club of {members}")
    return told
