"""Questions about how stores look to the workers that serve them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import bindparam, delete, insert, select

from worker.ledger.batches import Lane
from worker.ledger.database import Connection
from worker.ledger.observing_tables import store_states
from worker.ledger.statements import Hot

FRESH: Final = timedelta(seconds=60)
"""A worker that was not heard of for so long is not there any more."""
KEPT: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class StoreState:
    """How a store looks to one worker on one lane.

    ``state`` is ``serving`` or ``away``; ``fault`` the kind of the last failure and ``hint`` what
    can be done, both without a value. ``next_try`` is when the worker tries again by itself.
    """

    store: str
    lane: Lane
    holder: str
    state: str
    fault: str | None
    hint: str | None
    since: datetime
    next_try: datetime | None
    seen_at: datetime


async def write(connection: Connection, holder: str, states: Sequence[StoreState]) -> None:
    """Say how the stores look to a worker: whatever it said before is replaced."""
    await connection.execute(delete(store_states).where(store_states.c.holder == holder))
    if states:
        rows = [{name: getattr(one, name) for name in StoreState.__slots__} for one in states]
        await connection.execute(insert(store_states), rows)


async def forget(connection: Connection, seen_before: datetime) -> None:
    """Drop what workers said that died long ago."""
    await connection.execute(delete(store_states).where(store_states.c.seen_at < seen_before))


async def fresh(connection: Connection, now: datetime) -> list[StoreState]:
    """What workers that are there say, by store and lane."""
    rows = await _FRESH.rows(connection, since=now - FRESH)
    return [StoreState(store, Lane(lane), *rest) for store, lane, *rest in rows]


_FRESH = Hot(
    lambda _: (
        select(*(store_states.c[name] for name in StoreState.__slots__))
        .where(store_states.c.seen_at > bindparam("since"))
        .order_by(store_states.c.store, store_states.c.lane, store_states.c.holder)
    )
)
