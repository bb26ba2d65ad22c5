"""A process whose event loop is stuck ends itself; one whose loop turns does not."""

from __future__ import annotations

import subprocess
import sys

import pytest

from worker.streams.watchdog import EXIT_STUCK

PROGRAM = """
import asyncio, time
from worker.observe.here import Here
from worker.streams.watchdog import Watchdog

async def main():
    stop = asyncio.Event()
    watched = asyncio.create_task(Watchdog(Here(), limit=2.0).run(stop))
    await asyncio.sleep(0.1)
    {then}
    stop.set()
    await watched

asyncio.run(main())
"""


@pytest.mark.parametrize(
    ("then", "code"), [("time.sleep(60)", EXIT_STUCK), ("await asyncio.sleep(0.1)", 0)]
)
def test_a_stuck_loop_ends_the_process(then: str, code: int) -> None:
    """A coroutine that blocks ends the process with 75 for the supervisor; one that waits, not."""
    program = PROGRAM.format(then=then)
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert ended.returncode == code, ended.stderr
