"""``SqlConnector``: one store in PostgreSQL, MariaDB, MySQL or SQLite.

Statements are built once for each shape and kept; how the store is opened, and what a fault leaves
behind, stands in :mod:`connectors.sql.sessions`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from connectors.base import (
    Capabilities,
    Effects,
    Finding,
    Lookup,
    Match,
    PoolUse,
    Remainder,
    Remainders,
    RowFacts,
    Timed,
    Work,
)
from connectors.falling_due import Counted, DueInOne, FallingDue, Past, Whose
from connectors.faults import Refused
from connectors.mapping import Cutoffs, Key, StoreMapping
from connectors.sql import counts, fitting
from connectors.sql.counting import Counting
from connectors.sql.errors import Phase, guarded
from connectors.sql.facts import FactReader, identifiers, reader
from connectors.sql.past import people, read_past
from connectors.sql.plans import Plan, draw
from connectors.sql.predicates import rules
from connectors.sql.resolve import resolve
from connectors.sql.restricting import restricting
from connectors.sql.sessions import Aim, Opened, Sessions
from connectors.sql.steps import Batch, Tally
from connectors.sql.sweeper import Sweeper
from connectors.sql.undroppable import undroppable

SWEEPING = 4
"""Connections of a store's sweep: two erase, one reads again, one sees what others are doing."""
ONE_PROCESSOR = {"max_parallel_workers_per_gather": "0"}
"""What counting a store may take of PostgreSQL while others are about there."""
PATIENCE = 1800.0
"""Seconds that counting a whole store may take."""


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
        self._sessions = Sessions(mapping, url, pool_size, statement_timeout)
        # A sweep takes no connection from a person, and counting a store takes what it takes.
        self._patient = Sessions(mapping, url, SWEEPING, max(statement_timeout, PATIENCE))
        self._sweeper = Sweeper(mapping, self._patient, statement_timeout)

    @property
    def mapping(self) -> StoreMapping:
        """The store's tables and groups, as the policy declares them."""
        return self._mapping

    @property
    def sweeping(self) -> Sweeper:
        """What a sweep asks of the store."""
        return self._sweeper

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
            reflection, problems = await self._sessions.look()
            return [
                *self.demands(),
                *problems,
                *fitting.holes(self._mapping, reflection),
                *fitting.warnings(self._mapping, reflection),
            ]

        return await guarded(look)

    async def count(self) -> Sequence[Finding]:
        """Count the rows that no table means, or more than one, or that lead to nobody.

        And tell of the tables of which no partition could be dropped, though the policy lets it.
        """

        async def look() -> list[Finding]:
            opened = await self._sessions.open()
            asked = counts.questions(opened.dialect, self._mapping, opened.reflection)
            async with self._sessions.reading(opened, 1) as connection:
                found = await undroppable(connection, opened, self._mapping)
            for question in asked:
                async with self._sessions.reading(opened, 1) as connection:
                    found += await question.ask(connection)
            return found

        return await self._sessions.run(look)

    async def resolve(self, lookups: Sequence[Lookup]) -> Sequence[Match]:
        """Find the root rows of a batch of cases: one statement an identifier column."""

        async def find() -> list[Match]:
            opened = await self._sessions.open()
            async with self._sessions.reading(opened, len(opened.finders)) as connection:
                return await resolve(connection, opened.finders, lookups)

        return await self._sessions.run(find) if lookups else ()

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
            async with self._sessions.writing(opened, len(plan.erase) * 3, phase) as connection:
                noted = [(one, await one.note(connection, batch)) for one in plan.shared]
                for step in plan.erase:
                    await step.run(connection, batch, tally)
                for one, rows in noted:
                    await one.free(connection, work, batch, rows, tally)
                for step in plan.last:
                    await step.run(connection, batch, tally)
            return tally.effects

        return await self._sessions.run(do, phase) if work.keys else {}

    async def _reread(self, aim: Aim, work: Work) -> Remainders:
        async def read() -> Remainders:
            opened, plan, batch = await self._prepare(aim, work)
            found: dict[Key, Mapping[str, Remainder]] = {}
            async with self._sessions.reading(opened, len(plan.verify)) as connection:
                for one in plan.verify:
                    await one.run(connection, batch, found)
            return found

        return await self._sessions.run(read) if work.keys else {}

    async def facts(self, key: Key, table: str | None = None) -> Sequence[RowFacts]:
        """Read what decides about one row, or about every row of a person."""
        names = [t.name for t in self._mapping.tables if table is None or t.name == table]

        async def read() -> list[RowFacts]:
            opened = await self._sessions.open()
            found: list[RowFacts] = []
            async with self._sessions.reading(opened, len(names)) as connection:
                for name in names:
                    one = self._reader(opened, name, of_person=table is None)
                    if one is None:
                        continue
                    if len(one.given) != len(key):
                        raise Refused("bad-key", f"a key of {name} has {len(one.given)} values")
                    found += await one.read(connection, key)
            return found

        return await self._sessions.run(read)

    async def identifiers(self, keys: Sequence[Key]) -> Mapping[Key, Sequence[tuple[str, str]]]:
        """Read the identifiers that the root rows of these keys carry."""

        async def read() -> Mapping[Key, Sequence[tuple[str, str]]]:
            opened = await self._sessions.open()
            root = opened.reflection.relations[self._mapping.root.name]
            async with self._sessions.reading(opened, 1) as connection:
                return await identifiers(connection, opened.dialect, root, keys)

        return await self._sessions.run(read) if keys else {}

    async def forecast(self, table: str, cutoffs: Sequence[Cutoffs]) -> Sequence[FallingDue]:
        """Count in one statement when the rows of a table fall due."""

        async def count() -> list[FallingDue]:
            opened, counting = await self._counting(table, cutoffs)
            statement = counting.forecast()
            if statement is None:
                return []
            async with self._sessions.reading(opened, 1) as connection:
                return counting.forecast_of((await connection.execute(statement)).all())

        return await self._sessions.run(count)

    async def past(
        self,
        tables: Sequence[str],
        cutoffs: Cutoffs,
        without: Sequence[Key] = (),
        counted: Counted = lambda _table: None,
        *,
        whose: Whose = Whose.EACH,
    ) -> Past:
        """Count a table at a time what is past its last ground, and the people of all once."""

        async def count() -> Past:
            opened = await self._patient.open()
            relations = opened.reflection.relations
            settings = ONE_PROCESSOR if await self._others_about() else None
            async with self._patient.reading(opened, len(tables) + 2, settings) as connection:
                return await read_past(
                    connection,
                    opened.dialect,
                    self._mapping,
                    relations,
                    tables,
                    cutoffs,
                    without,
                    counted,
                    whose=whose,
                )

        return await self._patient.run(count)

    async def _others_about(self) -> bool:
        """Whether anybody else may be at work in the store, as far as its database shows it."""
        if not self._patient.postgresql:
            return False
        try:
            return (await self._sweeper.pressure()).about > 0
        except Refused:
            return True  # The login may not see it.

    async def people(self) -> int:
        """Count the rows that the root table means."""

        async def count() -> int:
            opened = await self._sessions.open()
            root = opened.reflection.relations[self._mapping.root.name]
            async with self._sessions.reading(opened, 1) as connection:
                return await people(connection, opened.dialect, root)

        return await self._sessions.run(count)

    async def compare(
        self, table: str, pairs: Sequence[tuple[str, str]], cutoffs: Cutoffs
    ) -> Sequence[DueInOne]:
        """Count in one statement the rows that are due by just one of two groups."""

        async def count() -> list[DueInOne]:
            opened, counting = await self._counting(table, [cutoffs])
            statement = counting.comparison(pairs)
            async with self._sessions.reading(opened, 1) as connection:
                return counting.comparison_of(pairs, (await connection.execute(statement)).all())

        return await self._sessions.run(count) if pairs else ()

    async def _counting(self, table: str, cutoffs: Sequence[Cutoffs]) -> tuple[Opened, Counting]:
        opened = await self._sessions.open()
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

    def watch(self, told: Timed) -> None:
        """Tell from now on how long each statement takes."""
        self._sessions.watch("people", told)
        self._patient.watch("sweeps", told)

    def pools(self) -> Mapping[str, PoolUse]:
        """Tell how many connections are in use."""
        return {"people": self._sessions.use(), "sweeps": self._patient.use()}

    async def close(self) -> None:
        """Give back every connection."""
        await self._sessions.close()
        await self._patient.close()

    async def _prepare(self, aim: Aim, work: Work) -> tuple[Opened, Plan, Batch]:
        opened = await self._sessions.open()
        width = len(opened.root)
        if set(map(len, work.keys)) != {width}:
            raise Refused("bad-key", f"a key has not {width} values as the root table's key has")
        plan = opened.plans.get((aim, work.shape))
        if plan is None:
            plan = draw(opened.dialect, self._aims[aim], opened.reflection, work.shape)
            opened.plans[aim, work.shape] = plan
        return opened, plan, Batch(opened.dialect, opened.root, work)
