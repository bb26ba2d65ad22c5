"""One reading for everybody who watches: fifty browsers cost the worker what one does."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from worker.context import Context
from worker.ledger.samples import EVERY
from worker.observe.history import history
from worker.observe.overview import Overview, look
from worker.observe.web.pictures import Trend, trend

FRESH_SECONDS: Final = 4.0
"""How long a reading is shown; the page asks every five seconds."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A part of a page as it is sent, and what tells it from another."""

    text: str
    tag: str


class Reading:
    """The newest reading of the ledger, and what was made of it."""

    def __init__(self, context: Context, clock: Callable[[], float]) -> None:
        self._context = context
        self._clock = clock
        self._lock = asyncio.Lock()
        self._read_at = float("-inf")
        self._overview: Overview | None = None
        self._shown: dict[tuple[str, str], Shown] = {}
        self._drawn_at = float("-inf")
        self._trends: dict[str, Trend] = {}

    async def overview(self) -> Overview:
        """How everything stands, as of a few seconds ago at the most. Raises LedgerAway."""
        async with self._lock:
            if self._overview is None or self._clock() - self._read_at >= FRESH_SECONDS:
                context = self._context
                self._overview = await look(context.ledger, context.policy, context.now())
                self._read_at = self._clock()
                self._shown = {}
            return self._overview

    async def trends(self) -> dict[str, Trend]:
        """How each store's last day went; drawn anew once a sample. Raises LedgerAway."""
        async with self._lock:
            if self._clock() - self._drawn_at >= EVERY.total_seconds():
                now = self._context.now()
                found = await history(self._context.ledger, now)
                self._trends = {store: trend(own, now) for store, own in found.items()}
                self._drawn_at = self._clock()
            return self._trends

    def forget(self) -> None:
        """Read anew next time: somebody has just changed something and looks for it."""
        self._read_at = self._drawn_at = float("-inf")

    async def shown(self, for_whom: tuple[str, str], make: Callable[[Overview], str]) -> Shown:
        """Return a part that looks alike for all of a language and a role, made once a reading."""
        overview = await self.overview()
        found = self._shown.get(for_whom)
        if found is None:
            text = make(overview)
            tag = f'"{hashlib.sha256(text.encode()).hexdigest()[:16]}"'
            found = self._shown[for_whom] = Shown(text, tag)
        return found
