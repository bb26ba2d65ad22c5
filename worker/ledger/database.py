"""Opening the ledger, on PostgreSQL or on SQLite: transactions, and what they end as."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import orjson
from sqlalchemy import QueuePool, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import (
    ArgumentError,
    DBAPIError,
    IntegrityError,
    InterfaceError,
    OperationalError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from connectors.sql.engine import APPLICATION

DRIVERS = {"postgresql": "postgresql+asyncpg", "sqlite": "sqlite+aiosqlite"}

_TORN = (asyncpg.InterfaceError, asyncpg.InternalClientError)
_DRIVERS_OWN = (asyncpg.PostgresError, *_TORN)

Connection = AsyncConnection
"""One open transaction, as every question takes it."""


class LedgerAway(Exception):
    """The ledger cannot be reached now. Nothing was decided: try the same again later."""


class LedgerConflict(Exception):
    """Another worker wrote the same at the same moment. Nothing was changed: try again at once."""


class Ledger:
    """The truth. Every write happens inside one :meth:`begin`, and what it read stays true there.

    A connection that breaks becomes :class:`LedgerAway`; anything else is a bug and surfaces.
    """

    def __init__(self, url: str, *, pool_size: int = 10) -> None:
        try:
            parsed = make_url(url)
        except ArgumentError:
            raise ValueError("the URL cannot be read: postgresql://… or sqlite:///…") from None
        name = parsed.get_backend_name()
        if name not in DRIVERS:
            raise ValueError(f"a ledger on {name} is not supported: use postgresql or sqlite")
        self.dialect = name
        options: dict[str, Any] = {
            "hide_parameters": True,
            "json_serializer": lambda value: orjson.dumps(value).decode(),
            "json_deserializer": orjson.loads,
        }
        if name == "postgresql":
            options |= {"pool_size": pool_size, "max_overflow": 0, "pool_timeout": 30}
            # By this name a sweep knows us from others, where a store is on the ledger's server.
            options |= {"connect_args": {"server_settings": {"application_name": APPLICATION}}}
        else:
            # A writer waits this long for the other one; SQLite has one at a time.
            options |= {"connect_args": {"timeout": 30}}
        self.engine: AsyncEngine = create_async_engine(
            parsed.set(drivername=DRIVERS[name]), **options
        )
        # The driver's own transactions, under a connection of SQLAlchemy's that adds none to them.
        self._plain = self.engine.execution_options(isolation_level="AUTOCOMMIT")
        if name == "sqlite":
            _prepare_sqlite(self.engine)

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[AsyncConnection]:
        """One transaction: committed when the block ends, rolled back when it raises."""
        try:
            async with self._transaction() as connection:
                yield connection
        # What goes past SQLAlchemy raises asyncpg's own errors.
        except (DBAPIError, PoolTimeout, OSError, *_DRIVERS_OWN) as error:
            if _hides_a_cancellation(error):
                raise asyncio.CancelledError from None
            if _is_duplicate(error):
                raise LedgerConflict("a row with this key is there already") from None
            if is_away(error):
                raise LedgerAway(type(error).__name__) from None
            raise

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[AsyncConnection]:
        if self.dialect != "postgresql":
            async with self.engine.begin() as connection:
                yield connection
            return
        while driver_of(connection := await self._plain.connect()).is_closed():
            # It broke while it lay in the pool; so may others beside it.
            await _discard(connection)
        driver = driver_of(connection)
        torn = False
        try:
            async with driver.transaction():
                yield connection
        except BaseException as error:
            # Cancelled in the middle of a statement, it cannot be rolled back: whoever had the
            # connection next would write into the transaction that is still open on it.
            torn = not isinstance(error, Exception) or isinstance(error, _TORN)
            raise
        finally:
            # SQLAlchemy does not see a connection break under it, and would hand it out again.
            broken = torn or driver.is_closed()
            await asyncio.shield(_discard(connection) if broken else connection.close())

    def pool(self) -> tuple[int, int]:
        """How many connections are in use, and how many there may be at most."""
        pool = self.engine.pool
        if not isinstance(pool, QueuePool):
            return 0, 0
        return pool.checkedout(), pool.size()

    async def close(self) -> None:
        """Give back every connection."""
        await self.engine.dispose()


def is_away(error: BaseException) -> bool:
    """Whether an error means that the ledger is unreachable, busy or shutting down."""
    if isinstance(error, InterfaceError | PoolTimeout | asyncpg.InterfaceError | OSError):
        return True
    if isinstance(error, asyncpg.InternalClientError):
        return True  # Rolling back on a line that broke in the middle of an answer.
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    state = str(getattr(getattr(error, "orig", error), "sqlstate", "") or "")
    if state:
        # Connection, resources, shutdown, and two transactions that crossed each other.
        return state[:2] in {"08", "53", "57", "58"} or state in {"40001", "40P01", "55P03"}
    return isinstance(error, OperationalError)


def _hides_a_cancellation(error: BaseException) -> bool:
    """Whether the error only says that what was cancelled could not be rolled back.

    Whoever waits for the ledger and tries again would never end otherwise.
    """
    link: BaseException | None = error
    while link is not None:
        if isinstance(link, asyncio.CancelledError):
            return True
        link = link.__context__
    return False


def _is_duplicate(error: Exception) -> bool:
    """Whether two wrote the same key; any other broken constraint is a bug and must surface."""
    cause = getattr(error, "orig", error)
    return getattr(cause, "sqlstate", None) == "23505" or (
        isinstance(error, IntegrityError) and "UNIQUE" in str(cause)
    )


def _prepare_sqlite(engine: AsyncEngine) -> None:
    """Make SQLite keep the same promises: foreign keys on, WAL, writers one after another."""

    @event.listens_for(engine.sync_engine, "connect")
    def _connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in ("foreign_keys=ON", "journal_mode=WAL", "synchronous=FULL"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: Any) -> None:
        # Taking the writer's lock at once: a transaction that reads first could not get it later.
        connection.exec_driver_sql("BEGIN IMMEDIATE")


async def _discard(connection: AsyncConnection) -> None:
    await connection.invalidate()
    await connection.close()


def driver_of(connection: AsyncConnection) -> asyncpg.Connection:
    """The driver's connection, in whose transaction this one is."""
    assert connection.sync_connection is not None  # noqa: S101 - it is open
    return connection.sync_connection.connection.driver_connection
