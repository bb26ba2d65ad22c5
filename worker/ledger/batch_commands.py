"""Questions about a batch's commands: what its cases still wait for, and what may have gone."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import bindparam, select

from worker.ledger.commands import Command, command_of
from worker.ledger.database import Connection
from worker.ledger.statements import Hot
from worker.ledger.tables import cases, commands


async def cases_in_unsettled(connection: Connection, batch_id: int) -> set[UUID]:
    """Cases of the batch that still wait for a store: they cannot close yet."""
    rows = await _UNSETTLED.rows(connection, batch=batch_id)
    return {case_id for (ids,) in rows for case_id in ids}


async def unsettled(connection: Connection, batch_id: int) -> list[Command]:
    """The batch's commands that are not settled, with their sealed keys."""
    rows = await connection.execute(
        select(*(commands.c[name] for name in Command.__slots__)).where(
            commands.c.batch_id == batch_id, commands.c.state != "settled"
        )
    )
    return [command_of(row) for row in rows]


async def of_followers(connection: Connection) -> list[Command]:
    """Commands on their way that look again at what was retained: they know people by key alone."""
    followers = select(cases.c.batch_id).where(cases.c.follows.is_not(None))
    rows = await connection.execute(
        select(*(commands.c[name] for name in Command.__slots__)).where(
            commands.c.state != "settled", commands.c.batch_id.in_(followers)
        )
    )
    return [command_of(row) for row in rows]


async def attempted(connection: Connection, batch_id: int) -> set[UUID]:
    """Cases of the batch of which a store may have erased something; nobody begins meanwhile.

    The caller holds the batch. An attempt that is just being noted is waited for, and one that
    comes later finds whatever the caller has committed.
    """
    rows = await connection.execute(
        select(commands.c.case_ids, commands.c.state, commands.c.attempts, commands.c.failures)
        .where(commands.c.batch_id == batch_id)
        .with_for_update()
    )
    return {
        case_id
        for row in rows
        if row.state == "settled" or row.attempts > row.failures
        for case_id in row.case_ids
    }


async def cases_by_store(connection: Connection, batch_id: int) -> dict[str, set[UUID]]:
    """For each store the cases of the batch that have a command there, settled or not."""
    rows = await connection.execute(
        select(commands.c.store, commands.c.case_ids).where(commands.c.batch_id == batch_id)
    )
    found: dict[str, set[UUID]] = {}
    for row in rows:
        found.setdefault(row.store, set()).update(row.case_ids)
    return found


_UNSETTLED = Hot(
    lambda _: select(commands.c.case_ids).where(
        commands.c.batch_id == bindparam("batch"), commands.c.state != "settled"
    )
)
