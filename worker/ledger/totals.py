"""Questions about how much there is of everything and what went wrong last: words and counts.

Nothing here names an event, a case, a person or whoever decided something.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, func, select, text

from worker.ledger.database import Connection
from worker.ledger.operating_tables import paused_stores
from worker.ledger.sweep_tables import brakes, sweeps
from worker.ledger.tables import answers, batches, cases, commands, holds, leases, obligations
from worker.ledger.tables import policies as versions
from worker.ledger.types import how_many

Line = Mapping[str, Any]

LAST = 20
"""Of what is many only the last are shown."""


async def server(connection: Connection) -> str:
    """The version of the ledger's server."""
    postgresql = connection.dialect.name == "postgresql"
    query = "SHOW server_version" if postgresql else "SELECT sqlite_version()"
    return str((await connection.execute(text(query))).scalar_one())


async def commands_standing(connection: Connection) -> list[Line]:
    """Commands that nobody has settled, by store, lane and state."""
    return await _lines(
        connection,
        select(
            commands.c.store,
            commands.c.lane,
            commands.c.kind,
            commands.c.state,
            func.count().label("commands"),
            func.sum(how_many(commands.c.case_ids)).label("people"),
            func.min(commands.c.created_at).label("oldest"),
            func.max(commands.c.attempts).label("most_attempts"),
            func.max(commands.c.drives).label("most_drives"),
        )
        .where(commands.c.state != "settled")
        .group_by(commands.c.store, commands.c.lane, commands.c.kind, commands.c.state)
        .order_by(commands.c.store, commands.c.lane),
    )


async def faults(connection: Connection) -> list[Line]:
    """What stores answered last to commands that are not settled: code and hint, never a value."""
    last = func.max(commands.c.attempted_at).label("last")
    return await _lines(
        connection,
        select(commands.c.store, commands.c.state, commands.c.fault, func.count().label("n"), last)
        .where(commands.c.state != "settled", commands.c.fault.is_not(None))
        .group_by(commands.c.store, commands.c.state, commands.c.fault)
        .order_by(last.desc())
        .limit(LAST),
    )


async def cases_standing(connection: Connection) -> list[Line]:
    """Cases by state, and of those that have not ended the nearest deadline."""
    return await _lines(
        connection,
        select(
            cases.c.state,
            func.count().label("cases"),
            func.min(cases.c.due_on).label("nearest_deadline"),
        )
        .where(cases.c.closed_at.is_(None))
        .group_by(cases.c.state)
        .order_by(cases.c.state),
    )


async def reasons(connection: Connection) -> dict[str, int]:
    """Why cases that have not ended wait: how many for each word."""
    rows = await connection.execute(
        select(cases.c.state, cases.c.reason)
        .where(cases.c.state.in_(["parked", "held"]))
        .limit(10_000)
    )
    return dict(Counter(f"{row.state}: {(row.reason or {}).get('why')}" for row in rows))


async def batches_waiting(connection: Connection) -> list[Line]:
    """Batches that are not planned or whose stop was not published, by the stores they wait for."""
    rows = await connection.execute(
        select(batches.c.stores_left, batches.c.stopped_at, batches.c.attempts)
        .where(batches.c.planned_at.is_(None) | batches.c.stopped_at.is_(None))
        .limit(10_000)
    )
    found = Counter(
        (", ".join(row.stores_left), row.stopped_at is not None, row.attempts) for row in rows
    )
    return [
        {"stores_left": stores, "stop_published": stopped, "attempts": attempts, "batches": n}
        for (stores, stopped, attempts), n in sorted(found.items())
    ]


async def last_sweeps(connection: Connection) -> list[Line]:
    """The last sweeps: where they stand and what holds them."""
    columns = (
        sweeps.c.id, sweeps.c.store, sweeps.c.table, sweeps.c.ground, sweeps.c.policy,
        sweeps.c.trigger, sweeps.c.state, sweeps.c.asked_at, sweeps.c.started_at, sweeps.c.ended_at,
        sweeps.c.chunks, sweeps.c.receipts, sweeps.c.seconds, sweeps.c.counts, sweeps.c.reason,
    )  # fmt: skip
    found = await _lines(connection, select(*columns).order_by(sweeps.c.id.desc()).limit(LAST))
    # What somebody said stays here; what the worker says goes.
    return [
        {**line, "reason": {k: v for k, v in (line["reason"] or {}).items() if k in _OWN}}
        for line in found
    ]


async def others(connection: Connection) -> dict[str, Any]:
    """Counts of the rest, pauses and leases, and the policies that were taken up."""
    asking = select(brakes.c.store, brakes.c.since).where(brakes.c.approved_at.is_(None))
    resting = select(
        paused_stores.c.store, paused_stores.c.paused_at, paused_stores.c.draining
    ).where(paused_stores.c.resumed_at.is_(None))
    # A lease's holder is a machine's name, and that may be somebody's.
    held = select(leases.c.name, leases.c.epoch, leases.c.expires_at).order_by(leases.c.name)
    taken_up = select(versions.c.version, versions.c.digest, versions.c.taken_up_at)
    return {
        "answers_unpublished": await _count(connection, answers.c.published_at.is_(None)),
        "holds_standing": await _count(connection, holds.c.released_at.is_(None)),
        "obligations_ahead": await _count(connection, obligations.c.batch_id.is_(None)),
        "stores_that_ask": await _lines(connection, asking),
        "stores_paused": await _lines(connection, resting),
        "leases": await _lines(connection, held),
        "policies": await _lines(
            connection, taken_up.order_by(versions.c.taken_up_at.desc()).limit(LAST)
        ),
    }


_OWN = ("why", "until", "rows", "apart", "would", "of", "usual", "limit")


async def _lines(connection: Connection, query: Any) -> list[Line]:
    return [dict(row._mapping) for row in await connection.execute(query)]


async def _count(connection: Connection, condition: ColumnElement[bool]) -> int:
    found = await connection.execute(select(func.count()).where(condition))
    return int(found.scalar_one())
