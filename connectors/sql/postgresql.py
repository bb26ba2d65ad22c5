"""Erasing on PostgreSQL: one statement a table and step, which erases and counts in one go.

A DELETE returns the person's key of each row it took, and the same statement counts them. An
UPDATE locks what is due, notes which groups of a row are, and returns the notes with the rows that
it really changed: a row that a trigger kept back is not counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Select
from sqlalchemy.ext.asyncio import AsyncConnection

from connectors.mapping import FieldGroup
from connectors.sql.columns import Column
from connectors.sql.overwrites import plain
from connectors.sql.predicates import All, Rules
from connectors.sql.steps import Batch, Step, Tally, every


@dataclass(frozen=True, slots=True)
class Delete:
    """Takes the rows that go."""

    statement: Select[Any]
    columns: tuple[Column, ...]
    cutoffs: tuple[str, ...]
    groups: tuple[str, ...]

    async def run(self, connection: AsyncConnection, batch: Batch, tally: Tally) -> None:
        """Delete for all keys of a batch and count per key."""
        params = batch.params(self.columns, self.cutoffs)
        width = len(self.columns)
        for row in (await connection.execute(self.statement, params)).all():
            tally.deleted(self.groups, batch.read.many(row[:width]), row[width])


@dataclass(frozen=True, slots=True)
class Lock:
    """Holds the rows before one of them is decided on: whoever is adding a child is waited for.

    A DELETE decides on what was there when it began. A child that comes in while it waits for the
    row would go with it, where the store's foreign key cascades; after this one, it is seen.
    """

    statement: Select[Any]
    columns: tuple[Column, ...]

    async def run(self, connection: AsyncConnection, batch: Batch, tally: Tally) -> None:
        """Lock for all keys of a batch."""
        await connection.execute(self.statement, batch.params(self.columns, ()))


@dataclass(frozen=True, slots=True)
class Overwrite:
    """Overwrites the dead groups of the rows that stay."""

    statement: Select[Any]
    columns: tuple[Column, ...]
    cutoffs: tuple[str, ...]
    groups: tuple[str, ...]

    async def run(self, connection: AsyncConnection, batch: Batch, tally: Tally) -> None:
        """Overwrite for all keys of a batch and count per key and group."""
        params = batch.params(self.columns, self.cutoffs)
        width = len(self.columns)
        for row in (await connection.execute(self.statement, params)).all():
            tally.overwritten(self.groups, batch.read.many(row[:width]), row[width:])


def steps(rules: Rules, *, lock: bool = False) -> Sequence[Step]:
    """Build the statements of one table under one shape; none where nothing can be dead.

    ``lock``: the store itself deletes what hangs on a row, see :class:`Lock`.
    """
    made: list[Step] = []
    scope = rules.scope
    goes = rules.goes()
    names = tuple(group.name for group in rules.groups)
    if goes is not None and lock:
        made.append(Lock(_lock(rules), scope.root_columns))
    if goes is not None:
        made.append(Delete(_delete(rules, goes), scope.root_columns, rules.cutoffs, names))
    due = [(group, dead) for group, dead in rules.due() if plain(group)]
    if due:
        statement = _overwrite_one(rules, *due[0]) if _simple(rules, due) else None
        if statement is None:
            statement = _overwrite_many(rules, due)
        names = tuple(group.name for group, _ in due)
        made.append(Overwrite(statement, scope.root_columns, rules.cutoffs, names))
    return made


def alike(counted: Select[Any], width: int) -> Select[Any]:
    """Gather the people whose numbers are the same: a row of arrays of keys for each such crowd.

    A batch of 500 comes back as a handful of rows. ``width`` columns of ``counted`` are the key.
    """
    columns: list[ColumnElement[Any]] = list(counted.subquery("erasure_counted").c)
    keys = [sa.func.pg_catalog.array_agg(column) for column in columns[:width]]
    selected: list[ColumnElement[Any]] = [*keys, *columns[width:]]
    return sa.select(*selected).group_by(*columns[width:])


def _simple(rules: Rules, due: Sequence[tuple[FieldGroup, All]]) -> bool:
    """Whether one condition decides the whole UPDATE, and no row without a parent is lost by it."""
    return len(due) == 1 and not (rules.scope.optional and rules.scope.joins)


def _keyed(rules: Rules) -> ColumnElement[bool]:
    scope = rules.scope
    return sa.and_(rules.which, *scope.conditions(), *rules.selected)


def _root(rules: Rules) -> list[ColumnElement[Any]]:
    """The person's key as it comes back, under names that no column of the store has."""
    scope = rules.scope
    return [
        rules.dialect.key(expression, column).label(f"erasure_root_{i}")
        for i, (expression, column) in enumerate(zip(scope.root, scope.root_columns, strict=True))
    ]


