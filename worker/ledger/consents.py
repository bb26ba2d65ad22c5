"""Questions about suppressions: the record of consents ended and given (GDPR art. 7(1)).

A row says what one case said of one purpose for one pseudonym. The state of a purpose is the
newest time of each effect, so the order in which rows arrive does not matter (rule 6).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, bindparam, case, exists, func, or_, select

from topics.events import EventKind
from worker.core.decisions import ConsentState
from worker.core.lifecycle import STANDING
from worker.ledger.database import Connection
from worker.ledger.statements import ByColumn, Within, add_rows, among
from worker.ledger.tables import cases, suppressions

States = dict[str, ConsentState]
"""Per purpose."""


@dataclass(frozen=True, slots=True)
class Standing:
    """An open or parked case that stopped a purpose for one of the pseudonyms asked about."""

    case_id: UUID
    batch_id: int
    kind: EventKind
    purposes: tuple[str, ...]
    follows: bool
    """Whether it looks again at what an earlier case had to leave."""


async def record(
    connection: Connection, rows: Sequence[tuple[bytes, str, UUID, str, datetime]]
) -> None:
    """Write what new cases say: (pseudonym, purpose, case, effect, the event's own time)."""
    columns = ("pseudonym", "purpose", "case_id", "effect", "at")
    await add_rows(connection, suppressions, columns, rows)


async def repeat(connection: Connection, again: Mapping[UUID, UUID]) -> None:
    """Let the cases that follow others say what those said, at the same times: nothing changes.

    ``again`` maps a case to the one that follows it.
    """
    rows = await connection.execute(
        select(suppressions).where(among(connection, suppressions.c.case_id, list(again)))
    )
    await record(
        connection,
        [(bytes(r.pseudonym), r.purpose, again[r.case_id], r.effect, r.at) for r in rows],
    )


async def states(connection: Connection, pseudonyms: Collection[bytes]) -> dict[bytes, States]:
    """What is on record of each pseudonym and purpose now."""
    if not pseudonyms:
        return {}
    return _gathered(await _STATES.fetch(connection, pseudonyms=list(pseudonyms)))


async def states_of_cases(connection: Connection, case_ids: Collection[UUID]) -> dict[UUID, States]:
    """What is on record of each case's subject, under all the pseudonyms the case recorded."""
    if not case_ids:
        return {}
    return _gathered(await _STATES_OF_CASES.fetch(connection, cases=list(case_ids)))


async def shared(
    connection: Connection, pseudonyms: Collection[bytes], batch_id: int
) -> list[bytes]:
    """Those of the pseudonyms of which a case of another batch has recorded something too."""
    (found,) = await _SHARED.fetch(connection, pseudonyms=list(pseudonyms), batch=batch_id)
    return found


async def standing(connection: Connection, pseudonyms: Collection[bytes]) -> list[Standing]:
    """Open and parked cases that stopped something for any of these pseudonyms."""
    if not pseudonyms:
        return []
    rows = await connection.execute(
        select(cases.c.id, cases.c.batch_id, cases.c.kind, cases.c.purposes, cases.c.follows)
        .join(suppressions, suppressions.c.case_id == cases.c.id)
        .where(
            among(connection, suppressions.c.pseudonym, list(pseudonyms)),
            suppressions.c.effect != "given",
            cases.c.state.in_(sorted(STANDING)),
        )
        .distinct()
    )
    return [
        Standing(
            row.id,
            row.batch_id,
            EventKind(row.kind),
            tuple(row.purposes),
            row.follows is not None,
        )
        for row in rows
    ]


async def pseudonyms_of_batch(connection: Connection, batch_id: int) -> set[bytes]:
    """The pseudonyms whose stop or lift this batch's cases recorded."""
    rows = await connection.execute(
        select(suppressions.c.pseudonym)
        .join(cases, cases.c.id == suppressions.c.case_id)
        .where(cases.c.batch_id == batch_id)
        .distinct()
    )
    return {bytes(row.pseudonym) for row in rows}


async def pseudonyms_of_cases(
    connection: Connection, case_ids: Collection[UUID]
) -> dict[UUID, set[bytes]]:
    """The pseudonyms each case recorded something for."""
    rows = await connection.execute(
        select(suppressions.c.case_id, suppressions.c.pseudonym)
        .where(among(connection, suppressions.c.case_id, list(case_ids)))
        .distinct()
    )
    found: dict[UUID, set[bytes]] = {}
    for row in rows:
        found.setdefault(row.case_id, set()).add(bytes(row.pseudonym))
    return found


def _newest(*effects: str) -> ColumnElement[datetime]:
    its = or_(*(suppressions.c.effect == effect for effect in effects))
    return func.max(case((its, suppressions.c.at)))


_NEWEST = (
    # Whoever objects also wants no consent of before to count.
    _newest("withdrawn", "objected").label("withdrawn_at"),
    _newest("objected").label("objected_at"),
    _newest("given").label("given_at"),
)


def _states_of_cases(within: Within) -> Select[Any]:
    own = (
        select(suppressions.c.case_id, suppressions.c.pseudonym)
        .where(within(suppressions.c.case_id, "cases"))
        .distinct()
        .subquery("own")
    )
    return (
        select(own.c.case_id, suppressions.c.purpose, *_NEWEST)
        .join(own, own.c.pseudonym == suppressions.c.pseudonym)
        .group_by(own.c.case_id, suppressions.c.purpose)
    )


_STATES = ByColumn(
    lambda within: (
        select(suppressions.c.pseudonym, suppressions.c.purpose, *_NEWEST)
        .where(within(suppressions.c.pseudonym, "pseudonyms"))
        .group_by(suppressions.c.pseudonym, suppressions.c.purpose)
    )
)
_STATES_OF_CASES = ByColumn(_states_of_cases)
_SHARED = ByColumn(
    lambda within: (
        select(suppressions.c.pseudonym)
        .where(
            within(suppressions.c.pseudonym, "pseudonyms"),
            ~exists().where(
                cases.c.id == suppressions.c.case_id, cases.c.batch_id == bindparam("batch")
            ),
        )
        .distinct()
    )
)


def _gathered(columns: Sequence[Sequence[Any]]) -> dict[Any, States]:
    found: dict[Any, States] = {}
    for key, purpose, withdrawn_at, objected_at, given_at in zip(*columns, strict=True):
        state = ConsentState(withdrawn_at, objected_at, given_at)
        found.setdefault(key, {})[purpose] = state
    return found
