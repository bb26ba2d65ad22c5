"""The worker as a process of its own, to be stopped, killed, started again and read from."""

from __future__ import annotations

import asyncio
import os
import shlex
import signal
import sys
from collections.abc import Mapping
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Self

from tests.support.forks import FORKS

_STOP_SECONDS = 60.0


class WorkerProcess:
    """One process. Its log is in the file ``log``; ``with`` makes sure that it ends."""

    def __init__(
        self,
        settings: Mapping[str, str],
        log: Path,
        *,
        kill: str = "",
        only: str = "",
        trace: Path | None = None,
        patient: bool = False,
        command: str = "",
    ) -> None:
        """Start it.

        Args:
            settings: the worker's variables, ``ERASURE_…``.
            log: file that its log is appended to.
            kill: ``before|after STEP NTH``, a step of the driver where it kills itself.
            only: parts to run, with commas; all of them when empty.
            trace: file that gets a line for every step it has done.
            patient: whether it supposes that somebody died no sooner than in earnest.
            command: what to type instead, such as ``erasure run --only crm``: then it is the
                installed program, with its own waits.
        """
        self.log = log
        own = {"WORKER_KILL": kill, "WORKER_ONLY": only, "WORKER_TRACE": str(trace or "")}
        own |= {"WORKER_PATIENT": "yes" if patient else "", "WORKER_COMMAND": command}
        self._hears = FORKS.Event()
        self._process = FORKS.Process(target=_become, args=({**settings, **own}, log, self._hears))
        self._process.start()

    @property
    def ended(self) -> int | None:
        """The exit code, negative for a signal; None while it runs."""
        return self._process.exitcode

    def kill(self) -> None:
        """End it at once (SIGKILL)."""
        self._process.kill()
        self._process.join()

    async def over(self) -> int | None:
        """Wait until it ends by itself, and give its exit code; None: it goes on and on."""
        await asyncio.to_thread(self._process.join, _STOP_SECONDS)
        return self.ended

    async def stop(self) -> int | None:
        """Ask it to end (SIGTERM), wait for it, and give its exit code."""
        await asyncio.to_thread(self._hears.wait, _STOP_SECONDS)
        if self.ended is None and self._process.pid is not None:
            os.kill(self._process.pid, signal.SIGTERM)
        # Not in the loop's own thread: gates run there, and the worker closes its lines to them.
        await asyncio.to_thread(self._process.join, _STOP_SECONDS)
        if self.ended is None:
            self.kill()
            raise TimeoutError("the worker did not stop when it was asked to")
        return self.ended

    def __enter__(self) -> Self:
        """It runs already."""
        return self

    def __exit__(self, *_: object) -> None:
        """Leave no process behind."""
        self.kill()


def _become(variables: Mapping[str, str], log: Path, hears: Event) -> None:
    """Turn a fresh fork into the worker: its variables, its log, its program."""
    # As the command does it: told to stop while it starts, it has nothing in hand.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    hears.set()
    os.environ.update(variables)
    with log.open("ab") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    if command := os.environ.pop("WORKER_COMMAND"):
        from worker.cli.app import run_command_line

        sys.argv = shlex.split(command)
        run_command_line()
        return
    from tests.faults import killable_worker

    killable_worker.main()
