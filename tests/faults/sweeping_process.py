"""A sweep in a process of its own that stops or kills itself right after a named step.

The lease is a short one, so that another holder may take over within seconds.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from multiprocessing.context import ForkServerProcess
from typing import Any

import connectors.sql.sweeper
import worker.sweeping.record
import worker.sweeping.run
from connectors.sql.sweeper import Sweeper
from tests.support.forks import FORKS
from worker.bootstrap import open_context
from worker.ledger import sweep_steps
from worker.settings import load
from worker.sweeping.run import run_sweep

TTL = timedelta(seconds=3)
IDLE_SECONDS = 2
STEPS: dict[str, tuple[Any, str]] = {
    "begun": (sweep_steps, "begin"),
    "estimated": (sweep_steps, "estimated"),
    "intended": (sweep_steps, "intend"),
    "swept": (Sweeper, "sweep"),
    "re-read": (Sweeper, "left"),
    "settled": (sweep_steps, "step"),
    "ended": (sweep_steps, "end"),
}
"""In their order. The ledger's are not committed yet when they return; the store's are."""
COMMITTED = "intent-committed"
"""The intent stands in the ledger, and the store has not committed yet."""


def halt_after(step: str, number: int) -> None:
    """Send this process a signal when a step has returned."""
    owner, name = (Sweeper, "sweep") if step == COMMITTED else STEPS[step]
    original = getattr(owner, name)

    async def halting(*args: Any, **options: Any) -> Any:
        found = await original(*args, **options)
        if name != "sweep" or found:
            os.kill(os.getpid(), number)
        return found

    async def halting_inside(
        self: Any, span: Any, cutoffs: Any, without: Any, may: Any = None
    ) -> Any:
        if may is None:  # the intent was noted before this transaction begins
            os.kill(os.getpid(), number)
            return await original(self, span, cutoffs, without)

        async def halting_after(effects: Any, slowest: float) -> bool:
            word: bool = await may(effects, slowest)
            if effects:
                os.kill(os.getpid(), number)
            return word

        return await original(self, span, cutoffs, without, halting_after)

    setattr(owner, name, halting_inside if step == COMMITTED else halting)


async def main(sweep_id: int, holder: str) -> None:
    """Carry the sweep on until it ends or is somebody else's."""
    async with open_context(load()) as context:
        await run_sweep(context, sweep_id, holder, asyncio.Event())


@contextmanager
def running(
    settings: Mapping[str, str], sweep_id: int, holder: str, step: str, number: signal.Signals
) -> Iterator[ForkServerProcess]:
    """Such a process, with these settings of a worker; it is gone when the block ends."""
    process = FORKS.Process(target=_become, args=(dict(settings), sweep_id, holder, step, number))
    process.start()
    try:
        yield process
    finally:
        process.kill()
        process.join()


def _become(
    settings: Mapping[str, str], sweep_id: int, holder: str, step: str, number: signal.Signals
) -> None:
    """Turn a fresh fork into it."""
    os.environ.update(settings)
    sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - to its end
    for module in (worker.sweeping.run, worker.sweeping.record):
        module.LEASE_TTL = TTL  # type: ignore[attr-defined] # shorter than the constant it is
    connectors.sql.sweeper.IDLE_SECONDS = IDLE_SECONDS
    halt_after(step, number)
    asyncio.run(main(sweep_id, holder))
