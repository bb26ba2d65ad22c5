"""The statements of one part of a table that is swept, built once for each form of a part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Select
from sqlalchemy.ext.asyncio import AsyncConnection

from connectors.base import Remainder
from connectors.mapping import FieldGroup, Key, StoreMapping
from connectors.sql import documents, partitions, portable, postgresql, ranged
from connectors.sql.alongside import cascading
from connectors.sql.arrays import PostgreSQL
from connectors.sql.detach import detaching
from connectors.sql.links import Scope
from connectors.sql.lists import MariaDB
from connectors.sql.predicates import All, Rules, rules
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
    doubtful: Select[Any] | None
    steps: tuple[Step, ...]
    left: Select[Any] | None
    looks: tuple[Look, ...]
    """What reads documents again, which no condition in SQL can."""


def draw(opened: Opened, mapping: StoreMapping, span: Span, without: bool) -> Plan:
    """Build the statements, for which every consent stands."""
    seen, dialect = opened.reflection, opened.dialect
    relations = partitions.seen(seen.relations, span)
    relation = relations[span.table]
    inside = within(dialect, span)

    def which(scope: Scope) -> ColumnElement[bool]:
        if not without:
            return inside(scope)
        others = sa.not_(dialect.keyed(scope.root, scope.root_columns))
        return sa.and_(inside(scope), others)

    whole = tuple(sorted({u.ground for g in mapping.groups() for u in g.grounds}))
    its = rules(dialect, mapping, relations, span.table, whole, which)
    if span.by is Walk.PARENT_KEYS and isinstance(dialect, MariaDB):
        its = replace(its, scope=replace(its.scope, parent_first=True))
    table = relation.table
    if isinstance(dialect, PostgreSQL):
        locked = table.name in cascading(mapping, seen.catalogue)
        built: Sequence[Step] = postgresql.steps(its, lock=locked)
    else:
        built = ranged.steps(its) if opened.returning else portable.steps(its)
    steps = (*documents.rewriting(its), *detaching(its, relations), *built)
    due = _conditions(its, documents_too=True)
    doubtful = _in_doubt(its)
    if mapping.copies and not table.after:
        # What goes of a row may stand in a history then, and nobody knows any more whose it was.
        ways = [way for way in (due, doubtful) if way is not None]
        doubtful = sa.or_(*ways) if ways else None
    asked = _people(its, due), _people(its, doubtful)
    return Plan(its, *asked, steps, _left(its), tuple(documents.rereading(its)))


def _people(its: Rules, found: ColumnElement[bool] | None) -> Select[Any] | None:
    """Select the people of the rows of which something is true; on PostgreSQL as arrays."""
    if found is None:
        return None
    scope = its.scope
    root: list[ColumnElement[Any]] = [
        its.dialect.key(expression, column).label(f"erasure_root_{i}")
        for i, (expression, column) in enumerate(zip(scope.root, scope.root_columns, strict=True))
    ]
    people = scope.select(*root).where(its.which, *its.selected, found).distinct()
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
    return scope.select(sa.func.count()).where(its.which, *its.selected, found)


def _conditions(its: Rules, *, documents_too: bool) -> ColumnElement[bool] | None:
    """When a row is past its last ground, as a whole or in a group that still holds something."""
    goes = its.goes()
    ways = [] if goes is None else [every(goes)]
    for group, dead in its.due():
        holds = _holds(its, group) if documents_too else its.unblank(group)
        ways.append(sa.and_(every(dead), holds))
    return sa.or_(*ways) if ways else None


def _in_doubt(its: Rules) -> ColumnElement[bool] | None:
    """When a row would go, or lose more, were nobody's consent to stand and no interest."""
    alone = replace(its, shape=())
    revocable = [g for g in its.groups if any(use.revocable for use in g.grounds)]
    if not revocable:
        return None
    ways = [_only(alone.goes(), its.goes(), sa.true())]
    if not its.shared:
        ways += [_only(alone.dead(g), its.dead(g), _holds(its, g)) for g in revocable]
    found = [way for way in ways if way is not None]
    return sa.or_(*found) if found else None


def _only(
    without: All | None, standing: All | None, holds: ColumnElement[bool]
) -> ColumnElement[bool] | None:
    """When something is over without what a person may end, and not while that stands."""
    if without is None:
        return None
    more = sa.true() if standing is None else sa.not_(sa.func.coalesce(every(standing), sa.false()))
    return sa.and_(every(without), more, holds)


def _holds(its: Rules, group: FieldGroup) -> ColumnElement[bool]:
    """Whether a row holds anything of a group; a document that is there may hold all of it."""
    names = dict.fromkeys(field.column for field in group.fields if field.path is not None)
    documents_there = [its.scope.target.c[name].is_not(None) for name in names]
    return sa.or_(its.unblank(group), *documents_there)


async def in_documents(connection: AsyncConnection, looks: Sequence[Look], batch: Batch) -> int:
    """Count what documents hold that should not be there."""
    found: dict[Key, Mapping[str, Remainder]] = {}
    for look in looks:
        await look.run(connection, batch, found)
    return sum(one.left for groups in found.values() for one in groups.values())
