"""Closing cases: only when every store has answered for them (rule 3)."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from worker.core.lifecycle import CaseState
from worker.ledger import batch_commands, batches, endings
from worker.ledger.database import Connection
from worker.ledger.endings import Ended


async def close_ready(
    connection: Connection,
    batch_id: int,
    stores_left: Collection[str],
    candidates: Collection[UUID],
    *,
    answer_id: int,
    now: datetime,
) -> list[Ended]:
    """Close those candidates that no store has still to answer for.

    The caller holds the batch's row: two stores that settle at once come here one after the
    other, and the second sees what the first has settled. Nothing closes while a store of the
    batch has not been planned for good.
    """
    if stores_left or not candidates:
        return []
    waiting = await batch_commands.cases_in_unsettled(connection, batch_id)
    ended = await endings.end(
        connection,
        set(candidates) - waiting,
        state=CaseState.CLOSED,
        answer_id=answer_id,
        now=now,
        batch_id=batch_id,
    )
    if ended:
        await batches.finish(connection, batch_id, now)
    return ended
