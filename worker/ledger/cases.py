"""Questions about cases: one event about one subject, from acceptance to its end."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Column, bindparam, case, func, select, update

from topics.events import EventKind
from worker.core.lifecycle import CaseState, origins
from worker.ledger.database import Connection
from worker.ledger.statements import ByColumn, add_rows, among
from worker.ledger.tables import cases


@dataclass(frozen=True, slots=True)
class Case:
    """A case as the ledger holds it. It says which event, never which person."""

    id: UUID
    batch_id: int
    source: str
    event_id: str
    kind: EventKind
    purposes: tuple[str, ...]
    channel: str | None
    event_time: datetime
    received_at: datetime
    due_on: date
    state: CaseState
    reason: Mapping[str, Any] | None
    closed_at: datetime | None
    impact: Mapping[str, int] | None = None
    """Running contracts that it touches, per store."""
    follows: UUID | None = None
    """The first case about the same event: something that it left fell due."""
    asked_on: date | None = None
    """The day from which its deadline counts; None: nobody asked, time did."""


async def known(connection: Connection, ids: Collection[UUID]) -> set[UUID]:
    """Those of the ids that the ledger has already accepted (dedupe)."""
    if not ids:
        return set()
    rows = await connection.execute(
        select(cases.c.id).where(among(connection, cases.c.id, list(ids)))
    )
    return set(rows.scalars())


async def accept(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write new cases. Raises LedgerConflict when another worker accepted one at this moment."""
    if rows:
        await add_rows(connection, cases, list(rows[0]), [list(row.values()) for row in rows])


async def read(connection: Connection, case_id: UUID) -> Case | None:
    """One case."""
    row = (await connection.execute(select(cases).where(cases.c.id == case_id))).one_or_none()
    return None if row is None else _case(row)


async def of_ids(connection: Connection, ids: Collection[UUID]) -> list[Case]:
    """Some cases, in no particular order."""
    rows = await connection.execute(select(cases).where(among(connection, cases.c.id, list(ids))))
    return [_case(row) for row in rows]


async def followers(connection: Connection, case_id: UUID) -> list[Case]:
    """The cases that looked again at what one left, oldest first."""
    rows = await connection.execute(
        select(cases).where(cases.c.follows == case_id).order_by(cases.c.received_at)
    )
    return [_case(row) for row in rows]


async def listed(connection: Connection, *, state: CaseState | None, limit: int) -> list[Case]:
    """Cases, all or in one state: those to be closed by deadline, then the ended, newest first."""
    query = (
        select(cases)
        .order_by(
            cases.c.closed_at.is_not(None),
            cases.c.closed_at.desc(),
            cases.c.due_on,
            cases.c.received_at,
        )
        .limit(limit)
    )
    if state is not None:
        query = query.where(cases.c.state == state.value)
    return [_case(row) for row in await connection.execute(query)]


async def counts(connection: Connection) -> dict[CaseState, int]:
    """How many cases stand in each state."""
    rows = await connection.execute(select(cases.c.state, func.count()).group_by(cases.c.state))
    return {CaseState(state): count for state, count in rows}


async def of_batch(
    connection: Connection, batch_id: int
) -> dict[UUID, tuple[EventKind, tuple[str, ...]]]:
    """The batch's open cases: id to kind and purposes."""
    rows = await connection.execute(
        select(cases.c.id, cases.c.kind, cases.c.purposes).where(
            cases.c.batch_id == batch_id, cases.c.state == CaseState.OPEN.value
        )
    )
    return {row.id: (EventKind(row.kind), tuple(row.purposes)) for row in rows}


async def open_ids(connection: Connection, batch_id: int) -> set[UUID]:
    """Ids of the batch's open cases: what a command may still act for."""
    return set(await open_times(connection, batch_id))


async def open_times(connection: Connection, batch_id: int) -> dict[UUID, datetime | None]:
    """The batch's open cases with the time of their events; None where time asked, nobody."""
    ids, moments = await _OPEN.fetch(connection, batch=batch_id)
    return dict(zip(ids, moments, strict=True))


async def stop_times(connection: Connection, batch_id: int) -> list[datetime]:
    """The times of the batch's events by which somebody asked that something stops."""
    (moments,) = await _STOPS.fetch(connection, batch=batch_id)
    return moments


