"""Questions about sweeps: asking for one, finding those that should go on, what operators decide.

What their runner asks stands in :mod:`worker.ledger.sweep_steps`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    and_,
    exists,
    func,
    or_,
    select,
    update,
)

from worker.core.lifecycle import SweepState
from worker.ledger import pauses
from worker.ledger.database import Connection
from worker.ledger.statements import insert_if_new
from worker.ledger.sweep_tables import sweeps

Counts = Mapping[str, Mapping[str, int]]
"""Rows per field group and result."""


@dataclass(frozen=True, slots=True)
class NewSweep:
    """A sweep that is asked for. ``source`` and ``event_id`` make asking twice harmless.

    ``trigger`` is ``event``, ``schedule`` or ``operator``; ``after`` the sweep that must have
    ended before this one begins.
    """

    store: str
    table: str | None
    ground: str | None
    policy: str
    as_of: date
    cutoffs: Mapping[str, date]
    trigger: str
    source: str
    event_id: str
    after: int | None = None


@dataclass(frozen=True, slots=True)
class Sweep:
    """A sweep as it stands in the ledger; see the columns of ``sweeps``."""

    id: int
    store: str
    table: str | None
    ground: str | None
    policy: str
    as_of: date
    cutoffs: Mapping[str, date]
    trigger: str
    source: str
    event_id: str
    after_id: int | None
    state: SweepState
    reason: Mapping[str, Any] | None
    asked_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    due_at: datetime
    epoch: int
    leg: int
    cursor: bytes | None
    span: bytes | None
    intent: bytes | None
    left_out: bytes | None
    key_id: str
    chunks: int
    receipts: int
    seconds: float
    counts: Counts
    estimate: Mapping[str, Any] | None
    approved_by: str | None
    approved_because: str | None
    approved_at: datetime | None
    proof: Mapping[str, Any] | None
    told_at: datetime | None

    @property
    def rows(self) -> int:
        """Rows erased or overwritten so far; one counts for each of its field groups."""
        return sum(rows for results in self.counts.values() for rows in results.values())


async def ask(connection: Connection, new: NewSweep, *, key_id: str, now: datetime) -> int | None:
    """Write a sweep that waits; None when the same source asked for it before."""
    row = {name: getattr(new, name) for name in NewSweep.__slots__ if name != "after"}
    asked = await connection.execute(
        insert_if_new(connection, sweeps)
        .values(
            **{**row, "cutoffs": {g: day.isoformat() for g, day in new.cutoffs.items()}},
            after_id=new.after,
            state=SweepState.WAITING.value,
            asked_at=now,
            due_at=now,
            key_id=key_id,
            counts={},
        )
        .returning(sweeps.c.id)
    )
    found = asked.scalar_one_or_none()
    return None if found is None else int(found)


async def read(connection: Connection, sweep_id: int, *, lock: bool = False) -> Sweep | None:
    """One sweep; with ``lock`` nobody else changes it until the transaction ends."""
    query = _QUERY.where(sweeps.c.id == sweep_id)
    row = (await connection.execute(query.with_for_update() if lock else query)).one_or_none()
    return None if row is None else sweep_of(row)


async def listed(
    connection: Connection,
    *,
    store: str | None = None,
    states: Collection[SweepState] = (),
    limit: int = 100,
) -> list[Sweep]:
    """Sweeps, the newest first: of one store, or in some states, or all."""
    conditions: list[ColumnElement[bool]] = []
    if store is not None:
        conditions.append(sweeps.c.store == store)
    if states:
        conditions.append(sweeps.c.state.in_(sorted(state.value for state in states)))
    rows = await connection.execute(
        _QUERY.where(*conditions).order_by(sweeps.c.id.desc()).limit(limit)
    )
    return [sweep_of(row) for row in rows]


async def failed(connection: Connection) -> list[Sweep]:
    """Sweeps that failed and that no later one of the same rule has made up for, newest first."""
    rule = sweeps.c.store, sweeps.c.table, sweeps.c.ground
    through = sweeps.c.state.in_([SweepState.DONE.value, SweepState.FAILED.value])
    newest = select(func.max(sweeps.c.id)).where(through).group_by(*rule)
    rows = await connection.execute(
        _QUERY.where(sweeps.c.id.in_(newest), sweeps.c.state == SweepState.FAILED.value).order_by(
            sweeps.c.id.desc()
        )
    )
    return [sweep_of(row) for row in rows]


async def due(connection: Connection, now: datetime, limit: int) -> list[tuple[str, int]]:
    """Sweeps that could go on and that nobody has moved in time: (store, id), oldest first.

    Those of a store that rests cannot.
    """
    rows = await connection.execute(
        select(sweeps.c.id, sweeps.c.store)
        .where(
            or_(
                sweeps.c.state == SweepState.CANCELLING.value,
                and_(
                    sweeps.c.state.in_([SweepState.WAITING.value, SweepState.RUNNING.value]),
                    first_ended(),
                ),
            ),
            sweeps.c.due_at <= now,
            ~pauses.rests(sweeps.c.store, also_draining=True),
        )
        .order_by(sweeps.c.due_at, sweeps.c.id)
        .limit(limit)
    )
    return [(row.store, row.id) for row in rows]


async def put_off(connection: Connection, sweep_id: int, due_at: datetime) -> None:
    """Let redrive look at a sweep again from then on, for the same reason as before."""
    await connection.execute(
        update(sweeps)
        .where(sweeps.c.id == sweep_id, sweeps.c.ended_at.is_(None))
        .values(due_at=due_at)
    )


async def postpone(
    connection: Connection,
    sweep_id: int,
    due_at: datetime,
    reason: Mapping[str, Any] | None = None,
) -> None:
    """Let a sweep that could go on wait until then; ``reason`` says for what.

    One that waits for somebody's word keeps its own reason.
    """
    await connection.execute(
        update(sweeps)
        .where(
            sweeps.c.id == sweep_id,
            sweeps.c.state.in_([SweepState.WAITING.value, SweepState.RUNNING.value]),
        )
        .values(state=SweepState.WAITING.value, due_at=due_at, reason=reason)
    )


async def move(
    connection: Connection,
    sweep_id: int,
    origins: Collection[SweepState],
    state: SweepState,
    *,
    now: datetime,
    reason: Mapping[str, Any] | None = None,
) -> bool:
    """Let an operator pause or resume a sweep. False: it stands in none of ``origins``."""
    moved = await connection.execute(
        update(sweeps)
        .where(
            sweeps.c.id == sweep_id,
            sweeps.c.state.in_(sorted(origin.value for origin in origins)),
        )
        .values(state=state.value, due_at=now, reason=reason)
    )
    return moved.rowcount == 1


async def approve(
    connection: Connection, sweep_id: int, *, by: str, because: str, now: datetime
) -> bool:
    """Let a braked sweep begin; who said so and why is kept. False: it asks for nothing."""
    approved = await connection.execute(
        update(sweeps)
        .where(sweeps.c.id == sweep_id, sweeps.c.state == SweepState.BRAKED.value)
        .values(
            state=SweepState.WAITING.value,
            reason=None,
            due_at=now,
            approved_by=by,
            approved_because=because,
            approved_at=now,
        )
    )
    return approved.rowcount == 1


async def untold(connection: Connection, before: datetime, limit: int) -> list[int]:
    """Sweeps that an event asked for and that ended before then, untold to it, oldest first."""
    rows = await connection.execute(
        select(sweeps.c.id)
        .where(sweeps.c.trigger == "event", sweeps.c.told_at.is_(None), sweeps.c.ended_at <= before)
        .order_by(sweeps.c.ended_at)
        .limit(limit)
    )
    return list(rows.scalars())


async def told(connection: Connection, sweep: Sweep, now: datetime) -> None:
    """Note that upstream was told the end of a sweep as it was read.

    Where another chunk was written down meanwhile, it is still to be told.
    """
    await connection.execute(
        update(sweeps)
        .where(sweeps.c.id == sweep.id, sweeps.c.chunks == sweep.chunks)
        .values(told_at=now)
    )


COLUMNS = tuple(sweeps.c[name] for name in Sweep.__slots__)
_QUERY = select(*COLUMNS)


def first_ended() -> ColumnElement[bool]:
    """Whether the sweep that must have ended before this one has."""
    first = sweeps.alias("first")
    standing = select(first.c.id).where(first.c.id == sweeps.c.after_id, first.c.ended_at.is_(None))
    return or_(sweeps.c.after_id.is_(None), ~exists(standing.correlate(sweeps)))


def sweep_of(row: Any) -> Sweep:
    """A row of :data:`COLUMNS` as a sweep."""
    fields = dict(zip(Sweep.__slots__, row, strict=True))
    fields["state"] = SweepState(fields["state"])
    fields["cutoffs"] = {g: date.fromisoformat(day) for g, day in fields["cutoffs"].items()}
    return Sweep(**fields)
