"""The brake on a flood of events: what a day would erase in a store, before it is commanded.

Planning asks, for each store and batch. Where the brake asks, the batch's people are not commanded
there; their stop stands, other stores go on, and the store is planned again from the ledger.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

import structlog

from connectors.faults import Fault
from worker.context import Context, NotPossible
from worker.core.brake import asks
from worker.ledger import actions, brakes
from worker.ledger.actions import Did, Origin, Who
from worker.ledger.database import Connection
from worker.resolve import Person

DAY: Final = timedelta(hours=24)
"""What is added up; and how long a store goes on when somebody has let it."""
DAYS: Final = 7
"""Days before the last one, of which the usual is the average."""
FRESH: Final = timedelta(hours=1)
"""How long the size of a store is believed."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Watch:
    """What is known before a batch is planned: whom today erases, and how big the stores are.

    A store that is not in ``sizes`` is far from asking, whatever the batch holds.
    """

    context: Context
    today: Mapping[str, int]
    sizes: Mapping[str, tuple[int, float | None]]
    away: Collection[str]
    """Stores that should be counted and did not answer: they are planned later."""
    asking: Collection[str]
    """Stores that ask already: nothing goes on there until somebody has looked."""

    async def stops(self, connection: Connection, store: str, people: Collection[UUID]) -> bool:
        """Tell whether commanding these people as well must be asked for first."""
        if not people:
            return False
        if store in self.away or store in self.asking:
            return True
        if store not in self.sizes:
            return False
        of, usual = self.sizes[store]
        would = self.today.get(store, 0) + len(people)
        why = asks(would, of, usual, self.context.policy.retention.brake)
        now = self.context.now()
        if why is None or await brakes.approved(connection, store, now - DAY):
            return False
        await brakes.note(connection, store, why, now)
        log.warning("flood-asks", store=store, people=would, of=of)
        return True


async def watched(
    context: Context,
    stores: Sequence[str],
    people: Sequence[Person],
    today: Mapping[str, int],
    asking: Collection[str],
) -> Watch:
    """Count those stores in which so many would be erased today that the brake might ask.

    Raises LedgerAway.
    """
    sizes: dict[str, tuple[int, float | None]] = {}
    away: set[str] = set()
    for store in stores:
        found = sum(1 for one in people if one.keys.get(store) or one.carried.get(store))
        if today.get(store, 0) + found <= context.policy.retention.brake.people:
            continue
        try:
            sizes[store] = await _size(context, store)
        except Fault:
            away.add(store)
    return Watch(context, today, sizes, away, asking)


async def approve(
    context: Context, store: str, *, by: str, because: str, origin: Origin = Origin.CLI
) -> None:
    """Let the events of a store go on for a day. Raises NotPossible when it does not ask."""
    async with context.ledger.begin() as connection:
        if not await brakes.approve(connection, store, by=by, because=because, now=context.now()):
            raise NotPossible(
                "no-flood", f"the events of {store} do not ask; see: erasure status", store=store
            )
        who = Who(by, because, origin)
        await actions.note(connection, context.now(), who, Did.FLOOD_APPROVED, f"store:{store}")


async def _size(context: Context, store: str) -> tuple[int, float | None]:
    """How many people a store has, and how many a usual day erases; counted once an hour."""
    now = context.now()
    known = context.sizes.get(store)
    if known is not None and now - FRESH < known[0] <= now:
        return known[1], known[2]
    people = await context.connectors[store].people()
    begin, end = now - DAY * (DAYS + 1), now - DAY
    async with context.ledger.begin() as connection:
        before = await brakes.erased_since(connection, begin, end)
        first = await brakes.first_command(connection, begin)
    usual = None
    if store in before and first is not None:
        usual = before[store] / max(1.0, (end - first) / DAY)
    context.sizes[store] = (now, people, usual)
    return people, usual
