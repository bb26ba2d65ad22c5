"""Questions about what waits: in each store, before planning, and until which day.

Counts only: no row here says whom it is about. They are asked every few seconds for as long as
somebody looks, so each statement is made once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import and_, bindparam, func, or_, select

from worker.core.lifecycle import STANDING, CaseState, SweepState
from worker.core.outcomes import NOT_GONE
from worker.ledger.batches import Lane
from worker.ledger.database import Connection
from worker.ledger.statements import Hot
from worker.ledger.sweep_tables import sweeps
from worker.ledger.tables import answers, batches, cases, commands
from worker.ledger.types import how_many


@dataclass(frozen=True, slots=True)
class InStore:
    """What one store has before it, on one lane. ``oldest`` is the oldest open command's moment."""

    store: str
    lane: Lane
    commands: int
    people: int
    oldest: datetime | None


@dataclass(frozen=True, slots=True)
class Unplanned:
    """People who are not looked up for good in a store yet."""

    store: str
    people: int
    oldest: datetime


@dataclass(frozen=True, slots=True)
class DueCases:
    """Standing cases of one deadline.

    ``asked_on`` is the earliest day of receipt among them; None: time asked, nobody.
    """

    due_on: date
    state: CaseState
    cases: int
    asked_on: date | None


@dataclass(frozen=True, slots=True)
class Flow:
    """People written into commands and people settled since a moment; settled since an earlier."""

    arrived: int = 0
    settled: int = 0
    settled_lately: int = 0


@dataclass(frozen=True, slots=True)
class StandingSweep:
    """A sweep that has not ended, without what it walks by; see the columns of ``sweeps``."""

    id: int
    store: str
    state: SweepState
    reason: Mapping[str, Any] | None
    counts: Mapping[str, Mapping[str, int]]
    estimate: Mapping[str, Any] | None
    chunks: int
    asked_at: datetime
    started_at: datetime | None
    due_at: datetime

    @property
    def rows(self) -> int:
        """Rows erased or overwritten so far; one counts for each of its field groups."""
        return sum(rows for results in self.counts.values() for rows in results.values())


async def in_stores(connection: Connection) -> list[InStore]:
    """Open commands by store and lane."""
    return [
        InStore(store, Lane(lane), commands, people, oldest)
        for store, lane, commands, people, oldest in await _IN_STORES.rows(connection)
    ]


async def dead(connection: Connection) -> dict[str, int]:
    """Dead letters by store."""
    return {store: int(count) for store, count in await _DEAD.rows(connection)}


async def found_again(connection: Connection) -> dict[str, int]:
    """Dead letters, by store, whose data were said to be erased and were found by the re-read."""
    return {store: int(count) for store, count in await connection.execute(_FOUND_AGAIN)}


async def flows(
    connection: Connection, since: datetime, lately: datetime
) -> dict[tuple[str, Lane], Flow]:
    """What came to each store and what it settled, by store and lane; ``lately`` is earlier."""
    found = {
        (store, Lane(lane)): Flow(0, settled or 0, in_all)
        for store, lane, settled, in_all in await _SETTLED.rows(
            connection, since=since, lately=lately
        )
    }
    for store, lane, arrived in await _ARRIVED.rows(connection, since=since):
        before = found.get((store, Lane(lane)), Flow())
        found[store, Lane(lane)] = replace(before, arrived=arrived)
    return found


async def unplanned(connection: Connection) -> list[Unplanned]:
    """People not looked up for good, by store. One who waits for two stores counts for both."""
    found: dict[str, Unplanned] = {}
    for row in await connection.execute(_UNPLANNED):
        for store in row.stores:
            before = found.get(store, Unplanned(store, 0, row.oldest))
            found[store] = Unplanned(
                store, before.people + row.people, min(before.oldest, row.oldest)
            )
    return [found[store] for store in sorted(found)]


async def unstopped(connection: Connection) -> tuple[int, datetime | None]:
    """Cases whose stop is not known to be published, and the earliest of their events."""
    ((count, oldest),) = await _UNSTOPPED.rows(connection)
    return count, oldest


