"""A sweep in a process of its own that stops or kills itself right after a named step.

``python -m tests.faults.sweeping_process SWEEP HOLDER STEP SIGNAL``; the settings are the worker's.
The lease is a short one, so that another holder may take over within seconds.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from datetime import timedelta
from typing import Any

import connectors.sql.sweeper
import worker.sweeping.record
import worker.sweeping.run
from connectors.sql.sweeper import Sweeper
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

        async def halting_after(effects: Any) -> bool:
            word: bool = await may(effects)
            if effects:
                os.kill(os.getpid(), number)
            return word

        return await original(self, span, cutoffs, without, halting_after)

    setattr(owner, name, halting_inside if step == COMMITTED else halting)


async def main(sweep_id: int, holder: str) -> None:
    """Carry the sweep on until it ends or is somebody else's."""
    async with open_context(load()) as context:
        await run_sweep(context, sweep_id, holder, asyncio.Event())


if __name__ == "__main__":
    sweep, me, where, how = sys.argv[1:]
    for module in (worker.sweeping.run, worker.sweeping.record):
        module.LEASE_TTL = TTL  # type: ignore[attr-defined] # shorter than the constant it is
    connectors.sql.sweeper.IDLE_SECONDS = IDLE_SECONDS
    halt_after(where, signal.Signals[how])
    asyncio.run(main(int(sweep), me))
