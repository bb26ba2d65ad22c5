"""Questions about what waits: in each store, before planning, and until which day.

Counts only: no row here says whom it is about.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Integer, and_, func, or_, select

from worker.core.lifecycle import STANDING, SWEEP_ENDED, CaseState
from worker.ledger.batches import Lane
from worker.ledger.database import Connection
from worker.ledger.sweep_tables import sweeps
from worker.ledger.sweeps import COLUMNS, Sweep, sweep_of
from worker.ledger.tables import answers, batches, cases, commands


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
    """People written into commands, and people settled, since a moment."""

    arrived: int = 0
    settled: int = 0


async def in_stores(connection: Connection) -> list[InStore]:
    """Open commands by store and lane."""
    rows = await connection.execute(
        select(
            commands.c.store,
            commands.c.lane,
            func.count().label("commands"),
            func.sum(_people(connection)).label("people"),
            func.min(commands.c.created_at).label("oldest"),
        )
        .where(commands.c.state == "open")
        .group_by(commands.c.store, commands.c.lane)
    )
    return [
        InStore(row.store, Lane(row.lane), row.commands, int(row.people or 0), row.oldest)
        for row in rows
    ]


async def dead(connection: Connection) -> dict[str, int]:
    """Dead letters by store."""
    rows = await connection.execute(
        select(commands.c.store, func.count())
        .where(commands.c.state == "dead")
        .group_by(commands.c.store)
    )
    return {store: int(count) for store, count in rows}


async def flows(connection: Connection, since: datetime) -> dict[tuple[str, Lane], Flow]:
    """What came to each store and what it settled, by store and lane."""
    people = _people(connection)
    arrived = await _sums(connection, people, commands.c.created_at >= since)
    settled = await _sums(
        connection, people, and_(commands.c.state == "settled", commands.c.settled_at >= since)
    )
    return {
        key: Flow(arrived.get(key, 0), settled.get(key, 0))
        for key in arrived.keys() | settled.keys()
    }


async def unplanned(connection: Connection) -> list[Unplanned]:
    """People not looked up for good, by store. One who waits for two stores counts for both."""
    left = batches.c.stores_left
    rows = await connection.execute(
        select(
            left.label("stores"),
            func.count(cases.c.id).label("people"),
            func.min(batches.c.created_at).label("oldest"),
        )
        .join(cases, and_(cases.c.batch_id == batches.c.id, cases.c.state == CaseState.OPEN.value))
        .where(batches.c.planned_at.is_(None))
        .group_by(left)
    )
    found: dict[str, Unplanned] = {}
    for row in rows:
        for store in row.stores:
            before = found.get(store, Unplanned(store, 0, row.oldest))
            found[store] = Unplanned(
                store, before.people + row.people, min(before.oldest, row.oldest)
            )
    return [found[store] for store in sorted(found)]


async def unstopped(connection: Connection) -> tuple[int, datetime | None]:
    """Cases whose stop is not known to be published, and the earliest of their events."""
    found = await connection.execute(
        select(func.count(), func.min(cases.c.event_time))
        .join(batches, batches.c.id == cases.c.batch_id)
        .where(batches.c.stopped_at.is_(None))
    )
    count, oldest = found.one()
    return int(count), oldest


async def untold(connection: Connection) -> int:
    """Settled transactions of which the outside is not known to have been told."""
    found = await connection.execute(
        select(func.count()).select_from(answers).where(answers.c.published_at.is_(None))
    )
    return int(found.scalar_one())


async def by_deadline(connection: Connection) -> list[DueCases]:
    """Standing cases by deadline and state, the nearest deadline first."""
    rows = await connection.execute(
        select(
            cases.c.due_on,
            cases.c.state,
            func.count().label("cases"),
            func.min(cases.c.asked_on).label("asked_on"),
        )
        .where(or_(*(cases.c.state == state.value for state in sorted(STANDING))))
        .group_by(cases.c.due_on, cases.c.state)
        .order_by(cases.c.due_on, cases.c.state)
    )
    return [DueCases(row.due_on, CaseState(row.state), row.cases, row.asked_on) for row in rows]


async def standing_sweeps(connection: Connection) -> list[Sweep]:
    """Sweeps that have not ended, the oldest first."""
    rows = await connection.execute(
        select(*COLUMNS)
        .where(sweeps.c.state.notin_(sorted(state.value for state in SWEEP_ENDED)))
        .order_by(sweeps.c.id)
    )
    return [sweep_of(row) for row in rows]


async def skew(connection: Connection, now: datetime) -> timedelta:
    """How far ``now`` is ahead of the ledger's own clock; nothing where they are one machine's."""
    if connection.dialect.name != "postgresql":
        return timedelta()
    theirs: datetime = (await connection.execute(select(func.clock_timestamp()))).scalar_one()
    return now - theirs


async def _sums(
    connection: Connection, people: ColumnElement[int], condition: ColumnElement[bool]
) -> dict[tuple[str, Lane], int]:
    rows = await connection.execute(
        select(commands.c.store, commands.c.lane, func.sum(people).label("people"))
        .where(condition)
        .group_by(commands.c.store, commands.c.lane)
    )
    return {(row.store, Lane(row.lane)): int(row.people) for row in rows}


def _people(connection: Connection) -> ColumnElement[Any]:
    count = func.cardinality if connection.dialect.name == "postgresql" else func.json_array_length
    return count(commands.c.case_ids, type_=Integer)
