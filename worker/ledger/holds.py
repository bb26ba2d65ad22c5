"""Questions about holds: whose data nobody may erase now, who said so, and until when to look.

A hold is kept as pseudonyms. What it is about in the clear stands nowhere.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import bindparam, func, insert, select, update

from worker.core.lifecycle import CaseState
from worker.ledger.database import Connection
from worker.ledger.statements import Hot, add_rows, among
from worker.ledger.tables import cases, held_pseudonyms, holds, suppressions


@dataclass(frozen=True, slots=True)
class Hold:
    """A named person's order that nothing of a subject be erased."""

    id: int
    by: str
    reason: str
    review_on: date
    placed_at: datetime
    released_at: datetime | None
    released_by: str | None


async def place(
    connection: Connection,
    pseudonyms: Collection[bytes],
    *,
    by: str,
    reason: str,
    review_on: date,
    now: datetime,
) -> int:
    """Write a hold and give back its id."""
    placed = await connection.execute(
        insert(holds)
        .values(by=by, reason=reason, review_on=review_on, placed_at=now)
        .returning(holds.c.id)
    )
    hold_id = int(placed.scalar_one())
    await add_rows(
        connection,
        held_pseudonyms,
        ("hold_id", "pseudonym"),
        [(hold_id, pseudonym) for pseudonym in sorted(set(pseudonyms))],
    )
    return hold_id


async def release(connection: Connection, hold_id: int, *, by: str, now: datetime) -> bool:
    """End a standing hold; False: there is none of this id that stands."""
    ended = await connection.execute(
        update(holds)
        .where(holds.c.id == hold_id, holds.c.released_at.is_(None))
        .values(released_at=now, released_by=by)
    )
    return ended.rowcount == 1


async def any_stands(connection: Connection) -> bool:
    """Whether there is any hold to mind at all."""
    return bool(await _ANY.rows(connection))


async def standing(connection: Connection, pseudonyms: Collection[bytes]) -> dict[bytes, int]:
    """For each of the pseudonyms that is held: the id of a hold that stands."""
    if not pseudonyms:
        return {}
    rows = await connection.execute(
        select(held_pseudonyms.c.pseudonym, held_pseudonyms.c.hold_id)
        .join(holds, holds.c.id == held_pseudonyms.c.hold_id)
        .where(
            holds.c.released_at.is_(None),
            among(connection, held_pseudonyms.c.pseudonym, list(pseudonyms)),
        )
        .order_by(held_pseudonyms.c.hold_id.desc())
    )
    return {bytes(row.pseudonym): row.hold_id for row in rows}


async def open_cases(connection: Connection, pseudonyms: Collection[bytes]) -> dict[int, set[UUID]]:
    """Open cases about these pseudonyms, by batch: what a new hold must take out of hand."""
    rows = await connection.execute(
        select(cases.c.batch_id, cases.c.id)
        .join(suppressions, suppressions.c.case_id == cases.c.id)
        .where(
            among(connection, suppressions.c.pseudonym, list(pseudonyms)),
            suppressions.c.effect != "given",
            cases.c.state == CaseState.OPEN.value,
        )
        .distinct()
    )
    found: dict[int, set[UUID]] = {}
    for row in rows:
        found.setdefault(row.batch_id, set()).add(row.id)
    return found


async def standing_and_due(connection: Connection, day: date) -> tuple[int, int]:
    """How many holds stand, and of how many the review date has come by a day."""
    ((stand, due),) = await _STANDING_AND_DUE.rows(connection, day=day)
    return stand, due


async def held_cases(connection: Connection, hold_id: int) -> dict[int, set[UUID]]:
    """The cases that wait for one hold, by batch."""
    rows = await connection.execute(
        select(cases.c.batch_id, cases.c.id, cases.c.reason).where(
            cases.c.state == CaseState.HELD.value
        )
    )
    found: dict[int, set[UUID]] = {}
    for row in rows:
        if (row.reason or {}).get("hold") == hold_id:
            found.setdefault(row.batch_id, set()).add(row.id)
    return found


async def listed(connection: Connection, *, released: bool = False) -> list[Hold]:
    """Holds by review date: those that stand, or with ``released`` all of them."""
    query = select(*(holds.c[name] for name in Hold.__slots__)).order_by(
        holds.c.review_on, holds.c.id
    )
    if not released:
        query = query.where(holds.c.released_at.is_(None))
    return [Hold(*row) for row in await connection.execute(query)]


_ANY = Hot(lambda _: select(holds.c.id).where(holds.c.released_at.is_(None)).limit(1))
_STANDING_AND_DUE = Hot(
    lambda _: select(
        func.count(), func.count().filter(holds.c.review_on <= bindparam("day"))
    ).where(holds.c.released_at.is_(None))
)
