"""The runner of one sweep: where it is, what it does next, and what it writes down of it.

A sweep's legs are counted through: those of the first walk, then those of one pass more after the
other, until the count before a pass finds nothing. A row that moved past the walk, or became due
behind it, is met there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic
from typing import Any, Final

from connectors.faults import Misfit, Refused
from connectors.mapping import Key, Shape
from connectors.sweeping import Span, Walk
from worker.context import Context
from worker.core.legs import Aim, Leg, again, legs, visited
from worker.core.lifecycle import SweepState
from worker.ledger import leases, sweep_steps, sweeps
from worker.ledger.database import Connection
from worker.ledger.sweep_steps import Step, SweepReceipt
from worker.ledger.sweeps import Sweep
from worker.sweeping import ending, marks
from worker.sweeping.marks import Begun
from worker.sweeping.pace import NO_PRESSURE, Pace
from worker.sweeping.partitions import Partitions
from worker.sweeping.people import left_out, pseudonyms, shapes
from worker.sweeping.settling import interrupted, still_there
from worker.sweeping.work import Chunk, Result

LEASE_TTL: Final = timedelta(seconds=30)
GRACE: Final = timedelta(minutes=2)
"""Redrive supposes after this that a sweep which moves nowhere has no runner."""
PASSES: Final = 5
"""Times that a sweep counts what is left before it gives up."""
LOOK_SECONDS = 1.0
"""How often a sweep looks what its store has to bear."""
_SECONDS_UNWRITTEN: Final = 2.0
"""How long the ledger need not know of chunks in which nothing was found."""


@dataclass(frozen=True, slots=True)
class _Found:
    """What a chunk holds: the people, who of them is left out, the others by their shape."""

    keys: list[Key]
    out: dict[Key, str]
    by_shape: Mapping[Shape, list[Key]]

    @property
    def going(self) -> list[Key]:
        """The people who may lose something."""
        return [key for keys in self.by_shape.values() for key in keys]


def lease_of(store: str) -> str:
    """Name of the lease without which nobody sweeps a store."""
    return f"sweep:{store}"


class Runner:
    """Runs a sweep that was begun under this holder's lease. Raises what a connector may."""

    def __init__(self, context: Context, sweep: Sweep, holder: str) -> None:
        self.store = sweep.store
        self._context, self._sweep, self._holder = context, sweep, holder
        connector = context.connectors[sweep.store]
        self._connector = connector
        self._tables = visited(connector.mapping, sweep.table, sweep.ground)
        self._first = legs(connector.mapping, sweep.table, sweep.ground)
        self._more = again(connector.mapping, sweep.table, sweep.ground)
        self._work = Chunk(context, sweep.store, sweep.cutoffs)
        self._partitions = Partitions(connector.sweeping, sweep.cutoffs, self._work)
        self._pace = Pace(context.policy.stores[sweep.store].sweep.rows_per_second)
        self._leg = sweep.leg
        self._cursor: Key | None = marks.open_cursor(context.sealer, sweep)
        self._left_out = marks.open_left_out(context.sealer, sweep)
        self._pending = marks.open_span(context.sealer, sweep)
        """The chunk that was under way when its runner died, with whoever stood in it."""
        self._renewed = self._looked = self._written = monotonic()
        self._rested = 0.0

    async def chunk(self) -> bool:
        """Do the next chunk; False: the sweep is over, or somebody else moves it now."""
        if self._pending is None and self._between_passes() and await self._ended():
            return False
        begun = monotonic()
        at = self._pending or await self._next()
        span, aim, missing = at.span, at.aim, at.people
        found = await self._look(aim, span)
        looked = monotonic() - begun
        result = Result()
        if found.going or missing:
            intent = pseudonyms(self._context.sealer, self.store, found.going)
            if not await self._intend(at, intent + b"".join(sorted(missing))):
                return False
            if found.going:
                result = await self._do(aim, span, found)
        self._left_out |= found.out | result.apart
        seconds = monotonic() - begun
        counts = result.counts()
        # A partition that is dropped is no work row by row.
        rows = sum(rows for results in counts.values() for rows in results.values())
        erased = 0 if span.by is Walk.PARTITION else rows
        self._pace.took(span.by, max(looked, result.slowest), erased)
        self._rested = self._pace.rest(seconds, erased)
        self._move_on(at)
        receipts = result.receipts(self._context, self.store)
        if missing:
            here = await self._here(aim, found, result)
            receipts += interrupted(self._context.sealer, self._connector.mapping, at, here)
        return await self._step(counts, receipts, seconds, due=bool(found.keys) or bool(missing))

    async def rest(self) -> float:
        """Seconds to rest before the next chunk; looks now and then what the store has to bear."""
        if monotonic() - self._looked >= LOOK_SECONDS:
            self._looked = monotonic()
            try:
                self._pace.pressure = await self._connector.sweeping.pressure()
            except (Refused, Misfit):
                self._pace.pressure = NO_PRESSURE  # Its login may not see what others do there.
        return self._rested

    async def wait_until(self, at: datetime, reason: Mapping[str, Any]) -> None:
        """Leave the sweep where it is until then."""
        await self._step({}, [], 0.0, due=True)
        async with self._context.ledger.begin() as connection:
            await sweeps.postpone(connection, self._sweep.id, at, reason)

    async def _next(self) -> Begun:
        """The chunk that follows where the sweep is."""
        leg = self._leg_at(self._leg)
        if leg.aim is Aim.ROWS and self._cursor is None:
            whole = await self._partitions.next(self._leg, leg.table)
            if whole is not None:
                return Begun(whole, self._leg, leg.aim, frozenset())
        first_walk = leg.aim is Aim.ROWS and self._leg < len(self._first)
        by = await self._connector.sweeping.walk(leg.table) if first_walk else Walk.KEYS
        size = self._pace.next_size(by)
        span = await self._connector.sweeping.span(leg.table, by, self._cursor, size)
        return Begun(span, self._leg, leg.aim, frozenset())

    def _leg_at(self, number: int) -> Leg:
        """A leg by its number."""
        if number < len(self._first):
            return self._first[number]
        return self._more[(number - len(self._first)) % len(self._more)]

    def _between_passes(self) -> bool:
        passed = self._leg - len(self._first)
        return self._cursor is None and passed >= 0 and passed % len(self._more) == 0

    def _move_on(self, done: Begun) -> None:
        self._pending = None
        if done.span.by is Walk.PARTITION:
            return  # The table is still to be walked, from its beginning.
        if (done.leg, done.span.after) != (self._leg, self._cursor):
            return  # Another policy came between: the sweep has begun again.
        self._cursor = done.span.upto
        if self._cursor is None:
            self._leg += 1

    async def _look(self, aim: Aim, span: Span) -> _Found:
        """Find who stands in a chunk, and what is known of them beside the rows."""
        if span.table not in self._tables:
            return _Found([], {}, {})  # By the policy that came between there is nothing to do.
        sweeping, cutoffs = self._connector.sweeping, self._sweep.cutoffs
        look = sweeping.doubtful if aim is Aim.CONSENTS else sweeping.due
        keys = list(await look(span, cutoffs))
        out = await left_out(self._context, self.store, keys)
        rest = [key for key in keys if key not in out]
        by_shape: Mapping[Shape, list[Key]] = {self._work.whole: rest} if rest else {}
        if aim is Aim.CONSENTS and rest:
            by_shape, doubtful = await shapes(self._context, self.store, rest)
            by_shape = await self._work.to_do(by_shape)
            # Who is left out must have something that is due: of the others nobody knows it.
            out = {k: why for k, why in out.items() if k in self._left_out} | doubtful
        return _Found(keys, out, by_shape)

    async def _do(self, aim: Aim, span: Span, found: _Found) -> Result:
        if span.by is Walk.PARTITION:
            if found.out or not self._left_out.keys().isdisjoint(found.keys):
                return Result()  # Somebody's rows must stay: the others' go one by one.
            return await self._partitions.drop(span, found.keys)
        if aim is Aim.ROWS:
            return await self._work.rows(span, found.keys, list(found.out))
        return await self._work.people(found.by_shape)

    async def _here(self, aim: Aim, found: _Found, result: Result) -> set[Key]:
        """Who of a chunk that was cut short is known not to have lost anything to that."""
        here = {*result.outcomes, *result.apart}
        if aim is not Aim.CONSENTS:
            return here | set(found.keys)
        going = set(found.going)
        others = [key for key in found.keys if key not in going]
        return here | await still_there(self._context, self._work, self.store, aim, others)

    async def _intend(self, at: Begun, intent: bytes) -> bool:
        """Note the chunk before its effect; False: this runner must not touch the store."""
        async with self._context.ledger.begin() as connection:
            if not await self._renew(connection):
                return False
            noted = await sweep_steps.intend(
                connection,
                self._sweep.id,
                self._sweep.epoch,
                span=marks.seal_span(self._context.sealer, self._sweep.id, at.span, at.leg, at.aim),
                intent=intent,
                key_id=self._context.sealer.current,
                due_at=self._context.now() + GRACE,
            )
        # Who slept since then may have lost the lease: the other one begins with this chunk.
        return noted and monotonic() - self._renewed < LEASE_TTL.total_seconds() / 2

    async def _step(
        self,
        counts: Mapping[str, Mapping[str, int]],
        receipts: list[SweepReceipt],
        seconds: float,
        *,
        due: bool,
    ) -> bool:
        """Write down what was done and where the sweep is; nothing found can wait a little."""
        if not due and monotonic() - self._written < _SECONDS_UNWRITTEN:
            return True
        self._written = monotonic()
        sealer = self._context.sealer
        step = Step(
            leg=self._leg,
            cursor=marks.seal_cursor(sealer, self._sweep.id, self._cursor),
            left_out=marks.seal_left_out(sealer, self._sweep.id, self._left_out),
            key_id=sealer.current,
            counts=counts,
            seconds=seconds,
            receipts=receipts,
        )
        async with self._context.ledger.begin() as connection:
            now = self._context.now()
            mine = await sweep_steps.step(
                connection, self._sweep.id, self._sweep.epoch, step, now, due_at=now + GRACE
            )
            return mine and await self._renew(connection)

    async def _renew(self, connection: Connection) -> bool:
        """Keep the lease; False: another one has it."""
        if monotonic() - self._renewed < LEASE_TTL.total_seconds() / 5:
            return True
        begun = monotonic()
        epoch = await leases.take(
            connection,
            lease_of(self.store),
            self._holder,
            now=self._context.now(),
            ttl=LEASE_TTL,
        )
        self._renewed = begun
        return epoch == self._sweep.epoch

    async def _ended(self) -> bool:
        """Count what is left; with nothing the sweep is done, and this count is its proof."""
        left = await ending.look(
            self._context,
            self._work,
            self.store,
            self._tables,
            self._sweep.cutoffs,
            self._left_out,
        )
        passed = (self._leg - len(self._first)) // len(self._more)
        # Of whom the store would not let go, no other pass is to be hoped for.
        if left.others and passed < PASSES:
            return False
        now = self._context.now()
        async with self._context.ledger.begin() as connection:
            await sweep_steps.end(
                connection,
                self._sweep.id,
                self._sweep.epoch,
                SweepState.DONE if left.reason is None else SweepState.FAILED,
                now,
                proof=left.proof(now),
                reason=left.reason,
            )
        return True
