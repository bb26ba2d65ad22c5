"""Questions about paused stores: which rest, who said so, and whether anything is still in hand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, delete, exists, insert, select, update

from worker.ledger.batches import Lane
from worker.ledger.database import Connection
from worker.ledger.operating_tables import pause_reports, paused_stores
from worker.ledger.statements import Hot
from worker.ledger.tables import batches, commands, leases

FRESH: Final = timedelta(seconds=30)
"""A worker that has not said for so long what it has in hand is not there any more."""


@dataclass(frozen=True, slots=True)
class Pause:
    """An operator's order to let a store rest.

    ``draining``: what workers have in hand is still finished. Otherwise nothing begins any more.
    """

    id: int
    store: str
    by: str
    reason: str
    paused_at: datetime
    draining: bool


async def standing(connection: Connection) -> list[Pause]:
    """The pauses that stand, by store."""
    return [Pause(*row) for row in await _EVERY.rows(connection)]


async def of_store(connection: Connection, store: str, *, lock: bool = False) -> Pause | None:
    """The pause that stands for a store; with ``lock`` nobody else ends or changes it meanwhile."""
    query = _STANDING.where(paused_stores.c.store == store)
    row = (await connection.execute(query.with_for_update() if lock else query)).one_or_none()
    return None if row is None else Pause(*row)


async def place(
    connection: Connection, store: str, *, by: str, reason: str, draining: bool, now: datetime
) -> int:
    """Let a store rest. Raises LedgerConflict when somebody has just done so."""
    placed = await connection.execute(
        insert(paused_stores)
        .values(store=store, by=by, reason=reason, draining=draining, paused_at=now)
        .returning(paused_stores.c.id)
    )
    return int(placed.scalar_one())


async def stop_draining(connection: Connection, pause_id: int) -> None:
    """Let nothing begin any more, also of what workers have in hand."""
    await connection.execute(
        update(paused_stores).where(paused_stores.c.id == pause_id).values(draining=False)
    )


async def end_drained(connection: Connection, placed_before: datetime, now: datetime) -> None:
    """Let nothing begin any more where every worker has finished what it had in hand.

    ``placed_before``: a pause must stand so long that every worker has heard of it.
    """
    at_work = exists().where(
        pause_reports.c.pause_id == paused_stores.c.id,
        pause_reports.c.in_hand > 0,
        pause_reports.c.at > now - FRESH,
    )
    await connection.execute(
        update(paused_stores)
        .where(
            paused_stores.c.resumed_at.is_(None),
            paused_stores.c.draining,
            paused_stores.c.paused_at <= placed_before,
            ~at_work,
        )
        .values(draining=False)
    )


async def report(
    connection: Connection, pause_id: int, worker: str, lane: Lane, in_hand: int, now: datetime
) -> None:
    """Say how much a worker still has in hand of a store that is drained."""
    said = await connection.execute(
        update(pause_reports)
        .where(
            pause_reports.c.pause_id == pause_id,
            pause_reports.c.worker == worker,
            pause_reports.c.lane == lane.value,
        )
        .values(in_hand=in_hand, at=now)
    )
    if not said.rowcount:
        await connection.execute(
            insert(pause_reports).values(
                pause_id=pause_id, worker=worker, lane=lane.value, in_hand=in_hand, at=now
            )
        )


async def busy(connection: Connection, store: str, begun_since: datetime, now: datetime) -> bool:
    """Whether somebody may be at work in a store.

    By the ledger alone: a command that was begun since then and that nobody has ended, or a sweep
    whose runner holds its lease.
    """
    begun = select(commands.c.id).where(
        commands.c.store == store,
        commands.c.state == "open",
        commands.c.attempts > commands.c.failures,
        commands.c.attempted_at > begun_since,
    )
    swept = select(leases.c.name).where(
        leases.c.name == f"sweep:{store}", leases.c.expires_at > now
    )
    for query in (begun, swept):
        if (await connection.execute(query.limit(1))).one_or_none() is not None:
            return True
    return False


async def resume(
    connection: Connection, pause_id: int, *, by: str, reason: str | None, now: datetime
) -> None:
    """End a pause. What no worker could plan meanwhile is planned at once."""
    await connection.execute(
        update(paused_stores)
        .where(paused_stores.c.id == pause_id)
        .values(resumed_at=now, resumed_by=by, resumed_because=reason, draining=False)
    )
    await connection.execute(delete(pause_reports).where(pause_reports.c.pause_id == pause_id))
    await connection.execute(
        update(batches)
        .where(batches.c.planned_at.is_(None), batches.c.attempts > 0, batches.c.due_at > now)
        .values(due_at=now)
    )


async def leave_in_transport(connection: Connection, store: str, due_at: datetime) -> None:
    """Let redrive wait with the commands that were published: they still lie on their topic."""
    await connection.execute(
        update(commands)
        .where(
            commands.c.store == store,
            commands.c.state == "open",
            commands.c.published_at.is_not(None),
            commands.c.due_at < due_at,
        )
        .values(due_at=due_at)
    )


def rests(store: ColumnElement[Any], *, also_draining: bool) -> ColumnElement[bool]:
    """Whether a row's store is paused; a draining one rests for what was not begun only."""
    stands = exists().where(paused_stores.c.store == store, paused_stores.c.resumed_at.is_(None))
    return stands if also_draining else stands.where(~paused_stores.c.draining)


_STANDING = select(*(paused_stores.c[name] for name in Pause.__slots__)).where(
    paused_stores.c.resumed_at.is_(None)
)
_EVERY = Hot(lambda _: _STANDING.order_by(paused_stores.c.store))
