"""One chunk as it is erased: its transaction is open until somebody has written down who is in it.

So one chunk can be erased while the one before it is noted, committed and read again. Two are in
their transactions at once for a moment; the earlier has all its locks then and waits for none.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from time import monotonic
from typing import Any

from connectors.base import Effects
from connectors.mapping import Cutoffs
from connectors.sweeping import Sweeping
from worker.sweeping.marks import Begun


class Attempt:
    """Erases in a task of its own from the moment that it is made."""

    def __init__(self, sweeping: Sweeping, cutoffs: Cutoffs, chunk: Awaitable[Begun]) -> None:
        self.begun = monotonic()
        self.took = 0.0
        """Seconds that the statements took."""
        self._sweeping, self._cutoffs, self._chunk = sweeping, cutoffs, chunk
        loop = asyncio.get_running_loop()
        self._at: Begun | None = None
        self._effects: asyncio.Future[Effects] = loop.create_future()
        self._word: asyncio.Future[bool] = loop.create_future()
        self._task = asyncio.create_task(self._erase())

    async def erased(self) -> tuple[Begun, Effects]:
        """Wait until the statements have run: the chunk, and what goes if they may stand.

        Raises what a connector may; nothing was erased then.
        """
        first: set[asyncio.Future[Any]] = {self._task, self._effects}
        await asyncio.wait(first, return_when=asyncio.FIRST_COMPLETED)
        if not self._effects.done():
            await self._task
        return self.at, await self._effects

    @property
    def at(self) -> Begun:
        """The chunk, once it is found."""
        if self._at is None:
            raise LookupError("the chunk is not found yet")
        return self._at

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
        self._at = await self._chunk
        begun = monotonic()

        async def may(effects: Effects) -> bool:
            self.took = monotonic() - begun
            self._effects.set_result(effects)
            return await self._word

        await self._sweeping.sweep(self._at.span, self._cutoffs, (), may)
