"""How the rows of a table lead to a person's key: by their own columns, or up through parents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement, FromClause, Select

from connectors.mapping import ParentLink, StoreMapping, Table
from connectors.sql.columns import Column, Relation
from connectors.sql.dialect import Condition, Dialect
from connectors.sql.filters import matching
from connectors.sql.folding import same


@dataclass(frozen=True, slots=True)
class Scope:
    """One table as a statement sees it.

    ``target`` is the table, ``joins`` the parents needed (each with its condition, nearest first),
    ``root`` the expressions of the person's key and ``root_columns`` their types where they stand.
    ``above`` is the direct parent when it is joined; ``optional`` says that it is there for its
    anchors only, so that a row without a parent must not be lost. ``parent_first``: rows are meant
    by their parent, and MariaDB is to begin with it, which by its own estimates it may not do: it
    would then read, and lock, rows of every other parent as well.
    """

    relation: Relation
    target: FromClause
    joins: tuple[tuple[FromClause, Condition], ...]
    root: tuple[ColumnElement[Any], ...]
    root_columns: tuple[Column, ...]
    above: tuple[Relation, FromClause] | None
    optional: bool
    parent_first: bool = False

    def source(self) -> FromClause:
        """The FROM clause of a SELECT."""
        joins, source = self.joins, self.target
        if self.parent_first:
            (parent, tie), *joins_of_parent = joins
            source, joins = sa.join(parent, source, tie), tuple(joins_of_parent)
        for joined, condition in joins:
            outer = self.optional and not self.parent_first
            source = sa.join(source, joined, condition, isouter=outer)
        return source

    def select(self, *columns: ColumnElement[Any]) -> Select[Any]:
        """Select of the table and the parents needed, in that order where it matters."""
        selected = sa.select(*columns).select_from(self.source())
        return selected.prefix_with("STRAIGHT_JOIN") if self.parent_first else selected

    def conditions(self) -> tuple[Condition, ...]:
        """The joins as conditions, for a DELETE or UPDATE that lists its tables."""
        return tuple(condition for _, condition in self.joins)

    def key(self) -> tuple[ColumnElement[Any], ...]:
        """The table's own declared key."""
        return tuple(self.target.c[name] for name in self.relation.table.key)


def carried(mapping: StoreMapping, table: Table) -> tuple[str, ...] | None:
    """Name the columns in which a table itself holds the root's key, if it does."""
    if table.parent is None:
        return table.key
    above = carried(mapping, parent_of(mapping, table))
    link = link_of(table)
    own = {theirs: mine for mine, theirs in link.columns if not link.ignore_case}
    if above is None or not all(name in own for name in above):
        return None
    return tuple(own[name] for name in above)


def link_of(table: Table) -> ParentLink:
    """Return how a table names its parent. Raises ``LookupError`` for the root, which has none."""
    if table.parent is None:
        raise LookupError(f"table {table.name} has no parent")
    return table.parent


def parent_of(mapping: StoreMapping, table: Table) -> Table:
    """Return the declared parent of a table that has one."""
    link = link_of(table)
    return next(t for t in mapping.tables if t.name == link.table)


def scope(
    dialect: Dialect,
    mapping: StoreMapping,
    relations: Mapping[str, Relation],
    table: Table,
    *,
    parent_anchor: bool,
) -> Scope:
    """Work out the joins of a table. ``parent_anchor``: its parent's dates are needed."""
    relation = relations[table.name]
    target = relation.clause
    own = carried(mapping, table)
    joins: list[tuple[FromClause, Condition]] = []
    root, above = own, table
    below: FromClause = target
    holder = relation
    while root is None or (parent_anchor and not joins and above.parent):
        parent = parent_of(mapping, above)
        alias = relations[parent.name].clause.alias(f"erasure_parent_{len(joins)}")
        kept = matching(dialect, relations[parent.name], alias)
        own_side, other_side = (relations[above.name], below), (relations[parent.name], alias)
        joins.append((alias, sa.and_(tied(link_of(above), own_side, other_side), *kept)))
        below, above = alias, parent
        if root is None:
            root = carried(mapping, parent)
            holder = relations[parent.name]
    start = target if own is not None else below
    return Scope(
        relation,
        target,
        tuple(joins),
        tuple(start.c[name] for name in root),
        tuple(holder.columns[name] for name in root),
        (relations[link_of(table).table], joins[0][0]) if joins else None,
        optional=own is not None,
    )


Side = tuple[Relation, FromClause]
"""One side of a link: the table, and what a statement calls it."""


def tied(link: ParentLink, own: Side, other: Side) -> Condition:
    """The condition that a row belongs to a row of the table that its link names."""
    (mine, here), (theirs, there) = own, other
    return sa.and_(
        *(
            same((here.c[a], mine.columns[a]), (there.c[b], theirs.columns[b]), link.ignore_case)
            for a, b in link.columns
        )
    )
