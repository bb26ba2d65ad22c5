"""Plans the batches that intake has just committed, beside it: no look-up delays a stop."""

from __future__ import annotations

import asyncio
from contextvars import Context as Variables
from contextvars import copy_context

import structlog

from worker.context import Context, PublishFailed
from worker.ledger.database import LedgerAway, LedgerConflict
from worker.plan import plan_batch
from worker.sealing import CannotOpen

AT_ONCE = 2
"""Batches planned at a time: one waits for the stores while the other is written down."""

log = structlog.get_logger(__name__)


class Planner:
    """A queue of batch ids, which are small: the batches themselves wait in the ledger."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._queue: asyncio.Queue[tuple[int, Variables]] = asyncio.Queue()

    def add(self, batch_id: int) -> None:
        """Plan this batch soon. Should this process die first, redrive plans it."""
        # With the context of whoever asks: the trace of its messages goes on.
        self._queue.put_nowait((batch_id, copy_context()))

    async def run(self, stop: asyncio.Event) -> None:
        """Plan until ``stop`` is set; finish the batches in hand."""
        async with asyncio.TaskGroup() as group:
            for _ in range(AT_ONCE):
                group.create_task(self._plan(stop))

    async def _plan(self, stop: asyncio.Event) -> None:
        stopping = asyncio.create_task(stop.wait())
        try:
            while not stop.is_set():
                taking = asyncio.create_task(self._queue.get())
                await asyncio.wait({taking, stopping}, return_when=asyncio.FIRST_COMPLETED)
                if not taking.done():
                    taking.cancel()
                    return
                batch_id, variables = taking.result()
                await asyncio.create_task(self._one(batch_id), context=variables)
        finally:
            stopping.cancel()

    async def _one(self, batch_id: int) -> None:
        try:
            planned = await plan_batch(self._context, batch_id)
        except (LedgerAway, LedgerConflict, PublishFailed, CannotOpen) as fault:
            log.warning("planned-later", batch=batch_id, fault=f"{type(fault).__name__}: {fault}")
            return
        if planned is not None and planned.stores_left:
            log.warning("stores-planned-later", batch=batch_id, stores=planned.stores_left)
