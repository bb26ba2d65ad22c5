"""Questions about what a broker has lost: found by a worker, answered by an operator."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, update

from worker.ledger.database import Connection
from worker.ledger.operating_tables import broker_losses
from worker.ledger.statements import Hot, insert_if_new


@dataclass(frozen=True, slots=True)
class Loss:
    """A consumer group whose place lay so many messages beyond the end of its topics."""

    group: str
    messages: int
    seen_at: datetime


async def standing(connection: Connection) -> list[Loss]:
    """The losses that nobody has answered, by group."""
    return [Loss(*row) for row in await _STANDING.rows(connection)]


async def answered(connection: Connection) -> int:
    """How many losses somebody has answered, ever."""
    ((count,),) = await _ANSWERED.rows(connection)
    return int(count)


async def note(connection: Connection, group: str, messages: int, now: datetime) -> None:
    """Write down a loss; one that stands for the group says it already."""
    await connection.execute(
        insert_if_new(connection, broker_losses).values(
            consumer_group=group, messages=messages, seen_at=now
        )
    )


async def recover(
    connection: Connection, group: str, *, by: str, reason: str, now: datetime
) -> None:
    """Write down that somebody has answered what a group has lost."""
    await connection.execute(
        update(broker_losses)
        .where(broker_losses.c.consumer_group == group, broker_losses.c.recovered_at.is_(None))
        .values(recovered_at=now, recovered_by=by, recovered_because=reason)
    )


_STANDING = Hot(
    lambda _: (
        select(broker_losses.c.consumer_group, broker_losses.c.messages, broker_losses.c.seen_at)
        .where(broker_losses.c.recovered_at.is_(None))
        .order_by(broker_losses.c.consumer_group)
    )
)
_ANSWERED = Hot(
    lambda _: (
        select(func.count())
        .select_from(broker_losses)
        .where(broker_losses.c.recovered_at.is_not(None))
    )
)
