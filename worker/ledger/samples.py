"""Questions about samples: how each store's lag went over the last day, one row a minute."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, select

from worker.ledger.database import Connection, insert_if_new
from worker.ledger.observing_tables import samples

KEPT: Final = timedelta(hours=24)
EVERY: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Sample:
    """One store in one minute. ``oldest`` is in seconds, None without an open command."""

    at: datetime
    store: str
    lag: int
    oldest: float | None
    dead: int
    away: bool


def minute_of(now: datetime) -> datetime:
    """The whole minute that a moment lies in."""
    return now.replace(second=0, microsecond=0)


async def taken(connection: Connection, at: datetime) -> bool:
    """Whether some worker has taken the samples of a minute."""
    found = await connection.execute(select(samples.c.store).where(samples.c.at == at).limit(1))
    return found.one_or_none() is not None


async def add(connection: Connection, new: Sequence[Sample]) -> None:
    """Write samples, and drop those that are older than a day; what is there stays."""
    for one in new:
        row = {name: getattr(one, name) for name in Sample.__slots__}
        row["away"] = int(one.away)
        await connection.execute(insert_if_new(connection, samples).values(**row))
    if new:
        oldest = max(one.at for one in new) - KEPT
        await connection.execute(delete(samples).where(samples.c.at < oldest))


async def since(connection: Connection, begin: datetime) -> dict[str, list[Sample]]:
    """The samples from then on, by store, the oldest first."""
    rows = await connection.execute(
        select(*(samples.c[name] for name in Sample.__slots__))
        .where(samples.c.at >= begin)
        .order_by(samples.c.store, samples.c.at)
    )
    found: dict[str, list[Sample]] = {}
    for row in rows:
        one = Sample(**{**row._asdict(), "away": bool(row.away)})
        found.setdefault(one.store, []).append(one)
    return found
