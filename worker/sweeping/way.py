"""Where a sweep is on its way through the store: which leg, how far in it, and what comes next.

A sweep's legs are counted through: those of the first walk, then those of one pass more after the
other, until the count before a pass finds nothing. A row that moved past the walk, or became due
behind it, is met there.
"""

from __future__ import annotations

from dataclasses import replace

from connectors.mapping import Cutoffs, Key, StoreMapping
from connectors.sweeping import CHILDREN, Sweeping, Walk
from worker.core.legs import Aim, Leg, again, along, legs
from worker.sweeping.marks import Begun
from worker.sweeping.pace import Pace
from worker.sweeping.partitions import Partitions


class Way:
    """Stands at ``leg``, before what follows ``cursor`` in it (None: at its beginning).

    ``table`` and ``ground`` are those of the sweep's rule, ``cutoffs`` the sweep's.
    """

    def __init__(
        self,
        mapping: StoreMapping,
        table: str | None,
        ground: str | None,
        cutoffs: Cutoffs,
        *,
        leg: int,
        cursor: Key | None,
    ) -> None:
        self._first = legs(mapping, table, ground)
        self._more = again(mapping, table, ground)
        self._mapping = mapping
        self._cutoffs = cutoffs
        self._together: dict[str, tuple[str, ...]] | None = None
        """The tables that go along with others in their chunks, once the store was asked."""
        self.leg = leg
        self.cursor = cursor

    @property
    def passes(self) -> int:
        """The passes that are done, the first walk apart."""
        return (self.leg - len(self._first)) // len(self._more)

    @property
    def between_passes(self) -> bool:
        """Whether the first walk, or a pass after it, has just come to its end."""
        passed = self.leg - len(self._first)
        return self.cursor is None and passed >= 0 and passed % len(self._more) == 0

    async def next(self, sweeping: Sweeping, partitions: Partitions, pace: Pace) -> Begun:
        """Find the chunk that follows here."""
        together = await self._families(sweeping)
        gone_along = {name for children in together.values() for name in children}
        while self._first_walk and self.cursor is None and self._at(self.leg).table in gone_along:
            self.leg += 1
        leg = self._at(self.leg)
        if leg.aim is Aim.ROWS and self.cursor is None:
            whole = await partitions.next(self.leg, leg.table)
            if whole is not None:
                return Begun(whole, self.leg, leg.aim, frozenset())
        by = await sweeping.walk(leg.table) if self._first_walk else Walk.KEYS
        span = await sweeping.span(leg.table, by, self.cursor, pace.next_size(by), self._cutoffs)
        if self._first_walk:
            span = replace(span, along=together.get(leg.table, ()))
        return Begun(span, self.leg, leg.aim, frozenset())

    def move_on(self, done: Begun) -> None:
        """Stand behind a chunk that is done."""
        if done.span.by is Walk.PARTITION:
            return  # The table is still to be walked, from its beginning.
        if (done.leg, done.span.after) != (self.leg, self.cursor):
            return  # Another policy came between: the sweep has begun again.
        self.cursor = done.span.upto
        if self.cursor is None:
            self.leg += 1

    @property
    def _first_walk(self) -> bool:
        """Whether rows are walked as they lie in the store."""
        return self.leg < len(self._first) and self._at(self.leg).aim is Aim.ROWS

    async def _families(self, sweeping: Sweeping) -> dict[str, tuple[str, ...]]:
        """Ask once, of which tables rows go along with those that they hang on, and with which.

        Those whose dates alone decide of both, when the store can find them by a part of theirs.
        """
        if self._together is None:
            found: dict[str, tuple[str, ...]] = {}
            rows = [leg.table for leg in self._first if leg.aim is Aim.ROWS]
            for table in rows:
                children = [name for name in along(self._mapping, table) if name in rows]
                by = CHILDREN.get(await sweeping.walk(table)) if children else None
                by_it = [n for n in children if by and await sweeping.walk(n) is by]
                found[table] = tuple(by_it)
            self._together = found
        return self._together

    def _at(self, number: int) -> Leg:
        """A leg by its number."""
        if number < len(self._first):
            return self._first[number]
        return self._more[(number - len(self._first)) % len(self._more)]


async def after(at: Begun, sweeping: Sweeping, pace: Pace, cutoffs: Cutoffs) -> Begun:
    """Find the chunk that follows another one in its leg."""
    last = at.span
    span = await sweeping.span(last.table, last.by, last.upto, pace.next_size(last.by), cutoffs)
    return replace(at, span=replace(span, along=last.along))
