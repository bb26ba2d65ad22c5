"""A running ``erasure demo``, as a user starts it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

ERASURE = (sys.executable, "-c", "from worker.cli import main; main()")
CHECKOUT = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 150.0


class Demo:
    """A running ``erasure demo`` with a temporary directory of its own."""

    def __init__(self, directory: Path, *options: str) -> None:
        self.directory = directory
        self.lines: list[str] = []
        self._process = subprocess.Popen(
            (*ERASURE, "demo", *options),
            cwd=CHECKOUT,
            env={**os.environ, "TMPDIR": str(directory), "BROWSER": "true"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
        )
        self._reading = threading.Thread(target=self._read, daemon=True)
        self._reading.start()

    @property
    def text(self) -> str:
        """What it has said so far, as one line: where it wraps is nobody's business."""
        return " ".join(" ".join(self.lines).split())

    def wait_for(self, said: str) -> None:
        """Wait until it says something."""
        end = time.monotonic() + PATIENCE_SECONDS
        while said not in self.text:
            assert self._process.poll() is None, f"ended before it said {said!r}:\n{self.text}"
            assert time.monotonic() < end, f"never said {said!r}:\n{self.text}"
            time.sleep(0.05)

    @property
    def page(self) -> tuple[str, str]:
        """Address and token of its page, once it has said them."""
        words = self.text.split()
        url = next(word for word in words if word.startswith("http://127.0.0.1:"))
        return url.rstrip(";"), next(word for word in words if word.startswith("erasure_"))

    def send(self, number: signal.Signals) -> None:
        """Send it a signal, and it alone."""
        self._process.send_signal(number)

    def end(self) -> int:
        """Wait for its end; returns its exit code."""
        code = self._process.wait(PATIENCE_SECONDS)
        self._reading.join(PATIENCE_SECONDS)
        return code

    def processes(self) -> list[psutil.Process]:
        """Everything it has started that still runs, whoever is its parent by now."""
        return [
            process
            for process in psutil.process_iter()
            if process.pid != self._process.pid and self._is_ours(process)
        ]

    def _is_ours(self, process: psutil.Process) -> bool:
        try:
            return process.status() != psutil.STATUS_ZOMBIE and process.environ().get(
                "TMPDIR"
            ) == str(self.directory)
        except psutil.Error:
            return False

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.lines.append(line)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave nothing behind of a demo that a test gave up on."""
        for process in [*self.processes(), self._process] if error else ():
            process.kill()
        self._process.wait(PATIENCE_SECONDS)
        self._reading.join(PATIENCE_SECONDS)
        if self._process.stdout is not None:
            self._process.stdout.close()


@contextmanager
def short_directory() -> Iterator[Path]:
    """A temporary directory with a short name, which the server's own user may enter."""
    path = Path(tempfile.mkdtemp(prefix="demo-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


def nothing_left(demo: Demo) -> bool:
    """Tell whether neither a process nor a file of the demo is there any more."""
    return not demo.processes() and not list(demo.directory.iterdir())
