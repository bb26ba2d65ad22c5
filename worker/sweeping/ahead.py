"""The chunk that comes next, erased beside the one at hand where that is in nobody's way."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Final

from connectors.base import Effects
from connectors.faults import Refused, RetryLater
from connectors.mapping import Cutoffs
from connectors.sweeping import Sweeping
from worker.sweeping.attempt import Attempt
from worker.sweeping.marks import Begun
from worker.sweeping.pace import Pace
from worker.sweeping.record import SomebodyApart
from worker.sweeping.way import after

_GIVE_WAY_SECONDS: Final = 1.0
"""How long a chunk may wait, perhaps for the one that was begun after it."""


class Ahead:
    """Keeps the attempt at the next chunk, if there is one; there is never a second."""

    def __init__(self, sweeping: Sweeping, cutoffs: Cutoffs, pace: Pace) -> None:
        self._sweeping, self._cutoffs, self._pace = sweeping, cutoffs, pace
        self._next: Attempt | None = None
        self._alone = False
        """Whether one chunk at a time is erased: two were in each other's way."""

    def __bool__(self) -> bool:
        """Whether the next chunk is begun."""
        return self._next is not None

    def erasing(self, chunk: Awaitable[Begun]) -> Attempt:
        """Begin to erase a chunk."""
        return Attempt(self._sweeping, self._cutoffs, chunk)

    def take(self) -> Attempt | None:
        """The next chunk, which is the one at hand from now on; None: it is not begun."""
        attempt, self._next = self._next, None
        return attempt

    def begin(self, at: Begun) -> None:
        """Begin the chunk after one, before that one stands; not where the sweep is to rest.

        What is begun holds locks.
        """
        if self._next is not None or self._alone or at.span.upto is None:
            return
        if self._pace.unhindered:
            self._next = self.erasing(after(at, self._sweeping, self._pace, self._cutoffs))

    async def erased(self, attempt: Attempt) -> Effects:
        """Wait until the chunk at hand is erased; the one after it gives way if that takes long.

        Raises SomebodyApart when the store refuses one of its people, or when it met another
        transaction, which may have been ours; and what else a connector may.
        """
        try:
            try:
                return await attempt.erased(_GIVE_WAY_SECONDS if self._next else None)
            except TimeoutError:
                self._alone = True
                await self.drop()
                return await attempt.erased(None)
        except Refused:
            raise SomebodyApart from None
        except RetryLater as fault:
            if fault.code != "busy" or self._alone:
                raise
            self._alone = True
            raise SomebodyApart from None

    async def drop(self) -> None:
        """Take the next chunk back."""
        attempt = self.take()
        if attempt is not None:
            await attempt.roll_back()
