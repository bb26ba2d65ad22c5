"""Questions about restrictions: the record of what was asked for and lifted (GDPR art. 18).

A row says what one case asked under one pseudonym. What stands is the newest of each, so the order
in which events arrive does not matter (rule 6).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from topics.events import RESTRICTING, EventKind
from worker.core.lifecycle import STANDING
from worker.ledger.database import Connection
from worker.ledger.statements import Hot, add_rows, among
from worker.ledger.tables import cases, restrictions


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked for last: whether processing is to be restricted, and when that was said."""

    restricted: bool
    at: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """A case about a restriction that has not ended."""

    case_id: UUID
    batch_id: int
    kind: EventKind


def newest(wishes: Iterable[Wish]) -> Wish | None:
    """Return the newest wish; of two at the same time the one that protects more."""
    return max(wishes, key=lambda wish: (wish.at, wish.restricted), default=None)


async def record(
    connection: Connection, rows: Sequence[tuple[bytes, UUID, bool, datetime]]
) -> None:
    """Write what new cases ask: (pseudonym, case, restricted, the event's own time)."""
    await add_rows(connection, restrictions, ("pseudonym", "case_id", "restricted", "at"), rows)


async def wishes(connection: Connection, pseudonyms: Collection[bytes]) -> dict[bytes, list[Wish]]:
    """Everything that is on record of each pseudonym."""
    if not pseudonyms:
        return {}
    rows = await connection.execute(
        select(restrictions.c.pseudonym, restrictions.c.restricted, restrictions.c.at).where(
            among(connection, restrictions.c.pseudonym, list(pseudonyms))
        )
    )
    found: dict[bytes, list[Wish]] = {}
    for row in rows:
        found.setdefault(bytes(row.pseudonym), []).append(Wish(row.restricted, row.at))
    return found


async def any_stands(connection: Connection) -> bool:
    """Whether anybody has ever asked for a restriction: without one there is nothing to mind."""
    return bool(await _ANY.rows(connection))


async def wanted(connection: Connection, case_ids: Collection[UUID]) -> dict[UUID, bool]:
    """Whether the subject of each case is to be restricted now, whatever the case itself asked."""
    if not case_ids:
        return {}
    own = (
        select(restrictions.c.case_id, restrictions.c.pseudonym)
        .where(among(connection, restrictions.c.case_id, list(case_ids)))
        .subquery("own")
    )
    rows = await connection.execute(
        select(own.c.case_id, restrictions.c.restricted, restrictions.c.at).join(
            own, own.c.pseudonym == restrictions.c.pseudonym
        )
    )
    found: dict[UUID, list[Wish]] = {}
    for row in rows:
        found.setdefault(row.case_id, []).append(Wish(row.restricted, row.at))
    return {case_id: _stands(newest(said)) for case_id, said in found.items()}


def _stands(wish: Wish | None) -> bool:
    return wish is not None and wish.restricted


async def standing(
    connection: Connection, pseudonyms: Collection[bytes]
) -> Mapping[UUID, Standing]:
    """Cases about restrictions of these pseudonyms that have not ended."""
    rows = await connection.execute(
        select(cases.c.id, cases.c.batch_id, cases.c.kind)
        .join(restrictions, restrictions.c.case_id == cases.c.id)
        .where(
            among(connection, restrictions.c.pseudonym, list(pseudonyms)),
            cases.c.kind.in_(sorted(kind.value for kind in RESTRICTING)),
            cases.c.state.in_(sorted(STANDING)),
        )
        .distinct()
    )
    return {row.id: Standing(row.id, row.batch_id, EventKind(row.kind)) for row in rows}


_ANY = Hot(lambda _: select(restrictions.c.case_id).where(restrictions.c.restricted).limit(1))
