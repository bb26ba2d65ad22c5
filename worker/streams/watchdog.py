"""Ends the process when its event loop is stuck: the supervisor starts a new one."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # what it holds is much to load, and the command line wants the number below
    from worker.observe.here import Here

EXIT_STUCK = 75
"""EX_TEMPFAIL of sysexits.h: try again."""


class Watchdog:
    """A thread that expects the loop to turn at least every ``limit`` seconds."""

    def __init__(self, here: Here, limit: float = 60.0) -> None:
        self._here = here
        self._limit = limit
        self._here.turned = time.monotonic()
        self._over = threading.Event()

    async def run(self, stop: asyncio.Event) -> None:
        """Turn with the loop until ``stop`` is set."""
        thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)
        thread.start()
        try:
            while not stop.is_set():
                self._here.turned = time.monotonic()
                await asyncio.sleep(1.0)
        finally:
            self._over.set()

    def _watch(self) -> None:
        while not self._over.wait(self._limit / 10):
            if time.monotonic() - self._here.turned > self._limit:
                print("the event loop is stuck: ending the process", file=sys.stderr, flush=True)
                os._exit(EXIT_STUCK)