async def untold(connection: Connection) -> int:
    """Settled transactions of which the outside is not known to have been told."""
    ((count,),) = await _UNTOLD.rows(connection)
    return int(count)


async def by_deadline(connection: Connection) -> list[DueCases]:
    """Standing cases by deadline and state, the nearest deadline first."""
    return [
        DueCases(due_on, CaseState(state), count, asked_on)
        for due_on, state, count, asked_on in await _BY_DEADLINE.rows(connection)
    ]


async def standing_sweeps(connection: Connection) -> list[StandingSweep]:
    """Sweeps that have not ended, the oldest first."""
    return [
        StandingSweep(sweep_id, store, SweepState(state), *rest)
        for sweep_id, store, state, *rest in await connection.execute(_STANDING_SWEEPS)
    ]


async def skew(connection: Connection, now: datetime) -> timedelta:
    """How far ``now`` is ahead of the ledger's own clock; nothing where they are one machine's."""
    if connection.dialect.name != "postgresql":
        return timedelta()
    ((theirs,),) = await _CLOCK.rows(connection)
    return now - theirs  # type: ignore[no-any-return] # a row may hold anything


_PEOPLE = func.sum(how_many(commands.c.case_ids))
_STORE_AND_LANE = commands.c.store, commands.c.lane
_IN_STORES = Hot(
    lambda _: (
        select(*_STORE_AND_LANE, func.count(), _PEOPLE, func.min(commands.c.created_at))
        .where(commands.c.state == "open")
        .group_by(*_STORE_AND_LANE)
    )
)
_DEAD = Hot(
    lambda _: (
        select(commands.c.store, func.count())
        .where(commands.c.state == "dead")
        .group_by(commands.c.store)
    )
)
_FOUND_AGAIN = (
    select(commands.c.store, func.count())
    .where(commands.c.state == "dead", commands.c.fault.startswith(NOT_GONE))
    .group_by(commands.c.store)
)
_ARRIVED = Hot(
    lambda _: (
        select(*_STORE_AND_LANE, _PEOPLE)
        .where(commands.c.created_at >= bindparam("since"))
        .group_by(*_STORE_AND_LANE)
    )
)
_SETTLED = Hot(
    lambda _: (
        select(
            *_STORE_AND_LANE,
            _PEOPLE.filter(commands.c.settled_at >= bindparam("since")),
            _PEOPLE,
        )
        .where(commands.c.state == "settled", commands.c.settled_at >= bindparam("lately"))
        .group_by(*_STORE_AND_LANE)
    )
)
# The stores are a list in JSON, which the driver alone does not read.
_UNPLANNED = (
    select(
        batches.c.stores_left.label("stores"),
        func.count(cases.c.id).label("people"),
        func.min(batches.c.created_at).label("oldest"),
    )
    .join(cases, and_(cases.c.batch_id == batches.c.id, cases.c.state == CaseState.OPEN.value))
    .where(batches.c.planned_at.is_(None))
    .group_by(batches.c.stores_left)
)
_UNSTOPPED = Hot(
    lambda _: (
        select(func.count(), func.min(cases.c.event_time))
        .join(batches, batches.c.id == cases.c.batch_id)
        .where(batches.c.stopped_at.is_(None))
    )
)
_UNTOLD = Hot(
    lambda _: select(func.count()).select_from(answers).where(answers.c.published_at.is_(None))
)
_BY_DEADLINE = Hot(
    lambda _: (
        select(cases.c.due_on, cases.c.state, func.count(), func.min(cases.c.asked_on))
        .where(or_(*(cases.c.state == state.value for state in sorted(STANDING))))
        .group_by(cases.c.due_on, cases.c.state)
        .order_by(cases.c.due_on, cases.c.state)
    )
)
_STANDING_SWEEPS = (
    select(*(sweeps.c[name] for name in StandingSweep.__slots__))
    .where(sweeps.c.ended_at.is_(None))
    .order_by(sweeps.c.id)
)
_CLOCK = Hot(lambda _: select(func.clock_timestamp()))
