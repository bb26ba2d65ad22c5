"""What a runner writes of its sweep into the ledger, fenced by the lease of the sweep's store."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from time import monotonic
from typing import Final

from connectors.base import Effects
from connectors.mapping import Key
from worker.context import Context
from worker.ledger import leases, sweep_steps
from worker.ledger.database import Connection
from worker.ledger.sweep_steps import Step, SweepReceipt
from worker.ledger.sweeps import Counts, Sweep
from worker.sweeping import marks
from worker.sweeping.marks import Begun
from worker.sweeping.people import any_apart

LEASE_TTL: Final = timedelta(seconds=30)
GRACE: Final = timedelta(minutes=2)
"""Redrive supposes after this that a sweep which moves nowhere has no runner."""


@dataclass(frozen=True, slots=True)
class Place:
    """How far a sweep is, and who must be left out from there on."""

    leg: int
    cursor: Key | None
    left_out: Mapping[Key, str]


@dataclass(frozen=True, slots=True)
class Settled:
    """What a chunk did, and how many seconds it took."""

    counts: Counts
    receipts: list[SweepReceipt]
    seconds: float


def lease_of(store: str) -> str:
    """Name of the lease without which nobody sweeps a store."""
    return f"sweep:{store}"


class SomebodyApart(Exception):
    """Somebody in the store may have to be left out: look who stands in a chunk before it."""


class Record:
    """Writes for one runner. Each answer tells whether the sweep is still his to move on."""

    def __init__(self, context: Context, sweep: Sweep, holder: str) -> None:
        self._context, self._sweep, self._holder = context, sweep, holder
        self._renewed = self.written = monotonic()

    async def settle(self, done: Settled, place: Place) -> bool:
        """Write down what a chunk did and where the sweep is after it."""
        async with self._context.ledger.begin() as connection:
            mine = await self._settle(connection, done, place)
        self._count(done)
        return mine

    async def intend(self, at: Begun, people: Iterable[Key], place: Place) -> bool:
        """Note a chunk before its effect, with whoever may lose data in it."""
        async with self._context.ledger.begin() as connection:
            noted = await self._intend(connection, at, people, place)
        return noted and self._in_time()

    async def go_on(self, done: Settled | None, at: Begun, effects: Effects, place: Place) -> bool:
        """Settle a chunk, and note the next one of which the effects are not committed yet.

        Raises SomebodyApart, with nothing written.
        """
        async with self._context.ledger.begin() as connection:
            if effects and await any_apart(connection):
                raise SomebodyApart
            mine = done is None or await self._settle(connection, done, place)
            if mine and effects:
                mine = await self._intend(connection, at, effects, place)
        if done is not None:
            self._count(done)
        return mine and self._in_time()

    async def _settle(self, connection: Connection, done: Settled, place: Place) -> bool:
        self.written = monotonic()
        sealer, sweep = self._context.sealer, self._sweep
        step = Step(
            leg=place.leg,
            cursor=marks.seal_cursor(sealer, sweep.id, place.cursor),
            left_out=marks.seal_left_out(sealer, sweep.id, place.left_out),
            key_id=sealer.current,
            counts=done.counts,
            seconds=done.seconds,
            receipts=done.receipts,
        )
        now = self._context.now()
        mine = await sweep_steps.step(
            connection, sweep.id, sweep.epoch, step, now, due_at=now + GRACE
        )
        return mine and await self._renew(connection)

    async def _intend(
        self, connection: Connection, at: Begun, people: Iterable[Key], place: Place
    ) -> bool:
        sealer, sweep = self._context.sealer, self._sweep
        return await self._renew(connection) and await sweep_steps.intend(
            connection,
            sweep.id,
            sweep.epoch,
            leg=place.leg,
            cursor=marks.seal_cursor(sealer, sweep.id, place.cursor),
            left_out=marks.seal_left_out(sealer, sweep.id, place.left_out),
            span=marks.seal_span(sealer, sweep.id, at.span, at.leg, at.aim),
            intent=marks.seal_intent(sealer, sweep.id, people),
            key_id=sealer.current,
            due_at=self._context.now() + GRACE,
        )

    def _count(self, done: Settled) -> None:
        rows = sum(n for results in done.counts.values() for n in results.values())
        self._context.metrics.swept_rows.labels(self._sweep.store).inc(rows)

    def _in_time(self) -> bool:
        """Who slept over the write may have lost the lease: the other begins with this chunk."""
        return monotonic() - self._renewed < LEASE_TTL.total_seconds() / 2

    async def _renew(self, connection: Connection) -> bool:
        """Keep the lease; False: another one has it."""
        if monotonic() - self._renewed < LEASE_TTL.total_seconds() / 5:
            return True
        begun = monotonic()
        epoch = await leases.take(
            connection,
            lease_of(self._sweep.store),
            self._holder,
            now=self._context.now(),
            ttl=LEASE_TTL,
        )
        self._renewed = begun
        return epoch == self._sweep.epoch
