"""Questions about which cases there are about somebody, or about an event, the newest first."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select, union

from worker.core.case_id import case_id
from worker.ledger import cases as case_questions
from worker.ledger.cases import Case
from worker.ledger.database import Connection
from worker.ledger.tables import cases, restrictions, sought_pseudonyms, suppressions

RECENT = 5_000
"""Cases among which the sources of events are looked for."""


async def about(connection: Connection, pseudonym: bytes, limit: int) -> list[Case]:
    """Cases that recorded something under a pseudonym, or look for it."""
    known = union(
        *(
            select(table.c.case_id).where(table.c.pseudonym == pseudonym)
            for table in (suppressions, restrictions, sought_pseudonyms)
        )
    ).subquery()
    rows = await connection.execute(
        select(cases.c.id)
        .where(cases.c.id.in_(select(known.c.case_id)))
        .order_by(cases.c.received_at.desc(), cases.c.id)
        .limit(limit)
    )
    return await _of(connection, list(rows.scalars()))


async def of_event(connection: Connection, source: str, event_id: str) -> list[Case]:
    """The case of an event; without a source, of events with this id from the usual sources."""
    named = [source] if source else await sources(connection)
    return await _of(connection, [case_id(one, event_id) for one in named])


async def sources(connection: Connection) -> list[str]:
    """Where events came from lately."""
    newest = select(cases.c.source).order_by(cases.c.batch_id.desc()).limit(RECENT).subquery()
    rows = await connection.execute(select(newest.c.source).distinct().order_by(newest.c.source))
    return list(rows.scalars())


async def _of(connection: Connection, ids: list[UUID]) -> list[Case]:
    found = await case_questions.of_ids(connection, ids) if ids else []
    return sorted(found, key=lambda one: one.received_at, reverse=True)
