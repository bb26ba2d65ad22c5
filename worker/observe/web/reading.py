"""One reading for everybody who watches: fifty browsers cost the worker what one does."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from worker.context import Context
from worker.ledger.database import LedgerAway
from worker.ledger.samples import EVERY
from worker.observe.history import history
from worker.observe.overview import Overview, look
from worker.observe.web.fresh import Fresh
from worker.observe.web.pictures import Trend, trend

FRESH_SECONDS: Final = 4.0
"""How long a reading is shown; the page asks every five seconds."""
PATIENCE_SECONDS: Final = 8.0
"""How long the ledger may take to be read; Prometheus hangs up after ten, and would not hear."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A part of a page as it is sent, and what tells it from another."""

    text: str
    tag: str


class Reading:
    """The newest reading of the ledger, and what was made of it."""

    def __init__(self, context: Context, clock: Callable[[], float]) -> None:
        self._context = context
        self._overview = Fresh(self._look, FRESH_SECONDS, clock)
        self._trends = Fresh(self._draw, EVERY.total_seconds(), clock)
        self._shown: dict[tuple[str, str], Shown] = {}
        self._shown_of: Overview | None = None

    async def overview(self) -> Overview:
        """How everything stands, as of a few seconds ago at the most. Raises LedgerAway."""
        return await self._overview.get()

    async def trends(self) -> dict[str, Trend]:
        """How each store's last day went; drawn anew once a sample. Raises LedgerAway."""
        return await self._trends.get()

    def forget(self) -> None:
        """Read anew next time: somebody has just changed something and looks for it."""
        self._overview.forget()
        self._trends.forget()

    async def close(self) -> None:
        """Give up what is being read."""
        await self._overview.close()
        await self._trends.close()

    async def shown(self, for_whom: tuple[str, str], make: Callable[[Overview], str]) -> Shown:
        """Return a part that looks alike for all of a language and a role, made once a reading."""
        overview = await self.overview()
        if overview is not self._shown_of:
            self._shown, self._shown_of = {}, overview
        found = self._shown.get(for_whom)
        if found is None:
            text = make(overview)
            tag = f'"{hashlib.sha256(text.encode()).hexdigest()[:16]}"'
            found = self._shown[for_whom] = Shown(text, tag)
        return found

    async def _look(self) -> Overview:
        context = self._context
        async with _patience():
            return await look(context.ledger, context.policy, context.now())

    async def _draw(self) -> dict[str, Trend]:
        now = self._context.now()
        async with _patience():
            found = await history(self._context.ledger, now)
        return {store: trend(own, now) for store, own in found.items()}


@asynccontextmanager
async def _patience() -> AsyncIterator[None]:
    """Take a ledger that keeps its line and says nothing for one that is away."""
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            yield
    except TimeoutError:
        raise LedgerAway("it says nothing") from None
