"""Asking for sweeps: an event, the schedule and an operator write the same row, and then its id.

The row in the ledger is the sweep; a message that is lost is published again by redrive.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from topics import names, writing
from worker.context import Context
from worker.ledger import sweeps
from worker.ledger.database import Connection
from worker.ledger.sweeps import NewSweep


@dataclass(frozen=True, slots=True)
class Wanted:
    """A sweep that somebody wants: which rule of which store, as of which day (None: today).

    ``trigger`` is ``event``, ``schedule`` or ``operator``; the same ``source`` and ``event_id``
    ask once. ``after`` is the sweep that must have ended before.
    """

    store: str
    trigger: str
    source: str
    event_id: str
    table: str | None = None
    ground: str | None = None
    as_of: date | None = None
    after: int | None = None


async def ask(context: Context, connection: Connection, wanted: Wanted) -> int | None:
    """Write a sweep that waits; None when it was asked for before. Then :func:`publish` its id."""
    as_of = wanted.as_of or context.day()
    return await sweeps.ask(
        connection,
        NewSweep(
            store=wanted.store,
            table=wanted.table,
            ground=wanted.ground,
            policy=context.policy.version,
            as_of=as_of,
            cutoffs=context.policy.cutoffs(wanted.store, as_of),
            trigger=wanted.trigger,
            source=wanted.source,
            event_id=wanted.event_id,
            after=wanted.after,
        ),
        key_id=context.sealer.current,
        now=context.now(),
    )


async def publish(context: Context, asked: Iterable[tuple[str, int]]) -> None:
    """Publish sweeps, store and id, for those who run them. Raises PublishFailed: redrive does."""
    for store, sweep_id in asked:
        await context.publisher.send(names.sweeps(store), [writing.sweep(sweep_id)])
