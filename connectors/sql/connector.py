"""``SqlConnector``: one store in PostgreSQL, MariaDB, MySQL or SQLite.

Opened lazily: the first use looks at the declared tables and checks that they fit; statements are
built once for each shape and kept. A fault leaves nothing behind but a rolled-back transaction,
except where :class:`connectors.faults.RetryLater` says that a commit is in doubt.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from connectors.base import (
    Capabilities,
    DueInOne,
    Effects,
    FallingDue,
    Finding,
    Lookup,
    Match,
    Remainder,
    Remainders,
    RowFacts,
    Work,
)
from connectors.faults import Misfit, Refused
from connectors.mapping import Cutoffs, Key, Shape, StoreMapping
from connectors.sql import counts, fitting
from connectors.sql.columns import Column, Family
from connectors.sql.counting import Counting
from connectors.sql.dialect import Dialect
from connectors.sql.engine import dialect_of, make_engine, whole_limit
from connectors.sql.errors import Phase, guarded, translate
from connectors.sql.facts import FactReader, identifiers, reader
from connectors.sql.plans import Plan, draw
from connectors.sql.predicates import rules
from connectors.sql.reflect import Reflection, reflect
from connectors.sql.resolve import Finder, finders, resolve
from connectors.sql.restricting import restricting
from connectors.sql.steps import Batch, Tally

T = TypeVar("T")


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
    plans: dict[tuple[Aim, Shape], Plan] = field(default_factory=dict)


class SqlConnector:
    """A store in an SQL database, as its mapping describes it.

    ``url`` is SQLAlchemy's, with or without the driver; ``pool_size`` bounds the connections;
    ``statement_timeout`` is in seconds. Raises ``Misfit`` when the URL names no known database.
    """

    def __init__(
        self,
        mapping: StoreMapping,
        url: str,
        *,
        pool_size: int = 4,
        statement_timeout: float = 30.0,
    ) -> None:
        self._mapping = mapping
        self._aims = {
            Aim.ERASE: mapping,
            Aim.RESTRICT: restricting(mapping, lifted=False),
            Aim.LIFT: restricting(mapping, lifted=True),
        }
        self._timeout = statement_timeout
        self._engine = _engine(mapping, url, pool_size, statement_timeout)
        self._postgresql = self._engine.dialect.name == "postgresql"
        self._opened: Opened | None = None
        self._opening = asyncio.Lock()

    @property
    def mapping(self) -> StoreMapping:
        """The store's tables and groups, as the policy declares them."""
        return self._mapping

    @property
    def capabilities(self) -> Capabilities:
        """Erases, overwrites and re-reads, 500 keys at a time; restricts where that is declared."""
        restrict = any(table.restriction for table in self._mapping.tables)
        return Capabilities(
            erase=True, anonymise=True, restrict=restrict, verify=True, batch_size=500
        )

    def demands(self) -> Sequence[Finding]:
        """What this kind of store asks of its mapping; a plain SQL store asks nothing."""
        return ()

    async def check(self) -> Sequence[Finding]:
        """Compare the running store with the mapping, as it is now."""

        async def look() -> list[Finding]:
            async with asyncio.timeout(self._limit(0)), self._engine.connect() as connection:
                reflection = await connection.run_sync(reflect, self._mapping)
                dialect = dialect_of(self._engine.dialect.name)
                problems = fitting.errors(dialect, self._mapping, reflection)
                if not problems:
                    await self._enter(connection, self._prelude(reflection))
            return [
                *self.demands(),
                *problems,
                *fitting.holes(self._mapping, reflection),
                *fitting.warnings(self._mapping, reflection),
            ]

        return await guarded(look)

    async def count(self) -> Sequence[Finding]:
        """Count the rows that no table means, or more than one, or that lead to nobody."""

        async def look() -> list[Finding]:
            opened = await self._open()
            asked = counts.questions(opened.dialect, self._mapping, opened.reflection)
            found: list[Finding] = []
            for question in asked:
                async with self._reading(opened, 1) as connection:
                    found += await question.ask(connection)
            return found

        return await self._run(look)

    async def resolve(self, lookups: Sequence[Lookup]) -> Sequence[Match]:
        """Find the root rows of a batch of cases: one statement an identifier column."""

        async def find() -> list[Match]:
            opened = await self._open()
            async with self._reading(opened, len(opened.finders)) as connection:
                return await resolve(connection, opened.finders, lookups)

        return await self._run(find) if lookups else ()

    async def erase(self, work: Work) -> Effects:
        """Delete and overwrite in one transaction, children before parents."""
        return await self._change(Aim.ERASE, work)

    async def verify(self, work: Work) -> Remainders:
        """Read again, apart from the erasure's transaction, what is there for these keys."""
        return await self._reread(Aim.ERASE, work)

    async def restrict(self, keys: Sequence[Key], *, lifted: bool) -> Effects:
        """Write into the declared columns that processing is restricted, or no longer is."""
        return await self._change(Aim.LIFT if lifted else Aim.RESTRICT, Work((), {}, keys))

    async def restricted(self, keys: Sequence[Key], *, lifted: bool) -> Remainders:
        """Read again, in a transaction of its own, where the declared columns say otherwise."""
        return await self._reread(Aim.LIFT if lifted else Aim.RESTRICT, Work((), {}, keys))

    async def _change(self, aim: Aim, work: Work) -> Effects:
        phase = Phase()

        async def do() -> Effects:
            opened, plan, batch = await self._prepare(aim, work)
            tally = Tally()
            async with (
                asyncio.timeout(self._limit(len(plan.erase) * 3)),
                self._engine.connect() as connection,
            ):
                await connection.execution_options(erasure_writes=True)
                transaction = await connection.begin()
                await self._enter(connection, opened.prelude)
                noted = [(one, await one.note(connection, batch)) for one in plan.shared]
                for step in plan.erase:
                    await step.run(connection, batch, tally)
                for one, rows in noted:
                    await one.free(connection, work, batch, rows, tally)
                for step in plan.last:
                    await step.run(connection, batch, tally)
                phase.committing = True
                try:
                    await transaction.commit()
                except DBAPIError:
                    # SQLite keeps a transaction (and its lock) whose COMMIT a constraint refused.
                    await transaction.rollback()
                    raise
            return tally.effects

        return await self._run(do, phase) if work.keys else {}

    async def _reread(self, aim: Aim, work: Work) -> Remainders:
        async def read() -> Remainders:
            opened, plan, batch = await self._prepare(aim, work)
            found: dict[Key, Mapping[str, Remainder]] = {}
            async with self._reading(opened, len(plan.verify)) as connection:
                for one in plan.verify:
                    await one.run(connection, batch, found)
            return found

        return await self._run(read) if work.keys else {}

    async def facts(self, key: Key, table: str | None = None) -> Sequence[RowFacts]:
        """Read what decides about one row, or about every row of a person."""
        names = [t.name for t in self._mapping.tables if table is None or t.name == table]

        async def read() -> list[RowFacts]:
            opened = await self._open()
            found: list[RowFacts] = []
            async with self._reading(opened, len(names)) as connection:
                for name in names:
                    one = self._reader(opened, name, of_person=table is None)
                    if one is None:
                        continue
                    if len(one.given) != len(key):
                        raise Refused("bad-key", f"a key of {name} has {len(one.given)} values")
                    found += await one.read(connection, key)
            return found

        return await self._run(read)

    async def identifiers(self, keys: Sequence[Key]) -> Mapping[Key, Sequence[tuple[str, str]]]:
        """Read the identifiers that the root rows of these keys carry."""

        async def read() -> Mapping[Key, Sequence[tuple[str, str]]]:
            opened = await self._open()
            root = opened.reflection.relations[self._mapping.root.name]
            async with self._reading(opened, 1) as connection:
                return await identifiers(connection, opened.dialect, root, keys)

        return await self._run(read) if keys else {}

    async def forecast(self, table: str, cutoffs: Sequence[Cutoffs]) -> Sequence[FallingDue]:
        """Count in one statement when the rows of a table fall due."""

        async def count() -> list[FallingDue]:
            opened, counting = await self._counting(table, cutoffs)
            statement = counting.forecast()
            if statement is None:
                return []
            async with self._reading(opened, 1) as connection:
                return counting.forecast_of((await connection.execute(statement)).all())

        return await self._run(count)

    async def compare(
        self, table: str, pairs: Sequence[tuple[str, str]], cutoffs: Cutoffs
    ) -> Sequence[DueInOne]:
        """Count in one statement the rows that are due by just one of two groups."""

        async def count() -> list[DueInOne]:
            opened, counting = await self._counting(table, [cutoffs])
            statement = counting.comparison(pairs)
            async with self._reading(opened, 1) as connection:
                return counting.comparison_of(pairs, (await connection.execute(statement)).all())

        return await self._run(count) if pairs else ()

    async def _counting(self, table: str, cutoffs: Sequence[Cutoffs]) -> tuple[Opened, Counting]:
        opened = await self._open()
        relations = opened.reflection.relations
        return opened, Counting(opened.dialect, self._mapping, relations, table, cutoffs)

    def _reader(self, opened: Opened, name: str, *, of_person: bool) -> FactReader | None:
        """Build a reader in which every ground can live; shared rows belong to no one person."""
        table = next(t for t in self._mapping.tables if t.name == name)
        if of_person and table.shared_by is not None:
            return None
        every = tuple(sorted({u.ground for group in table.groups for u in group.grounds}))
        relations = opened.reflection.relations
        its = rules(opened.dialect, self._mapping, relations, name, every)
        return reader(its, of_person=of_person)

    async def close(self) -> None:
        """Give back every connection."""
        await self._engine.dispose()

    async def _run(self, work: Callable[[], Awaitable[T]], phase: Phase | None = None) -> T:
        """Run as guarded; after a misfit look at the store anew, in case it was mended."""
        try:
            return await guarded(work, phase)
        except Misfit:
            self._opened = None
            raise

    async def _open(self) -> Opened:
        """Look at the store, once. Raises ``Misfit`` when it does not fit the mapping."""
        if self._opened is not None:
            return self._opened
        async with self._opening:
            if self._opened is None:
                async with asyncio.timeout(self._limit(0)), self._engine.connect() as connection:
                    reflection = await connection.run_sync(reflect, self._mapping)
                self._opened = self._make(reflection)
            return self._opened

    def _make(self, reflection: Reflection) -> Opened:
        dialect = dialect_of(self._engine.dialect.name)
        problems = fitting.errors(dialect, self._mapping, reflection)
        if problems:
            more = f" (and {len(problems) - 1} more)" if problems[1:] else ""
            raise Misfit("mapping", f"{problems[0].what}{more}: {problems[0].todo}")
        root = reflection.relations[self._mapping.root.name]
        prelude = self._prelude(reflection)
        return Opened(dialect, reflection, finders(dialect, root), root.key, prelude)

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

    async def _prepare(self, aim: Aim, work: Work) -> tuple[Opened, Plan, Batch]:
        opened = await self._open()
        width = len(opened.root)
        if set(map(len, work.keys)) != {width}:
            raise Refused("bad-key", f"a key has not {width} values as the root table's key has")
        plan = opened.plans.get((aim, work.shape))
        if plan is None:
            plan = draw(opened.dialect, self._aims[aim], opened.reflection, work.shape)
            opened.plans[aim, work.shape] = plan
        return opened, plan, Batch(opened.dialect, opened.root, work)

    @asynccontextmanager
    async def _reading(self, opened: Opened, statements: int) -> AsyncIterator[AsyncConnection]:
        """Open a connection to read. PostgreSQL needs no BEGIN for it, which saves a round trip."""
        async with (
            asyncio.timeout(self._limit(statements)),
            self._engine.connect() as connection,
        ):
            if self._postgresql:
                await connection.execution_options(isolation_level="AUTOCOMMIT")
            await self._enter(connection, opened.prelude)
            yield connection

    def _limit(self, statements: int) -> float:
        return whole_limit(statements, self._timeout).total_seconds()


def _engine(mapping: StoreMapping, url: str, pool_size: int, timeout: float) -> AsyncEngine:
    """Make the pool; a URL that is none is told without being shown, it may hold a password."""
    try:
        return make_engine(url, mapping.time_zone, pool_size=pool_size, statement_timeout=timeout)
    except (ArgumentError, ValueError) as error:
        fault = translate(error) if isinstance(error, ArgumentError) else None
    raise fault or Misfit("bad-url", "the store's URL cannot be read")
