"""A worker that has stopped leaves, whatever will not end beside it."""

from __future__ import annotations

import subprocess
import sys

import pytest

_PROGRAM = """
import asyncio
from worker.streams.leaving import run_to_the_end

async def stubborn():
    while True:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            pass

async def work():
    if {stubborn}:
        global kept
        kept = asyncio.create_task(stubborn())
        await asyncio.sleep(0)
    if {fails}:
        raise KeyError

run_to_the_end(work(), patience=0.5)
print("left by itself")
"""


@pytest.mark.parametrize(
    ("stubborn", "fails", "code", "left"),
    [(False, False, 0, True), (True, False, 0, False), (True, True, 75, False)],
)
def test_the_process_ends(stubborn: bool, fails: bool, code: int, left: bool) -> None:
    """A task that swallows its cancellation is left behind: with 0, or with 75 after an error."""
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM.format(stubborn=stubborn, fails=fails)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, "left by itself" in done.stdout) == (code, left), done.stderr
    assert ("leaves behind" in done.stderr) is stubborn
