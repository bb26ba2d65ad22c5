"""The re-read: what is there for these keys, and may it be.

One SELECT a table gives, for each key and field group, the rows that should have gone or been
overwritten, and for each living ground the rows it keeps, their newest and oldest anchor, and how
many have none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Select
from sqlalchemy.ext.asyncio import AsyncConnection

from connectors.base import Kept, Remainder
from connectors.mapping import FieldGroup, GroundUse, Key
from connectors.sql.columns import Column
from connectors.sql.predicates import CUTOFF, Rules
from connectors.sql.steps import Batch, add, counted, every

Gather = Callable[[Select[Any], int], Select[Any]]


class Look(Protocol):
    """One part of a re-read."""

    async def run(
        self, connection: AsyncConnection, batch: Batch, found: dict[Key, Mapping[str, Remainder]]
    ) -> None:
        """Read for all keys of a batch and add what is there to ``found``."""


@dataclass(frozen=True, slots=True)
class Reading:
    """Where a group's numbers stand in a result row: ``left``, then four for each ground."""

    group: str
    left: int
    grounds: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Reread:
    """The re-read of one table. ``gathered``: rows hold arrays of the keys whose numbers agree."""

    statement: Select[Any]
    columns: tuple[Column, ...]
    cutoffs: tuple[str, ...]
    readings: tuple[Reading, ...]
    gathered: bool

    async def run(
        self, connection: AsyncConnection, batch: Batch, found: dict[Key, Mapping[str, Remainder]]
    ) -> None:
        """Read for all keys of a batch and add what is there to ``found``."""
        width = len(self.columns)
        for params in batch.chunks(self.columns, self.cutoffs):
            rows = (await connection.execute(self.statement, params)).all()
            crowds: dict[tuple[Any, ...], list[Key]] = {}
            for row in rows:
                keys = batch.read.many(row[:width]) if self.gathered else [batch.read.one(row)]
                crowds.setdefault(tuple(row)[width:], []).extend(keys)
            for numbers, keys in crowds.items():
                remainders = {r.group: _remainder(batch, numbers, r) for r in self.readings}
                add(found, keys, partial(_both, remainders))


def reread(rules: Rules, gather: Gather | None) -> Reread | None:
    """Build the re-read of one table under one shape; None for a table without field groups.

    ``gather`` is given where the database can gather the keys whose numbers agree.
    """
    if not rules.groups:
        return None
    scope = rules.scope
    root = [
        rules.dialect.key(expression, column)
        for expression, column in zip(scope.root, scope.root_columns, strict=True)
    ]
    selected: list[ColumnElement[Any]] = list(root)
    readings: list[Reading] = []
    for group in rules.groups:
        left = len(selected) - len(root)
        selected.append(_left(rules, group))
        grounds: list[tuple[str, int]] = []
        for use in group.grounds:
            numbers = _kept(rules, use)
            if numbers:
                grounds.append((use.ground, len(selected) - len(root)))
                selected += numbers
        readings.append(Reading(group.name, left, tuple(grounds)))
    labelled = [column.label(f"erasure_{i}") for i, column in enumerate(selected)]
    statement = scope.select(*labelled).where(rules.which, *rules.selected).group_by(*root)
    if gather is not None:
        statement = gather(statement, len(root))
    columns, gathered = scope.root_columns, gather is not None
    return Reread(statement, columns, rules.cutoffs, tuple(readings), gathered)


def _left(rules: Rules, group: FieldGroup) -> ColumnElement[int]:
    """Count the rows in which a group without a living ground is still there."""
    dead, goes = rules.dead(group), rules.goes()
    if dead is None:
        return sa.literal_column("0")
    if goes == ():
        return sa.func.count()
    if rules.shared:
        return counted(every(goes)) if goes is not None else sa.literal_column("0")
    remains = [rules.unblank(group)] + ([every(goes)] if goes is not None else [])
    return counted(sa.and_(every(dead), sa.or_(*remains)))


def _kept(rules: Rules, use: GroundUse) -> Sequence[ColumnElement[Any]]:
    """Rows a ground keeps, their newest anchor, how many have none, and their oldest."""
    lives = rules.lives(use)
    if lives is None:
        return ()
    if use.anchor is None:
        rows = counted(every(lives)) if lives else sa.func.count()
        return rows, sa.null(), sa.literal_column("0"), sa.null()
    date = rules.dates.value(use)
    # Of several dates one may be over while another, unknown, keeps the row: it ends nothing.
    ahead = sa.and_(*lives, date > sa.bindparam(CUTOFF + use.ground))
    return (
        counted(every(lives)),
        sa.func.max(sa.case((every(lives), date))),
        counted(rules.dates.unknown(use)),
        sa.func.min(sa.case((ahead, date))),
    )


def _both(new: Mapping[str, Remainder], before: Mapping[str, Remainder]) -> Mapping[str, Remainder]:
    return {**before, **new}


def _remainder(batch: Batch, row: tuple[Any, ...], reading: Reading) -> Remainder:
    day = batch.dialect.day
    kept = tuple(
        Kept(ground, row[at], day(row[at + 1]), row[at + 2], day(row[at + 3]))
        for ground, at in reading.grounds
        if row[at]
    )
    return Remainder(row[reading.left], kept)
