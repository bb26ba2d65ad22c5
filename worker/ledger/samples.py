"""Questions about samples: how each store's lag went over the last day, one row a minute."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import (
    BigInteger,
    Integer,
    bindparam,
    cast,
    delete,
    extract,
    func,
    literal_column,
    select,
)

from worker.ledger.database import Connection
from worker.ledger.observing_tables import samples
from worker.ledger.statements import Hot, insert_if_new

KEPT: Final = timedelta(hours=24)
EVERY: Final = timedelta(minutes=1)
PART: Final = timedelta(minutes=10)
"""A day is shown in parts: the ledger adds them up, and a reader has a tenth of the rows."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One store in one minute. ``oldest`` is in seconds, None without an open command."""

    at: datetime
    store: str
    lag: int
    oldest: float | None
    dead: int
    away: bool


@dataclass(frozen=True, slots=True)
class Part:
    """Ten minutes of a store: the most people that waited, and how many of the minutes it was away.

    ``minutes`` are those of which there are samples.
    """

    at: datetime
    lag: int
    away: int
    minutes: int


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


async def by_part(connection: Connection, begin: datetime) -> dict[str, list[Part]]:
    """The samples from then on, added up by store and :data:`PART`, the oldest first."""
    found: dict[str, list[Part]] = {}
    for store, number, lag, away, minutes in await _BY_PART.rows(connection, begin=begin):
        at = datetime.fromtimestamp(number * PART.total_seconds(), UTC)
        found.setdefault(store, []).append(Part(at, lag, away, minutes))
    return found


_SECONDS = literal_column(f"{PART.total_seconds():.0f}", Integer)
_NUMBER = cast(extract("epoch", samples.c.at), BigInteger) // _SECONDS
_BY_PART = Hot(
    lambda _: (
        select(
            samples.c.store,
            _NUMBER,
            func.max(samples.c.lag),
            func.sum(samples.c.away),
            func.count(),
        )
        .where(samples.c.at >= bindparam("begin"))
        .group_by(samples.c.store, _NUMBER)
        .order_by(samples.c.store, _NUMBER)
    )
)
