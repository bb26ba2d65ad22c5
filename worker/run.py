"""Running the worker: intake and one consumer a store in one event loop, until told to stop."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import Collection, Coroutine
from contextlib import suppress
from dataclasses import asdict
from typing import Any

import structlog

from worker.bootstrap import open_context, open_tracing
from worker.context import Context, PublishFailed
from worker.core.retry import Backoff
from worker.ledger.batches import Lane
from worker.ledger.database import LedgerAway, LedgerConflict
from worker.losses import until_recovered
from worker.memory import leave_what_stays
from worker.observe.reporting import Reporter
from worker.observe.web.server import serve
from worker.redrive import give_back, redrive
from worker.schedule import begin_due
from worker.sealing import CannotOpen
from worker.settings import Settings
from worker.streams.connector_worker import StoreWorker
from worker.streams.intake_worker import run_intake
from worker.streams.pausing import Pausing
from worker.streams.planner import Planner
from worker.streams.watchdog import Watchdog
from worker.take_up import take_up
from worker.waiting import pause, stopped_within

INTAKE = "intake"
AGAIN = Backoff(cap=10.0)
SCHEDULE_SECONDS = 20.0
"""How often it is looked whether a planned moment has come; they are minutes apart at least."""

log = structlog.get_logger(__name__)


class UnknownPart(Exception):
    """``--only`` names something that is no part of this worker."""


async def run(settings: Settings, only: Collection[str] = ()) -> None:
    """Run all parts, or only some (``intake`` or names of stores), until SIGTERM or SIGINT.

    A part that dies stops the others and its error is raised; nothing uncommitted is lost.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with (
        open_tracing(settings, holder()) as tracing,
        open_context(settings, tracing=tracing) as context,
    ):
        await run_parts(context, settings, only, stop)
    log.info("stopped")


async def run_parts(
    context: Context, settings: Settings, only: Collection[str], stop: asyncio.Event
) -> None:
    """Run the parts chosen until ``stop`` is set. Raises UnknownPart before anything starts."""
    unknown = sorted(set(only) - {INTAKE, *context.connectors})
    if unknown:
        parts = ", ".join([INTAKE, *sorted(context.connectors)])
        raise UnknownPart(f"no part called {', '.join(unknown)}; there are: {parts}")
    chosen = set(only) or {INTAKE, *context.connectors}
    context.here.bootstrap = settings.broker.bootstrap
    async with asyncio.TaskGroup() as group:

        def start(part: Coroutine[Any, Any, None]) -> None:
            group.create_task(_stopping_others(part, stop))

        if settings.web.port:
            # Before everything else: it answers that the worker lives while a ledger is waited for.
            start(serve(context, settings, stop))
        await _take_up_policy(context, stop)
        # Only a broker that knows idempotent producers tells the right end of its topics.
        ends_known = settings.broker.idempotent
        if ends_known:
            await until_recovered(context, stop)
        log.info("started", parts=sorted(chosen), policy=context.policy.version)
        start(Watchdog(context.here).run(stop))
        start(_redrive(context, settings.redrive_seconds, stop))
        if context.policy.retention.schedules:
            start(_schedule(context, stop))
        if INTAKE in chosen:
            planner = Planner(context)
            start(planner.run(stop))
            start(run_intake(context, settings.broker, settings.data_dir, planner, stop))
        pausing = Pausing(context, holder())
        start(pausing.run(stop))
        start(Reporter(context, holder(), ends_known=ends_known).run(stop))
        for store in sorted(chosen - {INTAKE}):
            for lane in Lane:
                consumer = StoreWorker(context, store, settings.broker, pausing, lane, holder())
                start(consumer.run(stop))
        context.here.started = True
        leave_what_stays()


async def _take_up_policy(context: Context, stop: asyncio.Event) -> None:
    """Take up the policy before anything is decided by it; a ledger that is away is waited for.

    Raises VersionTaken.
    """
    attempt = 0
    while not stop.is_set():
        try:
            await take_up(context.ledger, context.policy, context.now())
        except (LedgerAway, LedgerConflict) as fault:
            attempt += 1
            log.warning("ledger-away", fault=f"{type(fault).__name__}: {fault}")
            await stopped_within(stop, pause(AGAIN, attempt))
        else:
            return


async def _stopping_others(part: Coroutine[Any, Any, None], stop: asyncio.Event) -> None:
    """A part that ends, well or badly, ends the worker: a half of it would look alive."""
    try:
        await part
    finally:
        stop.set()


async def _schedule(context: Context, stop: asyncio.Event) -> None:
    """Begin what the policy plans, if we hold the lease."""
    me = holder()
    while not stop.is_set():
        try:
            if begun := await begin_due(context, me):
                log.info("schedule-begun", sweeps=begun)
        except (LedgerAway, LedgerConflict, PublishFailed) as fault:
            log.warning("schedule-waits", fault=f"{type(fault).__name__}: {fault}")
        await stopped_within(stop, SCHEDULE_SECONDS)


def holder() -> str:
    """This process's name in leases."""
    return f"{socket.gethostname()}:{os.getpid()}"


async def _redrive(context: Context, seconds: float, stop: asyncio.Event) -> None:
    """Look in the ledger for what does not move, every few seconds, if we hold the lease."""
    me = holder()
    while not stop.is_set():
        try:
            driven = await redrive(context, me)
        except (LedgerAway, LedgerConflict, PublishFailed, CannotOpen) as fault:
            log.warning("redrive-waits", fault=f"{type(fault).__name__}: {fault}")
        else:
            for what, items in asdict(driven).items() if driven is not None else ():
                context.metrics.redriven.labels(what).inc(items)
            if driven is not None and any(asdict(driven).values()):
                log.info("redriven", **asdict(driven))
        await stopped_within(stop, seconds)
    with suppress(LedgerAway, LedgerConflict):
        await give_back(context, me)
