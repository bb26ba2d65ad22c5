"""Questions that a page asks: so many rows after the last one it has shown, however many there are.

Each page is read by an index from where the one before ended; nothing is counted or skipped.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select, tuple_

from worker.core.lifecycle import CaseState
from worker.ledger import cases as case_questions
from worker.ledger.cases import Case
from worker.ledger.database import Connection
from worker.ledger.statements import among
from worker.ledger.tables import cases, commands


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A task that a store refused, alone."""

    id: int
    store: str
    case_ids: tuple[UUID, ...]
    attempts: int
    fault: str
    created_at: datetime
    attempted_at: datetime | None


async def standing_cases(
    connection: Connection, state: CaseState, limit: int, after: tuple[date, UUID] | None = None
) -> list[Case]:
    """Cases in one standing state by deadline, and by id where that is the same."""
    query = select(cases.c.id).where(cases.c.state == state.value)
    if after is not None:
        # The first condition alone is an edge that an index finds.
        query = query.where(
            cases.c.due_on >= after[0], tuple_(cases.c.due_on, cases.c.id) > tuple_(*after)
        )
    rows = await connection.execute(query.order_by(cases.c.due_on, cases.c.id).limit(limit))
    ids = list(rows.scalars())
    found = {one.id: one for one in await case_questions.of_ids(connection, ids)} if ids else {}
    return [found[one] for one in ids if one in found]


async def dead_letters(
    connection: Connection, limit: int, after: int = 0, *, store: str | None = None
) -> list[DeadLetter]:
    """Dead letters, the oldest first; of one store, or of all."""
    query = select(*(commands.c[name] for name in DeadLetter.__slots__)).where(
        commands.c.state == "dead", commands.c.id > after
    )
    if store is not None:
        query = query.where(commands.c.store == store)
    rows = await connection.execute(query.order_by(commands.c.id).limit(limit))
    return [DeadLetter(**{**row._asdict(), "case_ids": tuple(row.case_ids)}) for row in rows]


async def dead_letter(connection: Connection, command_id: int) -> DeadLetter | None:
    """One dead letter; None when there is none of this id."""
    rows = await connection.execute(
        select(*(commands.c[name] for name in DeadLetter.__slots__)).where(
            among(connection, commands.c.id, [command_id]), commands.c.state == "dead"
        )
    )
    row = rows.one_or_none()
    return None if row is None else DeadLetter(**{**row._asdict(), "case_ids": tuple(row.case_ids)})
