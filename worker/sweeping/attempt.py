"""One chunk as it is erased: its transaction is open until somebody has written down who is in it.

So two are erased at once, which keeps two processors of the store at work, and one while the one
before it is noted, committed and read again. They are of different rows. A trigger may have the
earlier wait for the later all the same, which itself waits to be noted after it:
:meth:`Attempt.erased` gives up then, so that the later can be taken back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from time import monotonic
from typing import Any, TypeVar

from connectors.base import Effects
from connectors.mapping import Cutoffs
from connectors.sweeping import Sweeping
from worker.sweeping.marks import Begun

T = TypeVar("T")


class Attempt:
    """Erases in a task of its own from the moment that it is made."""

    def __init__(self, sweeping: Sweeping, cutoffs: Cutoffs, chunk: Awaitable[Begun]) -> None:
        self.begun = monotonic()
        self.took = 0.0
        """Seconds that the slowest of its statements took."""
        self._sweeping, self._cutoffs, self._chunk = sweeping, cutoffs, chunk
        loop = asyncio.get_running_loop()
        self._found: asyncio.Future[Begun] = loop.create_future()
        self._effects: asyncio.Future[Effects] = loop.create_future()
        self._word: asyncio.Future[bool] = loop.create_future()
        self._task = asyncio.create_task(self._erase())

    async def found(self) -> Begun:
        """Wait until it is known which chunk it is. Raises what a connector may."""
        return await self._reached(self._found, None)

    async def erased(self, within: float | None) -> Effects:
        """Wait until the statements have run: what goes if they may stand.

        Raises what a connector may, and nothing was erased then; TimeoutError after so many
        seconds, and it can be waited for again.
        """
        return await self._reached(self._effects, within)

    async def _reached(self, stage: asyncio.Future[T], within: float | None) -> T:
        first: set[asyncio.Future[Any]] = {self._task, stage}
        await asyncio.wait(first, timeout=within, return_when=asyncio.FIRST_COMPLETED)
        if not stage.done():
            if self._task.done():
                await self._task
            raise TimeoutError
        return await stage

    async def commit(self) -> None:
        """Let it stand. Raises what a connector may; whoever was noted is then looked at again."""
        self._word.set_result(True)
        await self._task

    async def roll_back(self) -> None:
        """Let it be nothing; what went wrong with it does not matter then."""
        if not self._word.done():
            self._word.set_result(False)
        await asyncio.gather(self._task, return_exceptions=True)

    async def _erase(self) -> None:
        chunk = await self._chunk
        self._found.set_result(chunk)

        async def may(effects: Effects, slowest: float) -> bool:
            self.took = slowest
            self._effects.set_result(effects)
            return await self._word

        await self._sweeping.sweep(chunk.span, self._cutoffs, (), may)
