"""Questions about floods: how many people were to be erased lately, and which store asks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update

from worker.ledger.database import Connection
from worker.ledger.statements import insert_if_new
from worker.ledger.sweep_tables import brakes
from worker.ledger.tables import batches, commands
from worker.ledger.types import how_many


@dataclass(frozen=True, slots=True)
class Braked:
    """A store for which events ask before they go on."""

    id: int
    store: str
    asks: Mapping[str, Any]
    since: datetime


async def erased_since(
    connection: Connection, since: datetime, until: datetime | None = None
) -> dict[str, int]:
    """People of commands to erase written since then (and before ``until``), by store."""
    rows = await connection.execute(
        select(commands.c.store, func.sum(how_many(commands.c.case_ids)))
        .where(
            commands.c.created_at >= since,
            *([] if until is None else [commands.c.created_at < until]),
            commands.c.kind == "erase",
        )
        .group_by(commands.c.store)
    )
    return {store: int(people) for store, people in rows}


async def first_command(connection: Connection, since: datetime) -> datetime | None:
    """When the first command since then was written."""
    found = await connection.execute(
        select(commands.c.created_at)
        .where(commands.c.created_at >= since)
        .order_by(commands.c.created_at)
        .limit(1)
    )
    return found.scalar_one_or_none()


async def note(connection: Connection, store: str, asks: Mapping[str, Any], now: datetime) -> None:
    """Write that a store asks; once a store, until somebody has answered."""
    await connection.execute(
        insert_if_new(connection, brakes).values(store=store, asks=asks, since=now)
    )


async def approved(connection: Connection, store: str, since: datetime) -> bool:
    """Whether somebody has let a store go on since then."""
    found = await connection.execute(
        select(brakes.c.id).where(brakes.c.store == store, brakes.c.approved_at >= since).limit(1)
    )
    return found.scalar_one_or_none() is not None


async def asking(connection: Connection) -> list[Braked]:
    """The stores that ask, the longest waiting first."""
    return [Braked(*row) for row in await connection.execute(_ASKING)]


async def approve(
    connection: Connection, store: str, *, by: str, because: str, now: datetime
) -> bool:
    """Let a store go on; who said so and why is kept. False: it does not ask.

    Batches that wait to be planned again are due at once.
    """
    approved = await connection.execute(
        update(brakes)
        .where(brakes.c.store == store, brakes.c.approved_at.is_(None))
        .values(approved_by=by, approved_because=because, approved_at=now)
    )
    if not approved.rowcount:
        return False
    await connection.execute(
        update(batches)
        .where(batches.c.planned_at.is_(None), batches.c.attempts > 0, batches.c.due_at > now)
        .values(due_at=now)
    )
    return True


_ASKING = (
    select(*(brakes.c[name] for name in Braked.__slots__))
    .where(brakes.c.approved_at.is_(None))
    .order_by(brakes.c.since)
)
