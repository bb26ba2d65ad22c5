"""Questions about what sweeps have done: how many people is usual, how fast, and for whom."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Protocol

from sqlalchemy import ColumnElement, LargeBinary, func, literal, select

from worker.core.lifecycle import SweepState
from worker.ledger.database import Connection
from worker.ledger.sweep_tables import sweep_receipts, sweeps


class Rule(Protocol):
    """What a sweep is about; a sweep itself is one."""

    @property
    def store(self) -> str:
        """The store that is swept."""
        ...

    @property
    def table(self) -> str | None:
        """The rule's table; None: every table."""
        ...

    @property
    def ground(self) -> str | None:
        """The rule's ground; None: every ground."""
        ...


async def usual_people(connection: Connection, sweep: Rule, last: int = 5) -> float | None:
    """People who lost data in the last sweeps like this one, on average; None: none before it.

    As each of them counted before it began: every person once.
    """
    alike = (
        select(sweeps.c.estimate)
        .where(
            sweeps.c.state == SweepState.DONE.value,
            sweeps.c.estimate.is_not(None),
            sweeps.c.store == sweep.store,
            sweeps.c.table.is_not_distinct_from(sweep.table),
            sweeps.c.ground.is_not_distinct_from(sweep.ground),
        )
        .order_by(sweeps.c.id.desc())
        .limit(last)
    )
    found = [estimate["people"] for estimate in (await connection.execute(alike)).scalars()]
    return sum(found) / len(found) if found else None


async def pace(connection: Connection, store: str, last: int = 5) -> float | None:
    """Rows a second that the last sweeps of a store erased while at work; None: none has yet."""
    rows = await connection.execute(
        select(sweeps.c.counts, sweeps.c.seconds)
        .where(sweeps.c.store == store, sweeps.c.seconds > 0, sweeps.c.receipts > 0)
        .order_by(sweeps.c.id.desc())
        .limit(last)
    )
    found = [(sum(n for g in row.counts.values() for n in g.values()), row.seconds) for row in rows]
    seconds = sum(s for _, s in found)
    return sum(n for n, _ in found) / seconds if seconds else None


async def receipts_of(connection: Connection, pseudonyms: Collection[bytes]) -> list[Any]:
    """Receipts of sweeps that name any of these people: (sweep, store, settled_at, outcomes)."""
    found: list[Any] = []
    for pseudonym in pseudonyms:
        if connection.dialect.name == "postgresql":
            at: ColumnElement[int] = func.position(
                literal(pseudonym, LargeBinary).op("IN")(sweep_receipts.c.people)
            )
        else:
            at = func.instr(sweep_receipts.c.people, pseudonym)
        rows = await connection.execute(
            select(
                sweep_receipts.c.sweep_id,
                sweeps.c.store,
                sweep_receipts.c.settled_at,
                sweep_receipts.c.outcomes,
            )
            .join(sweeps, sweeps.c.id == sweep_receipts.c.sweep_id)
            .where(at > 0)
            .order_by(sweep_receipts.c.id)
        )
        found += rows.all()
    return found
