"""Runs intake: the Faust application inside our own event loop, watched because it is embedded."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import Any

import structlog

from topics.names import INTAKE_GROUP
from worker.context import Context
from worker.settings import BrokerSettings
from worker.streams.agents import add_intake
from worker.streams.app import make_app
from worker.streams.planner import Planner
from worker.waiting import stopped_within

POLL_SECONDS = 0.5
STOP_SECONDS = 20.0

log = structlog.get_logger(__name__)


class IntakeCrashed(Exception):
    """Faust's application died. Nothing uncommitted was acknowledged: start the process again."""


async def run_intake(
    context: Context, broker: BrokerSettings, data_dir: Path, planner: Planner, stop: asyncio.Event
) -> None:
    """Take in events until ``stop`` is set; then finish the batch in hand.

    Raises IntakeCrashed: an embedded Faust application crashes silently, and its agent dies alone,
    so both are polled.
    """
    app = make_app(broker, data_dir=str(data_dir))
    in_hand = asyncio.Lock()
    failures: list[Exception] = []
    add_intake(app, context, planner.add, in_hand, failures.append)
    context.here.reads(INTAKE_GROUP)
    starting = asyncio.create_task(app.start())
    try:
        while not stop.is_set():
            if starting.done() and starting.exception() is not None:
                raise IntakeCrashed(type(starting.exception()).__name__)
            if failures:
                raise IntakeCrashed(type(failures[0]).__name__)
            if app.crashed:
                raise IntakeCrashed(type(app.crash_reason).__name__)
            if app.rebalancing_count and not app.rebalancing:
                context.here.assigned(INTAKE_GROUP, len(app.consumer.assignment()))
            await stopped_within(stop, POLL_SECONDS)
    finally:
        starting.cancel()
        with suppress(asyncio.CancelledError, Exception):
            await starting
        await _stop(app, in_hand)


async def _stop(app: Any, in_hand: asyncio.Lock) -> None:
    """Stop when no batch is in hand; one that cannot be finished is broken off after a while.

    What was not acknowledged comes again and changes nothing.
    """
    try:
        await asyncio.wait_for(in_hand.acquire(), STOP_SECONDS)
    except TimeoutError:
        log.warning("batch-broken-off", seconds=STOP_SECONDS)
    try:
        async with asyncio.timeout(STOP_SECONDS):
            await app.stop()
    except TimeoutError:
        log.warning("intake-stopped-hard", seconds=STOP_SECONDS)