def _lock(rules: Rules) -> Select[Any]:
    scope = rules.scope
    locked: Select[Any] = (
        scope.select(sa.literal_column("1"))
        .where(rules.which, *rules.selected)
        .with_for_update(of=scope.target)
    )
    return sa.select(sa.func.count()).select_from(locked.subquery("locked"))


def _delete(rules: Rules, goes: All) -> Select[Any]:
    target = rules.scope.relation.clause
    if rules.scope.optional and rules.scope.joins and not rules.orphans_stay:
        # A DELETE joins no table from outside, and a row without a parent may go as well.
        found, same = _found(rules, every(goes))
        reported = [found.c[label.name] for label in _root(rules)]
        gone = sa.delete(target).where(*same).returning(*reported).cte("gone")
    else:
        gone = sa.delete(target).where(_keyed(rules), *goes).returning(*_root(rules)).cte("gone")
    relation = rules.scope.relation
    if relation.table.parent is None and relation.is_unique(relation.table.key):
        return alike(sa.select(*gone.c, sa.literal(1)), len(gone.c))  # Each row is a person.
    return alike(sa.select(*gone.c, sa.func.count()).group_by(*gone.c), len(gone.c))


def _overwrite_one(rules: Rules, group: FieldGroup, dead: All) -> Select[Any]:
    target = rules.scope.relation.clause
    changed = (
        sa.update(target)
        .where(_keyed(rules), *dead, rules.unblank(group))
        .values(rules.values(group))
        .returning(*_root(rules))
        .cte("changed")
    )
    return alike(sa.select(*changed.c, sa.func.count()).group_by(*changed.c), len(changed.c))


def _overwrite_many(rules: Rules, due: Sequence[tuple[FieldGroup, All]]) -> Select[Any]:
    scope = rules.scope
    target = scope.relation.clause
    flags = [
        sa.and_(every(dead), rules.unblank(group)).label(f"erasure_due_{i}")
        for i, (group, dead) in enumerate(due)
    ]
    found, same = _found(rules, sa.or_(*(flag.element for flag in flags)), *flags)
    values: dict[str, ColumnElement[Any]] = {}
    for flag, (group, _) in zip(flags, due, strict=True):
        for name, value in rules.values(group).items():
            values[name] = sa.case((found.c[flag.name], value), else_=target.c[name])
    reported = [found.c[label.name] for label in (*_root(rules), *flags)]
    changed = sa.update(target).where(*same).values(values).returning(*reported).cte("changed")
    width = len(scope.root)
    root, due_flags = list(changed.c)[:width], list(changed.c)[width:]
    counts = [sa.func.count().filter(flag) for flag in due_flags]
    return alike(sa.select(*root, *counts).group_by(*root), width)


def _found(
    rules: Rules, due: ColumnElement[bool], *notes: sa.Label[Any]
) -> tuple[sa.CTE, Sequence[ColumnElement[bool]]]:
    """Select and lock what is due, with notes on it; and say which of the table's rows it is."""
    scope = rules.scope
    keys = [column.label(f"erasure_key_{i}") for i, column in enumerate(scope.key())]
    found = (
        scope.select(*keys, *_root(rules), *notes)
        .where(rules.which, *rules.selected, due)
        .with_for_update(of=scope.target)
        .cte("found")
    )
    pairs = zip(scope.key(), keys, strict=True)
    return found, [column == found.c[label.name] for column, label in pairs]
