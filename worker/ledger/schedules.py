"""Questions about schedules: which planned moment of each was begun last."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select, update

from worker.ledger.database import Connection
from worker.ledger.statements import insert_if_new
from worker.ledger.sweep_tables import schedules


async def hold(connection: Connection, name: str, now: datetime) -> datetime:
    """Hold a schedule until the transaction ends; the moment that was begun last.

    One that is not known yet begins with ``now``: what was planned before it is not caught up.
    """
    await connection.execute(insert_if_new(connection, schedules).values(name=name, last_at=now))
    row = await connection.execute(
        select(schedules.c.last_at).where(schedules.c.name == name).with_for_update()
    )
    last: datetime = row.scalar_one()
    return last


async def begun(connection: Connection, name: str, moment: datetime) -> None:
    """Note that the run of a planned moment is begun."""
    await connection.execute(
        update(schedules).where(schedules.c.name == name).values(last_at=moment)
    )
