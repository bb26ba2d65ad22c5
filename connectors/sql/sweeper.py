"""Sweeping a store in parts: the statements of an erasure, limited to a range instead of people."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from time import monotonic
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from connectors.base import Effects
from connectors.faults import Fault
from connectors.mapping import Cutoffs, Key, StoreMapping
from connectors.sql import partitions as droppable
from connectors.sql import pressure
from connectors.sql.columns import Column, Params
from connectors.sql.errors import Phase
from connectors.sql.parts import Form, Plan, draw, in_documents
from connectors.sql.sessions import Opened, Sessions, Settings
from connectors.sql.spans import params as span_params
from connectors.sql.steps import Batch, Tally, days
from connectors.sql.walking import Walks
from connectors.sweeping import May, Pressure, Span, Walk

IDLE_SECONDS = 10
"""A client that is stopped while it asks keeps no lock: others write here, and sweep."""
_STATEMENTS = 6
"""Of one part: what their time limit is reckoned for."""
_ROW_BY_ROW = {"enable_hashjoin": "off", "enable_mergejoin": "off", "enable_seqscan": "off"}


class _Withheld(Fault):
    """Rolls a transaction back of which somebody said that it may not be."""


class Sweeper:
    """Sweeps one store; see :class:`connectors.sweeping.Sweeping`."""

    def __init__(self, mapping: StoreMapping, sessions: Sessions, timeout: float) -> None:
        self._mapping = mapping
        self._sessions = sessions
        self._timeout = timeout
        self._walks = Walks(mapping, sessions)

    async def walk(self, table: str) -> Walk:
        """By pages on PostgreSQL, by keys elsewhere; by a parent's, where its dates decide."""
        return await self._walks.best(table)

    async def span(
        self, table: str, by: Walk, after: Key | None, size: int, cutoffs: Cutoffs
    ) -> Span:
        """Ask the store where the next part ends; nothing is read but an index, or a size."""
        return await self._walks.span(table, by, after, size, cutoffs)

    async def due(self, span: Span, cutoffs: Cutoffs) -> Sequence[Key]:
        """Select each person once."""
        return await self._people(span, cutoffs, doubtful=False)

    async def doubtful(self, span: Span, cutoffs: Cutoffs) -> Sequence[Key]:
        """Select whoever would lose more if all that a person may end had ended."""
        return await self._people(span, cutoffs, doubtful=True)

    async def patient(self) -> bool:
        """PostgreSQL and MariaDB are; MySQL lets a client sleep, SQLite has one lock for all."""

        async def ask() -> bool:
            opened = await self._sessions.open()
            return opened.returning and not self._sessions.sqlite

        return await self._sessions.run(ask)

    async def sweep(
        self, span: Span, cutoffs: Cutoffs, without: Sequence[Key], may: May | None = None
    ) -> Effects:
        """Delete and overwrite in one transaction what a part holds past its last ground."""
        phase = Phase()

        async def do() -> Effects:
            opened = await self._sessions.open()
            tally, slowest = Tally(), 0.0
            statements = _STATEMENTS * len(span.each)
            settings = self._settings(opened)
            async with self._sessions.writing(opened, statements, phase, settings) as connection:
                if may is not None and not self._sessions.postgresql:
                    limit = f"SET SESSION idle_transaction_timeout = {IDLE_SECONDS}"
                    await connection.execute(sa.text(limit))
                for part in span.each:
                    plan = self._plan(opened, part, without=bool(without))
                    batch = _Part(opened, part, plan, cutoffs, without)
                    for step in plan.steps:
                        begun = monotonic()
                        await step.run(connection, batch, tally)
                        slowest = max(slowest, monotonic() - begun)
                if may is not None and not await may(tally.effects, slowest):
                    raise _Withheld("withheld")
            return tally.effects

        try:
            return await self._sessions.run(do, phase)
        except _Withheld:
            return {}

    async def left(self, span: Span, cutoffs: Cutoffs, without: Sequence[Key]) -> int:
        """Count, apart from the sweeping transaction, what should not be there."""

        async def read() -> int:
            opened = await self._sessions.open()
            rows = 0
            async with self._looking(opened, 2 * len(span.each)) as connection:
                if await droppable.gone(connection, span):
                    return 0
                for part in span.each:
                    plan = self._plan(opened, part, without=bool(without))
                    batch = _Part(opened, part, plan, cutoffs, without)
                    if plan.left is not None:
                        binds = batch.params((), plan.rules.cutoffs)
                        rows += int((await connection.execute(plan.left, binds)).scalar_one())
                    rows += await in_documents(connection, plan.looks, batch)
            return rows

        return await self._sessions.run(read)

    async def partitions(self, table: str) -> Sequence[Span]:
        """Ask the catalogue, where the policy allows it and nothing else forbids it."""

        async def ask() -> Sequence[Span]:
            opened = await self._sessions.open()
            async with self._sessions.reading(opened, 1) as connection:
                return [found.span for found in await droppable.found(connection, opened, table)]

        if not self._sessions.postgresql or not droppable.allowed(self._mapping, table):
            return []
        return await self._sessions.run(ask)

    async def whole(self, span: Span, cutoffs: Cutoffs) -> bool:
        """Compare the rows that are past with all that there are."""

        async def count() -> bool:
            opened, batch, counting = await self._partition(span, cutoffs)
            alone = _alone(droppable.LIMIT)
            async with self._sessions.writing(opened, 2, Phase(), alone) as connection:
                return await counting.whole(connection, batch)

        return await self._sessions.run(count)

    async def drop(self, span: Span, cutoffs: Cutoffs, people: Collection[Key]) -> Effects:
        """Lock, count again, take the counts, detach and drop."""
        phase = Phase()

        async def do() -> Effects:
            opened, batch, counting = await self._partition(span, cutoffs)
            tally = Tally()
            alone = _alone(droppable.LIMIT)
            async with self._sessions.writing(opened, _STATEMENTS, phase, alone) as connection:
                await counting.drop(connection, opened, batch, people, tally)
            return tally.effects

        return await self._sessions.run(do, phase)

    async def _partition(
        self, span: Span, cutoffs: Cutoffs
    ) -> tuple[Opened, Batch, droppable.Counting]:
        opened = await self._sessions.open()
        plan = draw(opened, self._mapping, span, without=False)
        batch = _Part(opened, span, plan, cutoffs, ())
        return opened, batch, droppable.Counting(span, plan.rules)

    @property
    def knows_its_own(self) -> bool:
        """PostgreSQL shows the name under which a client came; MariaDB shows none."""
        return self._sessions.postgresql

    async def pressure(self) -> Pressure:
        """What the database shows of its other clients."""

        async def look() -> Pressure:
            opened = await self._sessions.open()
            async with self._sessions.reading(opened, 1) as connection:
                return await pressure.read(connection)

        return await self._sessions.run(look)

    def _looking(
        self, opened: Opened, statements: int
    ) -> AbstractAsyncContextManager[AsyncConnection]:
        """A connection to read parts with."""
        return self._sessions.reading(opened, statements, self._settings(opened))

    def _settings(self, opened: Opened) -> Settings:
        """How PostgreSQL is to go about a part of a table.

        Row by row through the indexes of the other tables, where they have them: reading another
        table whole, as it may think best for a part of this one, costs that for every part.
        """
        alone = _alone(self._timeout)
        return {**alone, **_ROW_BY_ROW} if opened.served else alone

    async def _people(self, span: Span, cutoffs: Cutoffs, *, doubtful: bool) -> Sequence[Key]:
        async def read() -> Sequence[Key]:
            opened = await self._sessions.open()
            found: dict[Key, None] = {}
            async with self._looking(opened, len(span.each)) as connection:
                if await droppable.gone(connection, span):
                    return []
                for part in span.each:
                    plan = self._plan(opened, part, without=False)
                    question = plan.doubtful if doubtful else plan.due
                    if question is None:
                        continue
                    batch = _Part(opened, part, plan, cutoffs, ())
                    binds = batch.params((), plan.rules.cutoffs)
                    rows = (await connection.execute(question, binds)).all()
                    if self._sessions.postgresql:
                        keys = [key for row in rows if row[0] for key in batch.read.many(row)]
                    else:
                        keys = [batch.read.one(row) for row in rows]
                    found |= dict.fromkeys(keys)
            return list(found)

        return await self._sessions.run(read)

    def _plan(self, opened: Opened, span: Span, *, without: bool) -> Plan:
        if span.by is Walk.PARTITION:
            return draw(opened, self._mapping, span, without)
        form = Form(span.table, span.by, span.after is not None, span.upto is not None, without)
        # By the store as it was looked at: a store that was mended is looked at anew.
        plan = opened.parts.get(form)
        if plan is None:
            plan = opened.parts[form] = draw(opened, self._mapping, span, without)
        return plan


