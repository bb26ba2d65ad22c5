"""``erasure run``: the worker, until it is told to stop."""

from __future__ import annotations

import asyncio
import signal
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from worker.cli.exits import Exit, NotReady

if TYPE_CHECKING:
    from worker.core.policy import Policy
    from worker.settings import Settings

LOOK_SECONDS = 10.0
"""How long a start waits to see the topics; a broker that is away later is waited for."""


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        epilog="Everything: erasure run\n\nOne store alone: erasure run --only crm\n\n"
        "Exit codes: 0 stopped by SIGTERM or Ctrl-C, 1 not ready, 2 settings or policy, 70 a bug, "
        "75 start it again"
    )(run)


def run(
    only: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PART",
            help="Run this part alone: intake, or the name of a store. May be repeated.",
        ),
    ] = None,
) -> None:
    """Take in events and erase, until SIGTERM or Ctrl-C; then finish the batch in hand.

    A broker, a ledger or a store that is away is waited for.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _end_at_once)
    import uvloop

    from worker import logs
    from worker.cli.opening import read_policy, read_settings
    from worker.run import run as run_worker
    from worker.streams.leaving import run_to_the_end

    settings = read_settings()
    policy = read_policy(settings, whole=True)
    parts = [part for given in only or () for part in given.split(",") if part]

    async def work() -> None:
        await _make_ready(settings, policy)
        logs.configure(settings.log_format, settings.log_level)
        await run_worker(settings, parts)

    run_to_the_end(work(), loop_factory=uvloop.new_event_loop)


def _end_at_once(_number: int, _frame: FrameType | None) -> None:
    """End a worker that is told to while it starts: nothing is in hand yet."""
    raise SystemExit(Exit.OK)


async def _make_ready(settings: Settings, policy: Policy) -> None:
    """Raise NotReady for what a worker would wait for in vain: an old ledger, missing topics."""
    from aiokafka.errors import KafkaError

    from topics import names
    from topics.admin import present
    from worker.cli.opening import open_ledger
    from worker.ledger.database import LedgerAway

    try:
        async with open_ledger(settings):
            pass
    except LedgerAway:
        pass  # It may come back; the parts wait for it and say so.
    try:
        async with asyncio.timeout(LOOK_SECONDS):
            there = await present(settings.broker.bootstrap)
    except (KafkaError, OSError, TimeoutError):
        return
    missing = [t.name for t in names.catalogue(policy.stores) if t.name not in there]
    if missing:
        raise NotReady(f"topics are missing ({', '.join(missing)}); run: erasure topics create")
