"""Questions about leases: which one of several workers does a job that only one may do."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import or_, select, update

from worker.ledger.database import Connection
from worker.ledger.statements import insert_if_new
from worker.ledger.tables import leases


async def take(
    connection: Connection, name: str, holder: str, *, now: datetime, ttl: timedelta
) -> int | None:
    """Take or renew a lease until ``now + ttl``. Returns its epoch, or None: another holds it.

    The epoch grows whenever the holder changes, so that one who slept through the end of his
    lease can be told from the present one.
    """
    renewed = await connection.execute(
        update(leases)
        .where(
            leases.c.name == name,
            or_(leases.c.holder == holder, leases.c.expires_at <= now),
        )
        .values(
            holder=holder,
            expires_at=now + ttl,
            epoch=leases.c.epoch + (leases.c.holder != holder).cast(leases.c.epoch.type),
        )
        .returning(leases.c.epoch)
    )
    epoch = renewed.scalar_one_or_none()
    if epoch is not None:
        return int(epoch)
    exists = await connection.execute(select(leases.c.name).where(leases.c.name == name))
    if exists.one_or_none() is not None:
        return None
    first = await connection.execute(
        insert_if_new(connection, leases)
        .values(name=name, holder=holder, epoch=1, expires_at=now + ttl)
        .returning(leases.c.epoch)
    )
    epoch = first.scalar_one_or_none()
    return None if epoch is None else int(epoch)


async def give_back(connection: Connection, name: str, holder: str, now: datetime) -> None:
    """End one's own lease at once, so that another need not wait."""
    await connection.execute(
        update(leases)
        .where(leases.c.name == name, leases.c.holder == holder)
        .values(expires_at=now)
    )