class _Part(Batch):
    """One part in the terms of a database: its binds, instead of those of people's keys."""

    def __init__(
        self, opened: Opened, span: Span, plan: Plan, cutoffs: Cutoffs, without: Sequence[Key]
    ) -> None:
        self.dialect = opened.dialect
        self.keys = without
        self.read = _Reader(plan.rules.scope.root_columns)
        self._cutoffs = cutoffs
        self._binds: Params = span_params(opened.dialect, plan.rules.scope, span)
        if without:
            self._binds |= opened.dialect.key_params(plan.rules.scope.root_columns, without)

    def params(self, columns: tuple[Column, ...], cutoffs: Iterable[str]) -> Params:
        """Binds of the part. Raises ``Misfit`` when a cut-off was not given."""
        return self._binds | days(self.dialect, self._cutoffs, cutoffs)

    def chunks(self, columns: tuple[Column, ...], cutoffs: Iterable[str]) -> Iterable[Params]:
        """The part is one portion."""
        yield self.params(columns, cutoffs)


def _alone(seconds: float) -> Settings:
    """With one processor, and only so long for a statement and between two of a transaction."""
    return {
        "max_parallel_workers_per_gather": "0",
        "statement_timeout": f"{round(seconds * 1000)}ms",
        "idle_in_transaction_session_timeout": f"{IDLE_SECONDS}s",
    }


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads root keys out of rows, as the root's own columns have them."""

    columns: tuple[Column, ...]

    def one(self, row: Sequence[Any]) -> Key:
        """Return the key in the first columns of a row."""
        return _key(self.columns, row)

    def many(self, columns: Sequence[Sequence[Any]]) -> list[Key]:
        """Return the keys that stand side by side in arrays."""
        if len(self.columns) == 1 and set(map(type, columns[0])) == {int}:
            return [(value,) for value in columns[0]]
        return [_key(self.columns, values) for values in zip(*columns, strict=True)]


def _key(columns: Sequence[Column], row: Sequence[Any]) -> Key:
    return tuple(column.decode(value) for column, value in zip(columns, row, strict=False))
