"""Questions about whether anything moves: what waits, and when a store last answered."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import bindparam, func, select

from worker.ledger.database import Connection
from worker.ledger.statements import Hot
from worker.ledger.sweep_tables import sweep_receipts
from worker.ledger.tables import answers, cases


async def open_since(connection: Connection, before: datetime) -> tuple[int, datetime | None]:
    """Open cases that were accepted before a moment: how many, and the oldest one's moment."""
    ((count, oldest),) = await _OPEN_SINCE.rows(connection, before=before)
    return count, oldest


async def last_settled(connection: Connection) -> datetime | None:
    """When a store last answered what it was told, or a sweep last wrote a receipt."""
    (moments,) = await _LAST_SETTLED.rows(connection)
    return max((moment for moment in moments if moment is not None), default=None)


_OPEN_SINCE = Hot(
    lambda _: select(func.count(), func.min(cases.c.received_at)).where(
        cases.c.state == "open", cases.c.received_at <= bindparam("before")
    )
)
_LAST_SETTLED = Hot(
    lambda _: select(
        select(answers.c.created_at)
        .where(answers.c.command_id.is_not(None))
        .order_by(answers.c.id.desc())
        .limit(1)
        .scalar_subquery(),
        select(sweep_receipts.c.settled_at)
        .order_by(sweep_receipts.c.id.desc())
        .limit(1)
        .scalar_subquery(),
    )
)
