"""The runner of one sweep: it does one chunk after the other, and counts what is left at the end.

A chunk goes one of two ways. Where nobody is known who must be left out, it is erased first and who
stood in it is noted before the commit; so the next one can be erased meanwhile. Elsewhere it is
looked first who stands in it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime
from time import monotonic
from typing import Any, Final

from connectors.base import Effects
from connectors.faults import Misfit, Refused
from connectors.sweeping import Span, Walk
from worker.context import Context
from worker.core.legs import Aim, visited
from worker.core.lifecycle import SweepState
from worker.ledger import sweep_steps, sweeps
from worker.ledger.sweeps import Sweep
from worker.sweeping import ending, marks
from worker.sweeping.ahead import Ahead
from worker.sweeping.attempt import Attempt
from worker.sweeping.looking import Looking
from worker.sweeping.marks import Begun
from worker.sweeping.pace import NO_PRESSURE, Pace
from worker.sweeping.partitions import Partitions
from worker.sweeping.record import Place, Record, Settled, SomebodyApart
from worker.sweeping.settling import interrupted
from worker.sweeping.way import Way
from worker.sweeping.work import Chunk, Result, rows_of

PASSES: Final = 5
"""Times that a sweep counts what is left before it gives up."""
LOOK_SECONDS = 1.0
"""How often a sweep looks what its store has to bear."""
_SECONDS_UNWRITTEN: Final = 2.0
"""How long the ledger need not know of chunks in which nothing was found."""
_NOTHING: Final = Settled({}, [], 0.0)


async def _known(at: Begun) -> Begun:
    """A chunk that is found already."""
    return at


class Runner:
    """Runs a sweep that was begun under this holder's lease. Raises what a connector may."""

    def __init__(self, context: Context, sweep: Sweep, holder: str) -> None:
        self.store = sweep.store
        self._context, self._sweep = context, sweep
        connector = context.connectors[sweep.store]
        self._connector = connector
        self._tables = visited(connector.mapping, sweep.table, sweep.ground)
        self._work = Chunk(context, sweep.store, sweep.cutoffs)
        self._partitions = Partitions(connector.sweeping, sweep.cutoffs, self._work)
        self._looking = Looking(context, sweep, self._tables, self._work, self._partitions)
        self._pace = Pace(context.policy.stores[sweep.store].sweep.rows_per_second)
        self._record = Record(context, sweep, holder)
        self._way = Way(
            connector.mapping,
            sweep.table,
            sweep.ground,
            sweep.cutoffs,
            leg=sweep.leg,
            cursor=marks.open_cursor(context.sealer, sweep),
        )
        self._left_out = marks.open_left_out(context.sealer, sweep)
        self._pending = marks.open_span(context.sealer, sweep)
        """The chunk that was under way when its runner died, with whoever stood in it."""
        self._behind: asyncio.Task[Settled] | None = None
        """The chunk that was erased last, while it is read again."""
        self._ahead = Ahead(connector.sweeping, sweep.cutoffs, self._pace)
        self._looked, self._counted = 0.0, monotonic()
        self._rested = 0.0

    async def chunk(self) -> bool:
        """Do the next chunk; False: the sweep is over, or somebody else moves it now."""
        if self._pending is None and self._way.between_passes:
            if not await self.settled():
                return False
            if await self._ended():
                return False
        attempt = self._ahead.take()
        if attempt is None:
            at = self._pending or await self._next()
            if not await self._can_erase_first(at):
                return await self.settled() and await self._look_first(at)
            attempt = self._ahead.erasing(_known(at))
        try:
            return await self._erase_first(attempt)
        except SomebodyApart:
            # A hold, a restriction, or a person whom the store does not let go.
            await self._ahead.drop()
            return await self.settled() and await self._look_first(await attempt.found())

    async def rest(self) -> float:
        """Seconds to rest before the next chunk; looks now and then what the store has to bear."""
        if self._looks_now() and (self._connector.sweeping.knows_its_own or not self._ahead):
            if not self._connector.sweeping.knows_its_own:
                await self.settled()  # So that nothing at work in the store is ours.
            self._looked = monotonic()
            try:
                self._pace.pressure = await self._connector.sweeping.pressure()
            except (Refused, Misfit):
                self._pace.pressure = NO_PRESSURE  # Its login may not see what others do there.
        return self._rested

    async def wait_until(self, at: datetime, reason: Mapping[str, Any]) -> None:
        """Leave the sweep where it is until then."""
        await self._ahead.drop()
        if not await self.settled() or not await self._record.settle(_NOTHING, self._place()):
            return
        async with self._context.ledger.begin() as connection:
            await sweeps.postpone(connection, self._sweep.id, at, reason)

    async def settled(self) -> bool:
        """Wait until the last chunk is read again and written down; False: no longer ours."""
        if self._behind is None:
            return True
        done = await self._behind
        mine = await self._record.settle(done, self._place())
        self._behind = None
        return mine

    async def leave(self) -> None:
        """Leave nothing running behind; what is not written down the next runner looks at."""
        await self._ahead.drop()
        if self._behind is not None:
            self._behind.cancel()
            await asyncio.gather(self._behind, return_exceptions=True)

    async def _can_erase_first(self, at: Begun) -> bool:
        """Whether all that is due in a chunk may go by its range, as far as is known."""
        if self._pending is not None or self._left_out:
            return False
        if at.aim is not Aim.ROWS or at.span.by is Walk.PARTITION:
            return False
        return await self._connector.sweeping.patient()

    async def _erase_first(self, attempt: Attempt) -> bool:
        """Erase a chunk without looking who stands in it; who it is, is noted before the commit.

        Meanwhile the chunk before it is read again, and the one after it is erased as well. Raises
        SomebodyApart: nothing was erased.
        """
        try:
            at = await attempt.found()
            self._go_ahead(at)
            effects = await self._ahead.erased(attempt)
            rows = rows_of(effects)
            self._pace.took(at.span.by, attempt.took, rows)
            self._go_ahead(at)
            mine = await self._note(at, effects)
        except BaseException:
            await attempt.roll_back()
            raise
        if not mine:
            await attempt.roll_back()
            return False
        await attempt.commit()
        self._pending = None
        self._way.move_on(at)
        seconds = self._spent(attempt.begun)
        if effects:
            self._behind = asyncio.create_task(self._read_again(at.span, effects, seconds))
        self._rested = self._pace.rest(monotonic() - attempt.begun, rows)
        if self._rested:
            return await self.settled()
        return bool(effects) or await self._written()

    def _go_ahead(self, at: Begun) -> None:
        """Begin the chunk after this one as well, if nobody has to be looked for or at first."""
        looks = self._looks_now() and not self._connector.sweeping.knows_its_own
        if not looks and not self._left_out:
            self._ahead.begin(at)

    def _looks_now(self) -> bool:
        return monotonic() - self._looked >= LOOK_SECONDS

    async def _note(self, at: Begun, effects: Effects) -> bool:
        """Settle the chunk before and note this one; False: its effects must not stand."""
        done = None if self._behind is None else await self._behind
        if self._left_out:
            raise SomebodyApart
        if not effects and done is None:
            return True
        mine = await self._record.go_on(done, at, effects, self._place())
        self._behind = None
        return mine

    async def _read_again(self, span: Span, effects: Effects, seconds: float) -> Settled:
        begun = monotonic()
        result = await self._work.judged(span, effects)
        self._left_out |= result.apart
        return self._settled(result, seconds + self._spent(begun))

    def _spent(self, begun: float) -> float:
        """Seconds since then, without those that were counted before: chunks overlap."""
        now = monotonic()
        seconds = now - max(begun, self._counted)
        self._counted = now
        return seconds

    async def _look_first(self, at: Begun) -> bool:
        """Do a chunk knowing who stands in it, and who of them must be left out."""
        begun = monotonic()
        span, aim, missing = at.span, at.aim, at.people
        found = await self._looking.look(aim, span, self._left_out)
        looked = monotonic() - begun
        result = Result()
        if found.going or missing:
            intent = missing.union(found.going)
            if not await self._record.intend(at, intent, self._place()):
                return False
            if found.going:
                result = await self._looking.do(aim, span, found, self._left_out)
        self._left_out |= found.out | result.apart
        settled = self._settled(result, self._spent(begun))
        # A partition that is dropped is no work row by row.
        rows = sum(rows for results in settled.counts.values() for rows in results.values())
        erased = 0 if span.by is Walk.PARTITION else rows
        self._pace.took(span.by, max(looked, result.slowest), erased)
        self._rested = self._pace.rest(settled.seconds, erased)
        self._pending = None
        self._way.move_on(at)
        if missing:
            here = await self._looking.here(aim, found, result)
            mapping = self._connector.mapping
            settled.receipts.extend(interrupted(self._context.sealer, mapping, at, here))
        if found.keys or missing:
            return await self._record.settle(settled, self._place())
        return await self._written()

    async def _written(self) -> bool:
        """Write down where the sweep is; what was passed without finding anything can wait."""
        if monotonic() - self._record.written < _SECONDS_UNWRITTEN:
            return True
        return await self._record.settle(_NOTHING, self._place())

    def _settled(self, result: Result, seconds: float) -> Settled:
        return Settled(result.counts(), result.receipts(self._context, self.store), seconds)

    def _place(self) -> Place:
        return Place(self._way.leg, self._way.cursor, self._left_out)

    async def _next(self) -> Begun:
        return await self._way.next(self._connector.sweeping, self._partitions, self._pace)

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
        # Of whom the store would not let go, no other pass is to be hoped for.
        if left.others and self._way.passes < PASSES:
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