async def note_impact(connection: Connection, store: str, contracts: Mapping[UUID, int]) -> None:
    """Note how many running contracts of a store some cases touch.

    The caller holds the cases' batch, so that no other store notes its own at the same time.
    """
    before = await _open_with(connection, cases.c.impact, contracts)
    noted = [
        {"case": case_id, "noted": {**(impact or {}), store: contracts[case_id]}}
        for case_id, impact in before
    ]
    if noted:
        await connection.execute(_IMPACT, noted)


async def note_refusal(connection: Connection, store: str, ids: Collection[UUID], why: str) -> None:
    """Note that a store cannot do what some cases ask: their completion tells it.

    The caller holds the cases' batch, so that no other store notes its own at the same time.
    """
    before = await _open_with(connection, cases.c.reason, ids)
    noted = [
        {
            "case": case_id,
            "noted": {"why": why, "stores": sorted({*(reason or {}).get("stores", ()), store})},
        }
        for case_id, reason in before
    ]
    if noted:
        await connection.execute(_REASON, noted)


async def _open_with(
    connection: Connection, column: Column[Any], ids: Collection[UUID]
) -> list[tuple[UUID, Mapping[str, Any] | None]]:
    """Of those cases that have not ended: id and what stands in a column."""
    rows = await connection.execute(
        select(cases.c.id, column).where(
            among(connection, cases.c.id, list(ids)), cases.c.closed_at.is_(None)
        )
    )
    return [(row[0], row[1]) for row in rows]


async def set_aside(
    connection: Connection,
    case_id: UUID,
    batch_id: int,
    state: CaseState,
    reason: Mapping[str, Any],
) -> None:
    """Park or hold one open case in a batch of its own, with words and counts that say why."""
    await connection.execute(
        update(cases)
        .where(cases.c.id == case_id, cases.c.state.in_(origins(state)))
        .values(state=state.value, batch_id=batch_id, reason=dict(reason))
    )


async def extend(connection: Connection, case_id: UUID, before: date, until: date) -> bool:
    """Move the deadline of a standing case; False: it has ended, or its deadline is another."""
    moved = await connection.execute(
        update(cases)
        .where(cases.c.id == case_id, cases.c.due_on == before, cases.c.closed_at.is_(None))
        .values(due_on=until)
    )
    return moved.rowcount == 1


async def move(connection: Connection, ids: Collection[UUID], batch_id: int) -> None:
    """Put standing cases into another batch, open: commands of the old one leave them out."""
    await connection.execute(
        update(cases)
        .where(
            among(connection, cases.c.id, list(ids)),
            cases.c.state.in_(origins(CaseState.OPEN)),
        )
        .values(batch_id=batch_id, state=CaseState.OPEN.value, reason=None)
    )


_ASKED_AT = case((cases.c.asked_on.is_not(None), cases.c.event_time)).label("asked_at")
_OPEN = ByColumn(
    lambda _: select(cases.c.id, _ASKED_AT).where(
        cases.c.batch_id == bindparam("batch"), cases.c.state == CaseState.OPEN.value
    )
)
_STOPS = ByColumn(
    lambda _: select(cases.c.event_time).where(
        cases.c.batch_id == bindparam("batch"),
        cases.c.asked_on.is_not(None),
        cases.c.kind != EventKind.CONSENT_GIVEN.value,
    )
)
_IMPACT = update(cases).where(cases.c.id == bindparam("case")).values(impact=bindparam("noted"))
_REASON = update(cases).where(cases.c.id == bindparam("case")).values(reason=bindparam("noted"))


def _case(row: Any) -> Case:
    return Case(
        id=row.id,
        batch_id=row.batch_id,
        source=row.source,
        event_id=row.event_id,
        kind=EventKind(row.kind),
        purposes=tuple(row.purposes),
        channel=row.channel,
        event_time=row.event_time,
        received_at=row.received_at,
        due_on=row.due_on,
        state=CaseState(row.state),
        reason=row.reason,
        closed_at=row.closed_at,
        impact=row.impact,
        follows=row.follows,
        asked_on=row.asked_on,
    )
