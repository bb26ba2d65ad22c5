"""Questions about how cases end, and what is told of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, func, select, update

from topics.events import EventKind
from worker.core.lifecycle import CaseState, origins
from worker.ledger import sought
from worker.ledger.database import Connection
from worker.ledger.statements import ByColumn, among
from worker.ledger.tables import cases
from worker.ledger.types import Id


@dataclass(frozen=True, slots=True)
class Ended:
    """A case that has just ended, with what its completion tells upstream, in upstream's words."""

    id: UUID
    source: str
    event_id: str
    kind: str
    state: str
    due_on: date
    closed_at: datetime
    reason: Mapping[str, Any] | None
    impact: Mapping[str, int] | None = None
    follows: UUID | None = None
    asked_at: datetime | None = None
    """The time of its event; None where time asked, nobody, and where it is told once more."""


async def end(
    connection: Connection,
    ids: Collection[UUID],
    *,
    state: CaseState,
    answer_id: int,
    now: datetime,
    batch_id: int | None = None,
    reason: Mapping[str, Any] | None = None,
) -> list[Ended]:
    """End open or parked cases (of one batch, if given); what ended before stays as it is."""
    if not ids:
        return []
    columns = await _END.fetch(
        connection,
        ids=list(ids),
        origins=list(origins(state)),
        of_batch=batch_id,
        ended=state.value,
        at=now,
        answer=answer_id,
    )
    ended = [
        Ended(
            case_id,
            source,
            event_id,
            kind,
            state.value,
            due_on,
            now,
            why,
            impact,
            follows,
            None if asked_on is None else event_time,
        )
        for (
            case_id,
            source,
            event_id,
            kind,
            due_on,
            why,
            impact,
            follows,
            event_time,
            asked_on,
        ) in zip(*columns, strict=True)
    ]
    expired = [one.id for one in ended if one.kind == EventKind.RETENTION_EXPIRED.value]
    await sought.forget(connection, expired)
    if reason is None or not ended:
        return ended
    its = among(connection, cases.c.id, [one.id for one in ended])
    await connection.execute(update(cases).where(its).values(reason=dict(reason)))
    return [replace(one, reason=dict(reason)) for one in ended]


async def ended_by(connection: Connection, answer_id: int) -> list[Ended]:
    """The cases that one answer ended."""
    rows = await connection.execute(select(*_ENDED).where(cases.c.answer_id == answer_id))
    return [Ended(**row._asdict()) for row in rows]


_END = ByColumn(
    lambda within: (
        update(cases)
        .where(
            within(cases.c.id, "ids"),
            within(cases.c.state, "origins"),
            cases.c.batch_id == func.coalesce(bindparam("of_batch", type_=Id), cases.c.batch_id),
        )
        .values(state=bindparam("ended"), closed_at=bindparam("at"), answer_id=bindparam("answer"))
        .returning(
            cases.c.id,
            cases.c.source,
            cases.c.event_id,
            cases.c.kind,
            cases.c.due_on,
            cases.c.reason,
            cases.c.impact,
            cases.c.follows,
            cases.c.event_time,
            cases.c.asked_on,
        )
    )
)
_ENDED = (
    cases.c.id,
    cases.c.source,
    cases.c.event_id,
    cases.c.kind,
    cases.c.state,
    cases.c.due_on,
    cases.c.closed_at,
    cases.c.reason,
    cases.c.impact,
    cases.c.follows,
)
