"""What operators let rest, as this process last read it: one look for all of its consumers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Final

import structlog

from worker.context import Context
from worker.ledger import pauses
from worker.ledger.batches import Lane
from worker.ledger.database import LedgerAway, LedgerConflict
from worker.ledger.pauses import Pause
from worker.stores_operate import HEARD
from worker.waiting import stopped_within

SECONDS: Final = 1.0
"""How often it is looked; every worker knows of a pause long before ``HEARD`` is over."""

log = structlog.get_logger(__name__)


class Pausing:
    """The pauses that stand. Until they were read once, every store rests.

    A ledger that goes away changes nothing: without it nothing begins.
    """

    def __init__(self, context: Context, worker: str) -> None:
        self._context = context
        self._worker = worker
        self._standing: Mapping[str, Pause] | None = None
        self._in_hand: dict[tuple[str, Lane], Callable[[], int]] = {}

    def watch(self, store: str, lane: Lane, in_hand: Callable[[], int]) -> None:
        """Report what a consumer has in hand, while its store is drained."""
        self._in_hand[store, lane] = in_hand

    def takes_nothing(self, store: str) -> bool:
        """Whether nothing new may be taken for a store."""
        return self._standing is None or store in self._standing

    def rests(self, store: str) -> bool:
        """Whether nothing may begin in a store, also not what is in hand."""
        return self._standing is None or (
            store in self._standing and not self._standing[store].draining
        )

    async def until_awake(self, store: str, stop: asyncio.Event) -> bool:
        """Wait while a store rests; False when told to stop before that."""
        while self.rests(store):
            if await stopped_within(stop, SECONDS / 4):
                return False
        return True

    async def look(self) -> None:
        """Read the pauses; say what is in hand of stores that are drained. Raises LedgerAway."""
        now = self._context.now()
        async with self._context.ledger.begin() as connection:
            found = {one.store: one for one in await pauses.standing(connection)}
        self._tell(found)
        self._standing = found
        draining = {one.store: one for one in found.values() if one.draining}
        if not draining:
            return
        async with self._context.ledger.begin() as connection:
            for (store, lane), in_hand in self._in_hand.items():
                if store in draining:
                    await pauses.report(
                        connection, draining[store].id, self._worker, lane, in_hand(), now
                    )
            await pauses.end_drained(connection, now - HEARD, now)

    async def run(self, stop: asyncio.Event) -> None:
        """Look again and again until ``stop`` is set."""
        while not stop.is_set():
            try:
                await self.look()
            except (LedgerAway, LedgerConflict) as fault:
                log.warning("pauses-not-read", fault=f"{type(fault).__name__}: {fault}")
            await stopped_within(stop, SECONDS)

    def _tell(self, found: Mapping[str, Pause]) -> None:
        before = self._standing or {}
        for store in found.keys() - before.keys():
            log.info("store-rests", store=store, draining=found[store].draining)
        for store in before.keys() - found.keys():
            log.info("store-goes-on", store=store)
