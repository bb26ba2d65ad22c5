"""Questions about batches: what intake committed together, and how far its planning is."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, exists, insert, or_, select, update

from worker.core.lifecycle import STANDING
from worker.ledger.database import Connection
from worker.ledger.statements import Hot, among
from worker.ledger.tables import batches, cases


class Lane(StrEnum):
    """Which of a store's two topics a command travels on."""

    PEOPLE = "people"
    """What a person has asked for."""
    SWEEPS = "sweeps"
    """What time asks for: it never stands before the other."""


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch as planning needs it. ``payload`` is None when it is finished."""

    id: int
    payload: bytes | None
    key_id: str
    stores_left: tuple[str, ...]
    attempts: int
    stopped_at: datetime | None
    lane: Lane


async def open_batch(
    connection: Connection,
    *,
    payload: bytes | None,
    key_id: str,
    stores_left: Sequence[str],
    now: datetime,
    due_at: datetime,
    lane: Lane = Lane.PEOPLE,
) -> int:
    """Write a batch and give back its id. Without a payload there is nothing to plan."""
    values = {
        "created_at": now,
        "payload": payload,
        "key_id": key_id,
        "stores_left": list(stores_left) if payload else [],
        "due_at": due_at,
        "lane": lane.value,
    }
    if payload is None:
        values |= {"planned_at": now, "finished_at": now}
    result = await connection.execute(insert(batches).values(values).returning(batches.c.id))
    return int(result.scalar_one())


async def read(connection: Connection, batch_id: int) -> Batch | None:
    """Read a batch without holding it."""
    return _batch((await connection.execute(_BATCH.where(batches.c.id == batch_id))).one_or_none())


async def lock(connection: Connection, batch_id: int) -> Batch | None:
    """Read a batch and hold it until the transaction ends: who plans or closes does it alone."""
    query = _BATCH.where(batches.c.id == batch_id).with_for_update()
    return _batch((await connection.execute(query)).one_or_none())


async def hold(connection: Connection, batch_id: int) -> tuple[str, ...] | None:
    """Hold a batch as :func:`lock` does; read only which stores are still to be planned."""
    held = await _HOLD.rows(connection, batch=batch_id)
    return tuple(held[0][0]) if held else None


async def planned(
    connection: Connection,
    batch_id: int,
    *,
    stores_left: Sequence[str],
    policy: str,
    now: datetime,
    due_at: datetime,
    payload: bytes | None = None,
    key_id: str | None = None,
) -> None:
    """Note which stores are still to be planned; with none left the batch is planned."""
    values: dict[str, object] = {"stores_left": list(stores_left), "policy": policy}
    values |= {"planned_at": now} if not stores_left else {"due_at": due_at}
    if stores_left:
        values["attempts"] = batches.c.attempts + 1
    if payload is not None:
        values |= {"payload": payload, "key_id": key_id}
    await connection.execute(update(batches).where(batches.c.id == batch_id).values(values))


async def stopped(connection: Connection, batch_id: int, now: datetime) -> bool:
    """Note that the stop of this batch was published. False: it was noted before, and stands."""
    noted = await connection.execute(
        update(batches)
        .where(batches.c.id == batch_id, batches.c.stopped_at.is_(None))
        .values(stopped_at=now)
    )
    return noted.rowcount == 1


async def finish(connection: Connection, batch_id: int, now: datetime) -> None:
    """Drop the identifiers of a planned batch in which no case is open or parked any more."""
    await _FINISH.rows(connection, batch=batch_id, now=now)


async def unannounced(connection: Connection, case_ids: Collection[UUID]) -> list[int]:
    """Batches of these cases whose stop was never noted as published."""
    if not case_ids:
        return []
    rows = await connection.execute(
        select(batches.c.id)
        .join(cases, cases.c.batch_id == batches.c.id)
        .where(among(connection, cases.c.id, list(case_ids)), batches.c.stopped_at.is_(None))
        .distinct()
    )
    return list(rows.scalars())


async def waiting(connection: Connection, now: datetime, limit: int) -> list[tuple[int, bool]]:
    """Batches due for redrive: (id, whether its stop is still unpublished), oldest first."""
    rows = await connection.execute(
        select(batches.c.id, batches.c.stopped_at)
        .where(
            or_(batches.c.planned_at.is_(None), batches.c.stopped_at.is_(None)),
            batches.c.due_at <= now,
        )
        .order_by(batches.c.due_at)
        .limit(limit)
    )
    return [(row.id, row.stopped_at is None) for row in rows]


async def postpone(connection: Connection, batch_id: int, due_at: datetime) -> None:
    """Look at an unplanned batch again at ``due_at``."""
    await connection.execute(
        update(batches)
        .where(batches.c.id == batch_id)
        .values(due_at=due_at, attempts=batches.c.attempts + 1)
    )


_HOLD = Hot(
    lambda _: (
        select(batches.c.stores_left).where(batches.c.id == bindparam("batch")).with_for_update()
    )
)
_FINISH = Hot(
    lambda _: (
        update(batches)
        .where(
            batches.c.id == bindparam("batch"),
            batches.c.planned_at.is_not(None),
            batches.c.finished_at.is_(None),
            ~exists().where(
                cases.c.batch_id == bindparam("batch"),
                or_(*(cases.c.state == state.value for state in sorted(STANDING))),
            ),
        )
        .values(payload=None, finished_at=bindparam("now"))
        .returning(batches.c.id)
    )
)
_BATCH = select(
    batches.c.id,
    batches.c.payload,
    batches.c.key_id,
    batches.c.stores_left,
    batches.c.attempts,
    batches.c.stopped_at,
    batches.c.lane,
)


def _batch(row: Any) -> Batch | None:
    if row is None:
        return None
    return Batch(**{**row._asdict(), "stores_left": tuple(row.stores_left), "lane": Lane(row.lane)})
