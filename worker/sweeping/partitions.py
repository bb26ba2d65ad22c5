"""Partitions that a sweep drops as one, before it walks the rest of their table row by row.

A partition in which anything must stay is swept row by row, and so is one that others do not leave
alone, or that the store does not give up: dropping is the fast way, never the only one.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence
from time import monotonic
from typing import Final

import structlog

from connectors.faults import Refused, RetryLater
from connectors.mapping import Cutoffs, Key
from connectors.sweeping import Span, Sweeping
from worker.core.outcomes import NOT_GONE
from worker.sweeping.work import Chunk, Result

TRIES: Final = 3
"""Times that a partition in which others are at work is tried."""
_NOT_NOW: Final = frozenset({"busy", "timeout"})

log = structlog.get_logger(__name__)


class Partitions:
    """The partitions that one sweep has still to try, of the table that it is at."""

    def __init__(self, sweeping: Sweeping, cutoffs: Cutoffs, work: Chunk) -> None:
        self._sweeping, self._cutoffs, self._work = sweeping, cutoffs, work
        self._leg = -1
        self._left: deque[Span] = deque()
        self._tried: Counter[Span] = Counter()

    async def next(self, leg: int, table: str) -> Span | None:
        """The next partition of which all is past; None: what is left goes row by row.

        Raises what a connector may.
        """
        if self._leg != leg:
            self._leg, self._left = leg, deque(await self._sweeping.partitions(table))
        while self._left:
            span = self._left.popleft()
            self._tried[span] += 1
            try:
                if await self._sweeping.whole(span, self._cutoffs):
                    return span
            except RetryLater as fault:
                if fault.code not in _NOT_NOW:
                    raise
        return None

    async def drop(self, span: Span, people: Sequence[Key]) -> Result:
        """Drop a partition in which nobody but these people stands; then look whether it is gone.

        Where that cannot be now nothing is done. Raises what a connector may.
        """
        result = Result()
        begun = monotonic()
        try:
            effects = await self._sweeping.drop(span, self._cutoffs, people)
        except Refused as fault:
            log.info("partition-stays", table=span.table, why=fault.code)
            return result
        except RetryLater as fault:
            if fault.in_doubt or fault.code not in _NOT_NOW:
                raise
            if self._tried[span] < TRIES:
                self._left.append(span)
            return result
        result.slowest = monotonic() - begun
        if await self._sweeping.left(span, self._cutoffs, ()):
            result.apart = dict.fromkeys(effects, NOT_GONE)
            return result
        log.info("partition-dropped", table=span.table, people=len(effects))
        result.outcomes = self._work.outcomes(effects)
        return result
