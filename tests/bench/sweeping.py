"""Bench (h) to (m): sweeps of all that is past its ground, and what others feel of them.

A sweep does all that it does in earnest: it counts first, notes who may lose data, erases, reads
again, writes receipts and counts once more. What is written by hand deletes and does nothing else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Final

from tests.bench import club, sweep_felt, sweep_speed
from tests.bench.report import Row
from tests.bench.world import World

Tell = Callable[[str], None]

PARTS: Final[Mapping[str, Callable[[World, int, Tell], Awaitable[list[Row]]]]] = {
    "delete": sweep_speed.against_one_delete,
    "size": sweep_speed.by_size,
    "others": sweep_felt.others_statements,
    "mariadb": sweep_speed.against_pt_archiver,
    "people": sweep_felt.people_who_ask,
}
"""What can be measured alone, by its name on the command line."""


def measure(world: World, members: int, chosen: Collection[str], tell: Tell) -> list[Row]:
    """Measure the chosen parts, all where none is chosen, with so many members or people."""
    return asyncio.run(_measure(world, members, chosen or PARTS, tell))


async def _measure(world: World, members: int, chosen: Collection[str], tell: Tell) -> list[Row]:
    for name in (club.STORE, club.LEDGER):
        world.postgres.create_database(name)
    rows: list[Row] = []
    for name, part in PARTS.items():
        if name in chosen:
            rows += await part(world, members, tell)
    return rows
