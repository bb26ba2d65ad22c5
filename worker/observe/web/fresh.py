"""What is read once for all who ask, and again when it is no longer fresh."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Fresh(Generic[T]):
    """A value that costs something to read.

    Whoever asks while it is being read waits for that reading, and for its failure: nobody stands
    in line to fail again. It goes on when all who wait have left.
    """

    def __init__(
        self, read: Callable[[], Awaitable[T]], seconds: float, clock: Callable[[], float]
    ) -> None:
        """``clock`` counts seconds from anywhere; what was read is given for so many."""
        self._read = read
        self._seconds = seconds
        self._clock = clock
        self._newest: tuple[float, T] | None = None
        self._reading: asyncio.Task[T] | None = None
        self._under_way: set[asyncio.Task[T]] = set()

    async def get(self) -> T:
        """Return what was read within these seconds, or is read now. Raises what reading raises."""
        if self._newest is not None and self._clock() - self._newest[0] < self._seconds:
            return self._newest[1]
        if self._reading is None:
            self._reading = asyncio.create_task(self._again())
            self._under_way.add(self._reading)
            self._reading.add_done_callback(self._ended)
        return await asyncio.shield(self._reading)

    def forget(self) -> None:
        """Read anew for whoever asks from now on: also what is being read is of before."""
        self._newest = self._reading = None

    async def close(self) -> None:
        """Give up what is being read."""
        for one in self._under_way:
            one.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)

    async def _again(self) -> T:
        mine = asyncio.current_task()
        try:
            found = await self._read()
            if self._reading is mine:
                self._newest = (self._clock(), found)
            return found
        finally:
            if self._reading is mine:
                self._reading = None

    def _ended(self, reading: asyncio.Task[T]) -> None:
        self._under_way.discard(reading)
        if not reading.cancelled():
            # Asked for, so that none is complained of that nobody waits for any more.
            reading.exception()
