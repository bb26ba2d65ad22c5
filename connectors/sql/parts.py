"""The statements of one part of a table that is swept, built once for each form of a part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Select
from sqlalchemy.ext.asyncio import AsyncConnection

from connectors.base import Remainder
from connectors.mapping import Key, Shape, StoreMapping
from connectors.sql import documents, partitions, portable, postgresql, ranged
from connectors.sql.alongside import cascading
from connectors.sql.arrays import PostgreSQL
from connectors.sql.detach import detaching
from connectors.sql.predicates import Rules, rules
from connectors.sql.sessions import Opened
from connectors.sql.spans import within
from connectors.sql.steps import Batch, Step, every
from connectors.sql.verify import Look
from connectors.sweeping import Span, Walk


@dataclass(frozen=True, slots=True)
class Form:
    """What makes the statements of one part differ from another's, beside their binds."""

    table: str
    by: Walk
    begins: bool
    ends: bool
    without: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """The statements of one form."""

    rules: Rules
    due: Select[Any] | None
    steps: tuple[Step, ...]
    left: Select[Any] | None
    looks: tuple[Look, ...]
    """What reads documents again, which no condition in SQL can."""


def draw(
    opened: Opened, mapping: StoreMapping, span: Span, without: bool, shape: Shape | None
) -> Plan:
    """Build the statements; without a ``shape`` every consent stands."""
    seen, dialect = opened.reflection, opened.dialect
    relations = partitions.seen(seen.relations, span)
    relation = relations[span.table]
    inside = within(dialect, relation, span)

    def which(scope: Any) -> ColumnElement[bool]:
        if not without:
            return inside(scope)  # type: ignore[no-any-return]
        others = sa.not_(dialect.keyed(scope.root, scope.root_columns))
        return sa.and_(inside(scope), others)

    every_ground = tuple(sorted({u.ground for g in mapping.groups() for u in g.grounds}))
    its = rules(
        dialect, mapping, relations, span.table, every_ground if shape is None else shape, which
    )
    table = relation.table
    if isinstance(dialect, PostgreSQL):
        locked = table.name in cascading(mapping, seen.catalogue)
        built: Sequence[Step] = postgresql.steps(its, lock=locked)
    else:
        built = ranged.steps(its) if opened.returning else portable.steps(its)
    steps = (*documents.rewriting(its), *detaching(its, relations), *built)
    return Plan(its, _due(its), steps, _left(its), tuple(documents.rereading(its)))


def _due(its: Rules) -> Select[Any] | None:
    """Select the people of the rows that go or are overwritten; on PostgreSQL as arrays."""
    found = _conditions(its, documents_too=True)
    if found is None:
        return None
    scope = its.scope
    root: list[ColumnElement[Any]] = [
        its.dialect.key(expression, column).label(f"erasure_root_{i}")
        for i, (expression, column) in enumerate(zip(scope.root, scope.root_columns, strict=True))
    ]
    people = (
        sa.select(*root)
        .select_from(scope.source())
        .where(its.which, *its.selected, found)
        .distinct()
    )
    if not isinstance(its.dialect, PostgreSQL):
        return people
    each = people.subquery("erasure_people")
    arrays: list[ColumnElement[Any]] = [sa.func.pg_catalog.array_agg(c) for c in each.c]
    return sa.select(*arrays)


def _left(its: Rules) -> Select[Any] | None:
    """Count the rows that should be gone or overwritten; documents are read apart."""
    found = _conditions(its, documents_too=False)
    if found is None:
        return None
    scope = its.scope
    return (
        sa.select(sa.func.count())
        .select_from(scope.source())
        .where(its.which, *its.selected, found)
    )


def _conditions(its: Rules, *, documents_too: bool) -> ColumnElement[bool] | None:
    """When a row is past its last ground, as a whole or in a group that still holds something."""
    goes = its.goes()
    ways = [] if goes is None else [every(goes)]
    for group, dead in its.due():
        holds = [its.unblank(group)]
        if documents_too:
            names = dict.fromkeys(f.column for f in group.fields if f.path is not None)
            holds += [its.scope.target.c[name].is_not(None) for name in names]
        ways.append(sa.and_(every(dead), sa.or_(*holds)))
    return sa.or_(*ways) if ways else None


async def in_documents(connection: AsyncConnection, looks: Sequence[Look], batch: Batch) -> int:
    """Count what documents hold that should not be there."""
    found: dict[Key, Mapping[str, Remainder]] = {}
    for look in looks:
        await look.run(connection, batch, found)
    return sum(one.left for groups in found.values() for one in groups.values())
