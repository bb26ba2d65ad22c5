"""Questions about obligations: what was retained, and on which day somebody must look again.

One row for what a command left to the same day, with the store's own keys, encrypted; of the people
it knows nothing else. The keys are dropped when the look is begun.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ColumnElement, func, insert, select, update

from worker.ledger.database import Connection
from worker.ledger.statements import among
from worker.ledger.tables import obligations
from worker.ledger.types import how_many


@dataclass(frozen=True, slots=True)
class NewObligation:
    """What some cases leave in one store to be looked at on a day."""

    store: str
    look_on: date
    case_ids: tuple[UUID, ...]
    payload: bytes
    key_id: str


@dataclass(frozen=True, slots=True)
class Obligation:
    """An obligation that nobody has looked at yet."""

    id: int
    store: str
    look_on: date
    case_ids: tuple[UUID, ...]
    payload: bytes
    key_id: str


@dataclass(frozen=True, slots=True)
class Ahead:
    """How much of one store must be looked at on a day."""

    look_on: date
    store: str
    obligations: int
    tasks: int


async def note(
    connection: Connection, command_id: int, new: Sequence[NewObligation], now: datetime
) -> None:
    """Write what one command leaves behind. It settles once, so this is written once."""
    if new:
        rows = [
            {
                "command_id": command_id,
                "store": one.store,
                "look_on": one.look_on,
                "case_ids": one.case_ids,
                "payload": one.payload,
                "key_id": one.key_id,
                "created_at": now,
            }
            for one in new
        ]
        await connection.execute(insert(obligations), rows)


async def due(
    connection: Connection,
    day: date,
    limit: int,
    *,
    stores: Collection[str],
    keys: Collection[str],
) -> list[int]:
    """Ids of obligations whose day has come, in these stores and under these keys, oldest first.

    What is sealed with a key that is missing waits for it, and keeps no other from its day;
    ``erasure check`` tells of it (:func:`keys_in_use`).
    """
    rows = await connection.execute(
        select(obligations.c.id)
        .where(
            obligations.c.batch_id.is_(None),
            obligations.c.look_on <= day,
            obligations.c.store.in_(sorted(stores)),
            obligations.c.key_id.in_(sorted(keys)),
        )
        .order_by(obligations.c.look_on, obligations.c.id)
        .limit(limit)
    )
    return list(rows.scalars())


async def lock(connection: Connection, obligation_id: int) -> Obligation | None:
    """Read an obligation and hold it; None when somebody has begun to look meanwhile."""
    row = (
        await connection.execute(
            select(*(obligations.c[name] for name in Obligation.__slots__))
            .where(obligations.c.id == obligation_id, obligations.c.batch_id.is_(None))
            .with_for_update()
        )
    ).one_or_none()
    if row is None:
        return None
    return Obligation(**{**row._asdict(), "case_ids": tuple(row.case_ids)})


async def looked_at(connection: Connection, obligation_id: int, batch_id: int) -> None:
    """Note which batch looks again, and drop the keys: they are the batch's now."""
    await connection.execute(
        update(obligations)
        .where(obligations.c.id == obligation_id)
        .values(batch_id=batch_id, payload=None)
    )


async def ahead(
    connection: Connection, *, store: str | None = None, until: date | None = None
) -> list[Ahead]:
    """What is to be looked at, by day and store, the nearest first."""
    conditions: list[ColumnElement[bool]] = [obligations.c.batch_id.is_(None)]
    if store is not None:
        conditions.append(obligations.c.store == store)
    if until is not None:
        conditions.append(obligations.c.look_on <= until)
    day_and_store = obligations.c.look_on, obligations.c.store
    rows = await connection.execute(
        select(*day_and_store, func.count(), func.sum(how_many(obligations.c.case_ids)))
        .where(*conditions)
        .group_by(*day_and_store)
        .order_by(*day_and_store)
    )
    return [Ahead(*row) for row in rows]


async def of_case(
    connection: Connection, command_ids: Sequence[int], case_id: UUID
) -> list[tuple[str, date]]:
    """Store and day of what a case's commands left to be looked at, the nearest first."""
    if not command_ids:
        return []
    rows = await connection.execute(
        select(obligations.c.store, obligations.c.look_on, obligations.c.case_ids)
        .where(
            among(connection, obligations.c.command_id, list(command_ids)),
            obligations.c.batch_id.is_(None),
        )
        .order_by(obligations.c.look_on, obligations.c.store)
    )
    return [(row.store, row.look_on) for row in rows if case_id in row.case_ids]


async def keys_in_use(connection: Connection) -> dict[str, int]:
    """How many obligations each payload key has sealed: it is needed until they are looked at."""
    rows = await connection.execute(
        select(obligations.c.key_id, func.count().label("sealed"))
        .where(obligations.c.batch_id.is_(None))
        .group_by(obligations.c.key_id)
    )
    return {row.key_id: row.sealed for row in rows}
