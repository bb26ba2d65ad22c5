"""Rows that belong to several people: a meeting and its participants, an account of two.

Only the person's own link goes with the person; the shared row goes in the same transaction when
no link is left. Once its links are gone nothing leads to it any more, so its keys are noted under
a lock before, and that it is gone is read again before the transaction ends.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Select
from sqlalchemy.ext.asyncio import AsyncConnection

from connectors.base import Remainder, Work
from connectors.faults import Refused
from connectors.mapping import Key, StoreMapping, Table
from connectors.sql.columns import Column, Relation
from connectors.sql.filters import matching
from connectors.sql.links import scope
from connectors.sql.predicates import Rules
from connectors.sql.steps import Batch, Step, Tally
from connectors.sql.verify import Reread


@dataclass(slots=True)
class Noted:
    """Which shared rows each person of one transaction belongs to."""

    people: dict[Key, set[Key]] = field(default_factory=lambda: defaultdict(set))


@dataclass(frozen=True, slots=True)
class Shared:
    """One table of shared rows: what finds them, what deletes them, what reads them again."""

    name: str
    find: Select[Any]
    root: tuple[Column, ...]
    key: tuple[Column, ...]
    groups: tuple[str, ...]
    delete: Sequence[Step]
    again: Reread

    async def note(self, connection: AsyncConnection, batch: Batch) -> Noted:
        """Note and lock the shared rows of a batch, before its links go."""
        noted = Noted()
        width = len(self.root)
        for params in batch.chunks(self.root, ()):
            for row in (await connection.execute(self.find, params)).all():
                pairs = zip(self.key, row[width:], strict=True)
                own = tuple(column.decode(value) for column, value in pairs)
                noted.people[own].add(batch.read.one(row))
        return noted

    async def free(
        self, connection: AsyncConnection, work: Work, batch: Batch, noted: Noted, tally: Tally
    ) -> None:
        """Delete the noted rows that no link holds any more.

        Raises Refused when the store kept one of them all the same.
        """
        if not noted.people:
            return
        rows = Work(work.shape, work.cutoffs, list(noted.people))
        mine = Batch(batch.dialect, self.key, rows)
        gone = Tally()
        for step in self.delete:
            await step.run(connection, mine, gone)
        there: dict[Key, Mapping[str, Remainder]] = {}
        await self.again.run(connection, mine, there)
        if any(one.left for groups in there.values() for one in groups.values()):
            raise Refused("not-gone", f"rows of {self.name} stayed although nobody holds them")
        counts = Counter(
            person
            for key, people in noted.people.items()
            if key in gone.effects
            for person in people
        )
        for person, number in counts.items():
            tally.deleted(self.groups, (person,), number)


def find(
    rules: Rules, mapping: StoreMapping, relations: Mapping[str, Relation], table: Table
) -> tuple[Select[Any], tuple[Column, ...]]:
    """Build what finds a person's shared rows through the links; and the columns of their key."""
    link = table.shared_by
    assert link is not None  # noqa: S101 - only asked for a shared table
    links = next(t for t in mapping.tables if t.name == link.table)
    through = scope(rules.dialect, mapping, relations, links, parent_anchor=False)
    target = relations[table.name].clause
    ties = [target.c[own] == through.target.c[theirs] for own, theirs in link.columns]
    person = [
        rules.dialect.key(expression, column).label(f"erasure_root_{i}")
        for i, (expression, column) in enumerate(
            zip(through.root, through.root_columns, strict=True)
        )
    ]
    key = relations[table.name].key
    own = [
        rules.dialect.key(target.c[column.name], column).label(f"erasure_key_{i}")
        for i, column in enumerate(key)
    ]
    keyed = rules.dialect.keyed(through.root, through.root_columns)
    statement = (
        sa.select(*person, *own)
        .select_from(sa.join(through.source(), target, sa.and_(*ties)))
        .where(keyed, *rules.selected, *matching(rules.dialect, through.relation, through.target))
        .with_for_update()
    )
    return statement, through.root_columns
