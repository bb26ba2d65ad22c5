"""The worker of the demo: ``erasure run`` as a process, as a service manager would start it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from worker.demo.failing import DemoFailed

_CHECKOUT = Path(__file__).resolve().parents[2]
# The installed command by another name: it is there also where only the checkout is.
COMMAND = (sys.executable, "-c", "from worker.cli import main; main()")
_PREFIX = "ERASURE_"
_STOP_SECONDS = 5.0
_LINES_SHOWN = 8


def environment(settings: Mapping[str, str]) -> dict[str, str]:
    """The variables of a process with these settings of the worker and no others."""
    # What the user's shell says about another worker must not lead this one to their stores.
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(_PREFIX)}
    path = os.pathsep.join(filter(None, (str(_CHECKOUT), inherited.get("PYTHONPATH"))))
    return {**inherited, "PYTHONPATH": path, **settings}


class WorkerProcess:
    """``erasure run`` with the settings given and no others; its lines go to ``log``."""

    def __init__(self, settings: Mapping[str, str], log: Path) -> None:
        self._settings = settings
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it. It runs in a session of its own: Ctrl-C reaches the demo, which stops it."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                (*COMMAND, "run"),
                env=environment(self._settings),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def check(self) -> None:
        """Raise DemoFailed when it has ended by itself."""
        code = self._process.poll() if self._process else None
        if code is not None:
            lines = self._log.read_text(errors="replace").splitlines()[-_LINES_SHOWN:]
            said = "".join(f"\n  {line}" for line in lines)
            raise DemoFailed(f"the worker ended by itself (exit code {code}); it said last:{said}")

    def stop(self) -> None:
        """Ask it to finish what it has in hand, as SIGTERM does; kill it if that takes too long."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(_STOP_SECONDS)
        finally:
            self._process.kill()
            self._process.wait()
