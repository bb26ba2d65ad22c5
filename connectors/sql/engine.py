"""One connection pool a store: drivers, time-outs, isolation, and the session's settings.

PostgreSQL speaks asyncpg, MariaDB and MySQL asyncmy, SQLite aiosqlite. A store's URL may name the
driver or leave it out. Times are seconds.
"""

from __future__ import annotations

from bisect import bisect_left
from datetime import datetime, timedelta, tzinfo
from functools import lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from connectors.sql.arrays import PostgreSQL
from connectors.sql.dialect import Dialect
from connectors.sql.lists import MariaDB, SQLite

APPLICATION = "erasure-worker"
LOCK_WAIT = 10.0
"""Seconds to wait for a row that somebody else holds before the store counts as busy."""
CONNECT_WAIT = 10.0

_DRIVERS = {
    "postgresql": "postgresql+asyncpg",
    "postgres": "postgresql+asyncpg",
    "mysql": "mysql+asyncmy",
    "mariadb": "mariadb+asyncmy",
    "sqlite": "sqlite+aiosqlite",
}


def make_engine(url: str, zone: str, *, pool_size: int, statement_timeout: float) -> AsyncEngine:
    """Make the pool of one store. Connects to nothing yet.

    Raises SQLAlchemy's ``ArgumentError`` when the URL is none of a supported database.
    """
    target = _with_driver(sa.make_url(url))
    lock_wait = min(LOCK_WAIT, statement_timeout)
    match target.get_backend_name():
        case "postgresql":
            return create_async_engine(
                target,
                pool_size=pool_size,
                max_overflow=0,
                connect_args={
                    "timeout": CONNECT_WAIT,
                    "server_settings": {
                        "application_name": APPLICATION,
                        "TimeZone": zone,
                        "statement_timeout": str(round(statement_timeout * 1000)),
                        "lock_timeout": str(round(lock_wait * 1000)),
                    },
                },
            )
        case "mysql" | "mariadb":
            return create_async_engine(
                target,
                pool_size=pool_size,
                max_overflow=0,
                pool_recycle=1800,
                isolation_level="READ COMMITTED",
                connect_args={
                    "connect_timeout": CONNECT_WAIT,
                    "read_timeout": statement_timeout + CONNECT_WAIT,
                    "charset": "utf8mb4",
                    "init_command": f"SET SESSION innodb_lock_wait_timeout = {round(lock_wait)}",
                },
            )
        case _:
            return _sqlite(target, ZoneInfo(zone), pool_size=pool_size, lock_wait=lock_wait)


def _with_driver(url: URL) -> URL:
    if url.drivername in _DRIVERS:
        return url.set(drivername=_DRIVERS[url.drivername])
    if url.drivername in _DRIVERS.values():
        return url
    raise ArgumentError("not a supported database")


def _sqlite(url: URL, zone: tzinfo, *, pool_size: int, lock_wait: float) -> AsyncEngine:
    """Open an existing file only: a missing one is a store that is away, not an empty store."""
    if not url.database or url.database == ":memory:" or url.database.startswith("file:"):
        raise ArgumentError("a SQLite store is given by the path of its file")
    file = Path(url.database)
    path = url.database.replace("%", "%25").replace("?", "%3f").replace("#", "%23")
    url = url.set(database=f"file:{path}").update_query_dict({"mode": "rw", "uri": "true"})
    engine = create_async_engine(
        url, pool_size=pool_size, max_overflow=0, connect_args={"timeout": lock_wait}
    )

    @event.listens_for(engine.sync_engine, "do_connect")
    def connecting(*_: object) -> None:
        """Say so before a thread is started for nothing."""
        if not file.is_file():
            raise FileNotFoundError("the store's file is not there")

    @event.listens_for(engine.sync_engine, "connect")
    def connected(connection: Any, _: Any) -> None:
        """Leave transactions to us, switch foreign keys on, add the functions SQLite lacks."""
        connection.isolation_level = None
        connection.create_function(
            "erasure_date", 1, lambda value: iso_date(value, zone), deterministic=True
        )
        connection.create_function("erasure_lower", 1, _lower, deterministic=True)
        connection.create_function("erasure_step", 2, _step, deterministic=True)
        cursor = connection.cursor()
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def begun(connection: sa.Connection) -> None:
        """A writer takes the write lock at once: between look and deed nothing can change."""
        writing = connection.get_execution_options().get("erasure_writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")

    return engine


def iso_date(value: object, zone: tzinfo) -> str | None:
    """Return the date of an ISO 8601 text in ``zone``; what is no date is unknown (None)."""
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value.strip())
        if moment.tzinfo is not None:
            moment = moment.astimezone(zone)
    except (ValueError, OverflowError):
        return None
    return moment.date().isoformat()


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


def _step(day: str | None, cutoffs: str) -> int | None:
    """Count the cut-offs, ISO dates in ascending order, that lie before a day."""
    return None if day is None else bisect_left(_parted(cutoffs), day)


@lru_cache(maxsize=64)
def _parted(cutoffs: str) -> list[str]:
    return cutoffs.split(",")


def whole_limit(statements: int, statement_timeout: float) -> timedelta:
    """How long a unit of work may take before its line counts as dead."""
    return timedelta(seconds=CONNECT_WAIT + statement_timeout * (statements + 1))


def dialect_of(name: str) -> Dialect:
    """Return the dialect for SQLAlchemy's name of it."""
    match name:
        case "postgresql":
            return PostgreSQL()
        case "sqlite":
            return SQLite()
        case _:
            return MariaDB()
