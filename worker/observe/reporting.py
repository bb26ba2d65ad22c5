"""Says in the ledger how stores look from here, so that any process can show it; samples the rest.

Beside the work and best effort: nothing waits for it, and what cannot be said now is said later.
"""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import Final

import structlog

from worker.context import Context
from worker.ledger import store_states
from worker.ledger.database import LedgerAway, LedgerConflict
from worker.ledger.store_states import KEPT, StoreState
from worker.losses import Looking
from worker.observe.history import sample
from worker.observe.lag import BrokerAway
from worker.waiting import stopped_within

TURN_SECONDS: Final = 1.0
HEARD_SECONDS: Final = 15.0
"""How often a worker is heard of, when nothing changes."""
SAMPLE_SECONDS: Final = 20.0
"""How often it is looked whether a minute has no samples yet."""
GROUPS_SECONDS: Final = 15.0

log = structlog.get_logger(__name__)


class Reporter:
    """Reports for one process, under its name in leases.

    ``ends_known`` says whether the broker tells the right end of its topics.
    """

    def __init__(self, context: Context, holder: str, *, ends_known: bool) -> None:
        self._context = context
        self._holder = holder
        self._ends_known = ends_known
        self._reported = self._sampled = float("-inf")

    async def run(self, stop: asyncio.Event) -> None:
        """Report until ``stop`` is set; then take back what was said. Raises BrokerLost."""
        async with asyncio.TaskGroup() as group:
            if self._ends_known:
                group.create_task(self._groups(stop))
            while not stop.is_set():
                try:
                    await self.turn()
                except (LedgerAway, LedgerConflict) as fault:
                    log.info("not-reported", fault=f"{type(fault).__name__}: {fault}")
                await stopped_within(stop, TURN_SECONDS)
        try:
            async with self._context.ledger.begin() as connection:
                await store_states.write(connection, self._holder, ())
        except (LedgerAway, LedgerConflict) as fault:
            log.info("not-reported", fault=f"{type(fault).__name__}: {fault}")

    async def turn(self) -> None:
        """Report when something has changed or it is time. Raises LedgerAway, LedgerConflict."""
        here = self._context.here
        if here.changed or monotonic() - self._reported >= HEARD_SECONDS:
            here.changed = False
            try:
                await self._report()
            except BaseException:
                # Also when it is cut short: the next turn says it again.
                here.changed = True
                raise
            self._reported = monotonic()
        if monotonic() - self._sampled >= SAMPLE_SECONDS:
            await sample(self._context)
            self._sampled = monotonic()

    async def _report(self) -> None:
        now = self._context.now()
        states = [
            StoreState(
                store,
                lane,
                self._holder,
                "away" if seen.away else "serving",
                seen.fault,
                seen.hint,
                seen.since,
                seen.next_try,
                now,
            )
            for (store, lane), seen in self._context.here.seen().items()
        ]
        async with self._context.ledger.begin() as connection:
            await store_states.write(connection, self._holder, states)
            await store_states.forget(connection, now - KEPT)

    async def _groups(self, stop: asyncio.Event) -> None:
        """Ask the broker now and then how far the groups are. Raises BrokerLost."""
        looking = Looking(self._context)
        while not stop.is_set():
            try:
                await looking.look()
            except (BrokerAway, LedgerAway, LedgerConflict) as fault:
                log.info("groups-not-read", fault=f"{type(fault).__name__}: {fault}")
            await stopped_within(stop, GROUPS_SECONDS)
