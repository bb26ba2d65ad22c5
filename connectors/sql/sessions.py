"""A store's connections: opened lazily, looked at once, and left as they were found.

The first use looks at the declared tables and checks that they fit. A fault leaves nothing behind
but a rolled-back transaction, except where :class:`connectors.faults.RetryLater` says that a commit
is in doubt.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from connectors.base import Finding, PoolUse, Timed
from connectors.faults import Misfit
from connectors.mapping import Shape, StoreMapping
from connectors.sql import fitting
from connectors.sql.columns import Column, Family
from connectors.sql.dialect import Dialect
from connectors.sql.engine import dialect_of, make_engine, whole_limit
from connectors.sql.errors import Phase, guarded, translate
from connectors.sql.indexes import links_served
from connectors.sql.plans import Plan
from connectors.sql.reflect import Reflection, reflect
from connectors.sql.resolve import Finder, finders
from connectors.sql.watching import watch

T = TypeVar("T")

_SET = sa.text("SELECT set_config(:name, :value, false)")
_SETTINGS = "erasure_settings"
"""Where it stands beside a connection which settings its session was given."""
Settings = Mapping[str, str]
"""Settings of a session on PostgreSQL, by name."""


class Aim(StrEnum):
    """What a piece of work is to do with the rows of its people."""

    ERASE = "erase"
    RESTRICT = "restrict"
    LIFT = "lift"


@dataclass(frozen=True, slots=True)
class Opened:
    """What the engine knows once it has looked at the store."""

    dialect: Dialect
    reflection: Reflection
    finders: tuple[Finder, ...]
    root: tuple[Column, ...]
    prelude: sa.TextClause | None
    returning: bool
    """Whether a DELETE can return what it took."""
    served: bool
    """Whether every way from table to table has an index."""
    plans: dict[tuple[Aim, Shape], Plan] = field(default_factory=dict)
    parts: dict[Any, Any] = field(default_factory=dict)
    """What sweeps have worked out of its tables: statements for parts, and the ways to walk."""


class Sessions:
    """The connections to one store. ``timeout`` of a statement is in seconds.

    Raises ``Misfit`` when the URL names no known database.
    """

    def __init__(self, mapping: StoreMapping, url: str, pool_size: int, timeout: float) -> None:
        self._mapping = mapping
        self._timeout = timeout
        self._size = pool_size
        self._engine = _engine(mapping, url, pool_size, timeout)
        self.postgresql = self._engine.dialect.name == "postgresql"
        self.sqlite = self._engine.dialect.name == "sqlite"
        self._opened: Opened | None = None
        self._opening = asyncio.Lock()

    def watch(self, pool: str, told: Timed) -> None:
        """Tell how long each statement takes, under the pool's name."""
        watch(self._engine.sync_engine, pool, told)

    def use(self) -> PoolUse:
        """Connections in use now, and at the most."""
        return PoolUse(_checked_out(self._engine.pool), self._size)

    async def close(self) -> None:
        """Give back every connection."""
        await self._engine.dispose()

    async def run(self, work: Callable[[], Awaitable[T]], phase: Phase | None = None) -> T:
        """Run as guarded; after a misfit look at the store anew, in case it was mended."""
        try:
            return await guarded(work, phase)
        except Misfit:
            self._opened = None
            raise

    async def look(self) -> tuple[Reflection, list[Finding]]:
        """Look at the store as it is now, and tell what forbids work on it."""
        async with asyncio.timeout(self._limit(0)), self._engine.connect() as connection:
            reflection = await connection.run_sync(reflect, self._mapping)
            dialect = dialect_of(self._engine.dialect.name)
            problems = fitting.errors(dialect, self._mapping, reflection)
            if not problems:
                await self._enter(connection, self._prelude(reflection))
        return reflection, problems

    async def open(self) -> Opened:
        """Look at the store, once. Raises ``Misfit`` when it does not fit the mapping."""
        if self._opened is not None:
            return self._opened
        async with self._opening:
            if self._opened is None:
                async with asyncio.timeout(self._limit(0)), self._engine.connect() as connection:
                    reflection = await connection.run_sync(reflect, self._mapping)
                self._opened = self._make(reflection)
            return self._opened

    @asynccontextmanager
    async def reading(
        self, opened: Opened, statements: int, settings: Settings | None = None
    ) -> AsyncIterator[AsyncConnection]:
        """Open a connection to read. PostgreSQL needs no BEGIN for it, which saves a round trip."""
        async with (
            asyncio.timeout(self._limit(statements)),
            self._engine.connect() as connection,
        ):
            if self.postgresql:
                await connection.execution_options(isolation_level="AUTOCOMMIT")
                await self._give(connection, settings)
            await self._enter(connection, opened.prelude)
            yield connection

    @asynccontextmanager
    async def writing(
        self, opened: Opened, statements: int, phase: Phase, settings: Settings | None = None
    ) -> AsyncIterator[AsyncConnection]:
        """Open a transaction that is committed when the block ends, rolled back when it raises."""
        async with (
            asyncio.timeout(self._limit(statements)),
            self._engine.connect() as connection,
        ):
            if self.postgresql:
                await self._give(connection, settings)
            await connection.execution_options(erasure_writes=True)
            transaction = await connection.begin()
            await self._enter(connection, opened.prelude)
            yield connection
            phase.committing = True
            try:
                await transaction.commit()
            except DBAPIError:
                # SQLite keeps a transaction (and its lock) whose COMMIT a constraint refused.
                await transaction.rollback()
                raise

    def _make(self, reflection: Reflection) -> Opened:
        dialect = dialect_of(self._engine.dialect.name)
        problems = fitting.errors(dialect, self._mapping, reflection)
        if problems:
            more = f" (and {len(problems) - 1} more)" if problems[1:] else ""
            raise Misfit("mapping", f"{problems[0].what}{more}: {problems[0].todo}")
        root = reflection.relations[self._mapping.root.name]
        prelude = self._prelude(reflection)
        returning = self._engine.dialect.delete_returning
        served = links_served(reflection.relations)
        return Opened(
            dialect, reflection, finders(dialect, root), root.key, prelude, returning, served
        )

    def _prelude(self, reflection: Reflection) -> sa.TextClause | None:
        """Set MariaDB's zone where an anchor is a TIMESTAMP, which is shown in the session's."""
        if self._engine.dialect.name not in ("mysql", "mariadb"):
            return None
        for table in self._mapping.tables:
            if any(
                reflection.relations[holder.name].columns[anchor.column].family is Family.INSTANT
                for holder, anchor in fitting.anchors(self._mapping, table)
            ):
                return sa.text("SET time_zone = :zone").bindparams(zone=self._mapping.time_zone)
        return None

    async def _give(self, connection: AsyncConnection, settings: Settings | None) -> None:
        """Let a session have these settings beside its own, or none: once, while it has them."""
        info = connection.info
        if info.get(_SETTINGS) == settings:
            return
        info.pop(_SETTINGS, None)
        await connection.exec_driver_sql("RESET ALL")
        for name, value in (settings or {}).items():
            await connection.execute(_SET, {"name": name, "value": value})
        await connection.commit()
        info[_SETTINGS] = settings

    async def _enter(self, connection: AsyncConnection, prelude: sa.TextClause | None) -> None:
        if prelude is None:
            return
        try:
            await connection.execute(prelude)
            return
        except DBAPIError as error:
            fault = translate(error)
        if isinstance(fault, Misfit):
            raise Misfit(
                "time-zone",
                f"the store does not know the zone {self._mapping.time_zone}, in which its "
                "TIMESTAMP anchors must be read: load its zone tables (mysql_tzinfo_to_sql)",
            )
        raise fault

    def _limit(self, statements: int) -> float:
        return whole_limit(statements, self._timeout).total_seconds()


def _checked_out(pool: sa.Pool) -> int:
    return pool.checkedout() if isinstance(pool, sa.QueuePool) else 0


def _engine(mapping: StoreMapping, url: str, pool_size: int, timeout: float) -> AsyncEngine:
    """Make the pool; a URL that is none is told without being shown, it may hold a password."""
    try:
        return make_engine(url, mapping.time_zone, pool_size=pool_size, statement_timeout=timeout)
    except (ArgumentError, ValueError) as error:
        fault = translate(error) if isinstance(error, ArgumentError) else None
    raise fault or Misfit("bad-url", "the store's URL cannot be read")
