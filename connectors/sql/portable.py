"""Erasing on MariaDB, MySQL and SQLite: look and lock first, then delete and overwrite by key.

These databases cannot count inside a DELETE. What is due is selected under a lock (FOR UPDATE; in
SQLite the whole transaction holds the write lock), so that the statements which follow touch just
these rows. Row counts of the driver are not believed: a trigger of SQLite may have kept a row back,
so what was deleted is looked for again there, and the re-read says what is left.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Delete, Select, Update
from sqlalchemy.ext.asyncio import AsyncConnection

from connectors.mapping import FieldGroup, Key
from connectors.sql.columns import Column
from connectors.sql.overwrites import plain
from connectors.sql.predicates import All, Rules
from connectors.sql.steps import CHUNK, Batch, Step, Tally, every

ROWS = "erasure_rows"
Combination = tuple[bool, ...]
"""Which groups of a row are due, in the order of the step's groups."""


@dataclass(frozen=True, slots=True)
class EraseTable:
    """One table's part of an erasure: what is due, and the statements that do it."""

    look: Select[Any]
    delete: Delete
    again: Select[Any]
    """Which of some rows are still there."""
    rules: Rules
    columns: tuple[Column, ...]
    every_group: tuple[str, ...]
    due: tuple[FieldGroup, ...]
    updates: dict[Combination, Update] = field(default_factory=dict)

    async def run(self, connection: AsyncConnection, batch: Batch, tally: Tally) -> None:
        """Select what is due for all keys of a batch, then delete and overwrite it."""
        width, key_width = len(self.columns), len(self.rules.scope.relation.table.key)
        going: list[Sequence[Any]] = []
        staying: defaultdict[Combination, list[Sequence[Any]]] = defaultdict(list)
        for params in batch.chunks(self.columns, self.rules.cutoffs):
            for row in (await connection.execute(self.look, params)).all():
                if row[width + key_width]:
                    going.append(row)
                else:
                    flags = tuple(bool(flag) for flag in row[width + key_width + 1 :])
                    staying[flags].append(row)
        stayed: set[Any] = set()
        for values in _portions([row[width : width + key_width] for row in going]):
            await connection.execute(self.delete, {ROWS: values})
            if connection.dialect.name == "sqlite":
                # There alone a trigger may keep a row back without a word.
                rows = (await connection.execute(self.again, {ROWS: values})).all()
                stayed.update(map(tuple, rows))
        if stayed:
            going = [row for row in going if tuple(row[width : width + key_width]) not in stayed]
        for count, keys in crowds(batch, width, going).items():
            tally.deleted(self.every_group, keys, count)
        names = tuple(group.name for group in self.due)
        for flags, found in staying.items():
            for count, keys in crowds(batch, width, found).items():
                tally.overwritten(names, keys, [count * due for due in flags])
            for values in _portions([row[width : width + key_width] for row in found]):
                await connection.execute(self._update(flags), {ROWS: values})

    def _update(self, flags: Combination) -> Update:
        """The UPDATE for rows of which just these groups are due; made when first needed."""
        statement = self.updates.get(flags)
        if statement is None:
            rules = self.rules
            due = (group for group, flag in zip(self.due, flags, strict=True) if flag)
            values = rules.values(*due)
            statement = sa.update(rules.scope.relation.clause).where(_by_key(rules)).values(values)
            self.updates[flags] = statement
        return statement


def steps(rules: Rules) -> Sequence[Step]:
    """Build the statements of one table under one shape; none where nothing can be dead."""
    goes = rules.goes()
    due = tuple((group, dead) for group, dead in rules.due() if plain(group))
    if goes is None and not due:
        return ()
    look = _look(rules, goes, due)
    target = rules.scope.relation.clause
    names = tuple(group.name for group in rules.groups)
    # The lock does not cover rows yet to come: a child added meanwhile still keeps its parent.
    delete = sa.delete(target).where(_by_key(rules), *rules.childless)
    again = sa.select(*rules.scope.key()).where(_by_key(rules))
    groups = tuple(group for group, _ in due)
    return (EraseTable(look, delete, again, rules, rules.scope.root_columns, names, groups),)


def _look(rules: Rules, goes: All | None, due: Sequence[tuple[FieldGroup, All]]) -> Select[Any]:
    """Select root key, own key, whether the row goes, and which of its groups are due."""
    scope = rules.scope
    gone = sa.false() if goes is None else every(goes)
    flags = [sa.and_(every(dead), rules.unblank(group)) for group, dead in due]
    labelled = [
        *(column.label(f"erasure_root_{i}") for i, column in enumerate(scope.root)),
        *(column.label(f"erasure_key_{i}") for i, column in enumerate(scope.key())),
        (gone if due else sa.true()).label("erasure_goes"),
        *(flag.label(f"erasure_due_{i}") for i, flag in enumerate(flags)),
    ]
    return (
        scope.select(*labelled)
        .where(
            rules.which,
            *rules.selected,
            sa.or_(gone, *flags),
        )
        .with_for_update()
    )


def _by_key(rules: Rules) -> sa.ColumnElement[bool]:
    """The rows that the look has found and locked, named by their own key."""
    key = rules.scope.key()
    given: sa.BindParameter[Any] = sa.bindparam(ROWS, expanding=True)
    return key[0].in_(given) if len(key) == 1 else sa.tuple_(*key).in_(given)


def crowds(batch: Batch, width: int, rows: Sequence[Sequence[Any]]) -> dict[int, list[Key]]:
    """Gather the people of whom the same number of rows is among these, by that number.

    A person's key is in the first ``width`` columns. They are noted together: who judges the
    answers tells a crowd by what it shares.
    """
    found: dict[int, list[Key]] = {}
    keys = batch.read.many(list(zip(*rows, strict=True))[:width]) if rows else []
    for key, count in Counter(keys).items():
        found.setdefault(count, []).append(key)
    return found


def _portions(rows: Sequence[Sequence[Any]]) -> Iterable[list[Any]]:
    values: list[Any] = [row[0] if len(row) == 1 else tuple(row) for row in rows]
    for start in range(0, len(values), CHUNK):
        yield values[start : start + CHUNK]
