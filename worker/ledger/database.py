"""Opening the ledger, on PostgreSQL or on SQLite, and the two ways of talking to it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import orjson
from sqlalchemy import (
    ARRAY,
    Column,
    ColumnElement,
    Dialect,
    Insert,
    QueuePool,
    Select,
    Table,
    Update,
    any_,
    bindparam,
    event,
    func,
    insert,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
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
from sqlalchemy.sql.dml import ReturningInsert, ReturningUpdate

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
        while _driver(connection := await self._plain.connect()).is_closed():
            # It broke while it lay in the pool; so may others beside it.
            await _discard(connection)
        driver = _driver(connection)
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


async def add_rows(
    connection: AsyncConnection,
    table: Table,
    columns: Sequence[str],
    rows: Sequence[Sequence[Any]],
) -> None:
    """Insert many rows: by COPY on PostgreSQL (the cheapest way by far), else in one statement."""
    if not rows:
        return
    if connection.dialect.name != "postgresql":
        await connection.execute(
            insert(table), [dict(zip(columns, row, strict=True)) for row in rows]
        )
        return
    values = [
        _bound(table.c[name], column, connection.dialect)
        for name, column in zip(columns, zip(*rows, strict=True), strict=True)
    ]
    await _driver(connection).copy_records_to_table(
        table.name, records=list(zip(*values, strict=True)), columns=columns
    )


async def _discard(connection: AsyncConnection) -> None:
    await connection.invalidate()
    await connection.close()


def _driver(connection: AsyncConnection) -> asyncpg.Connection:
    """The driver's connection, in whose transaction this one is."""
    assert connection.sync_connection is not None  # noqa: S101 - it is open
    return connection.sync_connection.connection.driver_connection


def _bound(column: Column[Any], values: Sequence[Any], dialect: Dialect) -> Sequence[Any]:
    """The values as the driver takes them. One that stands in many rows is converted once."""
    bind = column.type.dialect_impl(dialect).bind_processor(dialect)
    if bind is None:
        return values
    done: dict[int, Any] = {}
    return [
        done[id(value)] if id(value) in done else done.setdefault(id(value), bind(value))
        for value in values
    ]


OnConflictInsert = postgresql.Insert | sqlite.Insert
Statement = Select[*tuple[Any, ...]] | Insert | Update | ReturningInsert[Any] | ReturningUpdate[Any]
Within = Callable[[ColumnElement[Any], str], ColumnElement[bool]]
"""Says that a column is one of the values given by a name, in the way of a database."""


class Hot:
    """A statement that runs for every command: made once, given its values by name.

    On PostgreSQL SQLAlchemy only writes it, the first time; then it goes straight to the driver.
    What SQLAlchemy does for an execution costs more than the driver's and the server's work on
    one row. Values must be such as the driver takes: aware times, numbers, ids, lists of ids.
    """

    def __init__(self, make: Callable[[Within], Statement]) -> None:
        self._make = make
        self._statement: Statement | None = None
        self._written: tuple[str, Sequence[str], Mapping[str, Any]] | None = None

    async def rows(self, connection: AsyncConnection, **values: Any) -> Sequence[Sequence[Any]]:
        """Run it; the rows it returns, their columns in its order."""
        if connection.dialect.name != "postgresql":
            if self._statement is None:
                self._statement = self._make(_in_list)
            return (await connection.execute(self._statement, values)).all()
        if self._written is None:
            written = self._make(_in_array).compile(dialect=connection.dialect)
            self._written = (str(written), written.positiontup or (), written.params)
        text, names, fixed = self._written
        given = [values[name] if name in values else fixed[name] for name in names]
        rows: Sequence[Sequence[Any]] = await _driver(connection).fetch(text, *given)
        return rows


class ByColumn:
    """A hot statement whose rows are wanted column by column.

    On PostgreSQL they come as one row of arrays, which the driver reads in one go: a result of
    500 rows costs a tenth of what 500 row objects cost.
    """

    def __init__(self, make: Callable[[Within], Select[Any] | ReturningUpdate[Any]]) -> None:
        self._rows = Hot(make)
        self._gathered = Hot(lambda within: _gathered(make(within)))
        self._width = len(make(_in_list).exported_columns)

    async def fetch(self, connection: AsyncConnection, **values: Any) -> list[list[Any]]:
        """One list a column, all of the same length."""
        if connection.dialect.name == "postgresql":
            (row,) = await self._gathered.rows(connection, **values)
            return [column or [] for column in row]
        rows = await self._rows.rows(connection, **values)
        if not rows:
            return [[] for _ in range(self._width)]
        return [list(column) for column in zip(*rows, strict=True)]


def _gathered(statement: Select[Any] | ReturningUpdate[Any]) -> Select[Any]:
    found = statement.cte("found")
    columns: list[ColumnElement[Any]] = [func.array_agg(column) for column in found.c]
    return select(*columns)


def _in_array(column: ColumnElement[Any], name: str) -> ColumnElement[bool]:
    return column == any_(bindparam(name, type_=ARRAY(column.type)))


def _in_list(column: ColumnElement[Any], name: str) -> ColumnElement[bool]:
    return column.in_(bindparam(name, expanding=True))


def insert_if_new(connection: AsyncConnection, table: Table) -> OnConflictInsert:
    """An INSERT that does nothing when a row with its key is there, or comes at this moment."""
    if connection.dialect.name == "postgresql":
        return postgresql.insert(table).on_conflict_do_nothing()
    return sqlite.insert(table).on_conflict_do_nothing()


def among(
    connection: AsyncConnection, column: ColumnElement[Any], values: Sequence[Any]
) -> ColumnElement[bool]:
    """``column`` is one of ``values``: one array bind on PostgreSQL, so one plan for any number."""
    if connection.dialect.name == "postgresql":
        return column == any_(bindparam(None, list(values), type_=ARRAY(column.type)))
    return column.in_(list(values))
