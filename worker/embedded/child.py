"""One server process of ours: start it, wait until it answers, stop it or kill it, by its pid."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

_POLL_SECONDS = 0.02
_LOG_LINES_SHOWN = 15


class ServerFailed(RuntimeError):
    """A server of ours did not start, ended by itself or refused; the text says more."""


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def listens(port: int) -> bool:
    """Tell whether something accepts connections on a TCP port of 127.0.0.1."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False


class Child:
    """A server process that lives no longer than its owner wants.

    It runs in a session of its own, so that Ctrl-C in a terminal reaches the worker alone, which
    then stops the server after it has finished with it. It may be started again after it ended.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        log: Path,
        *,
        user: str | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
    ) -> None:
        """Describe the process; nothing is started yet.

        Args:
            name: what a person calls the server, for error texts.
            command: program and arguments.
            log: file that standard output and error are appended to.
            user: system user to run as, for servers that refuse to run as root.
            stop_signal: what asks this server to end in good order.
        """
        self.name = name
        self.log = log
        self._command = tuple(command)
        self._user = user
        self._stop_signal = stop_signal
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The process id, or None while it does not run."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def start(self, ready: Callable[[], bool], timeout: float) -> None:
        """Start the process and wait until it is ready.

        Args:
            ready: asked again and again until it says True.
            timeout: seconds to wait at the most.

        Raises:
            ServerFailed: it ended or did not get ready in time; it is not running then.
        """
        if self.pid is not None:
            raise ServerFailed(f"{self.name} already runs; stop it before it is started again")
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                user=self._user,
                # The initial groups of root must not go along to the other user.
                extra_groups=[] if self._user else None,
                # A server with another user may not be allowed to stand where its owner stands.
                cwd=os.sep,
                start_new_session=True,
            )
        try:
            self._wait_until(ready, timeout)
        except BaseException:
            self.kill()
            raise

    def _wait_until(self, ready: Callable[[], bool], timeout: float) -> None:
        end = time.monotonic() + timeout
        while not ready():
            if self.pid is None:
                raise ServerFailed(f"{self.name} ended before it was ready{self._last_words()}")
            if time.monotonic() > end:
                raise ServerFailed(
                    f"{self.name} was not ready after {timeout:g} s and was killed"
                    f"{self._last_words()}"
                )
            time.sleep(_POLL_SECONDS)

    def _last_words(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines()[-_LOG_LINES_SHOWN:]
        return "".join(["; its last lines:", *(f"\n  {line}" for line in lines)]) if lines else ""

    def stop(self, grace: float = 20) -> None:
        """Ask the process to end, wait up to ``grace`` seconds, then kill it. Harmless twice."""
        if self._process is None:
            return
        if self.pid is not None:
            self._process.send_signal(self._stop_signal)
        try:
            self._process.wait(grace)
        except subprocess.TimeoutExpired:
            self.kill()
        except BaseException:
            self.kill()  # A second Ctrl-C: leave nothing behind.
            raise

    def kill(self) -> None:
        """End the process at once (SIGKILL), as a power cut would. Harmless when it has ended."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
