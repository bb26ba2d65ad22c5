"""Which grounds live for a row, which groups are dead, and when the row itself goes.

Conditions come in lists of which all must hold. An empty list holds always, ``None`` never: what a
shape decides for every row alike needs no comparison in the store. Only positive conditions are
ever combined, so that an unknown anchor (SQL's NULL) never counts as over.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement

from connectors.mapping import Anchor, FieldGroup, GroundUse, Shape, StoreMapping
from connectors.sql.columns import Relation
from connectors.sql.dialect import Condition, Dialect
from connectors.sql.links import Scope, linked, scope

All = tuple[Condition, ...]
CUTOFF = "erasure_cutoff_"


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of one table under one shape, as expressions over a scope."""

    dialect: Dialect
    scope: Scope
    shape: Shape
    groups: tuple[FieldGroup, ...]
    childless: All
    row_stays: bool

    @property
    def cutoffs(self) -> tuple[str, ...]:
        """Grounds whose cut-off the statements of this table need."""
        return tuple(
            sorted({u.ground for g in self.groups for u in g.grounds if u.anchor and self.can(u)})
        )

    def can(self, use: GroundUse) -> bool:
        """Whether a ground can live at all: one that was taken back cannot."""
        return not use.revocable or use.ground in self.shape

    def anchor(self, anchor: Anchor) -> ColumnElement[Any]:
        """The date from which a ground's period runs."""
        relation, source = self.scope.relation, self.scope.target
        if anchor.of_parent and self.scope.above is not None:
            relation, source = self.scope.above
        return self.dialect.anchor(source.c[anchor.column], relation.columns[anchor.column])

    def lives(self, use: GroundUse) -> All | None:
        """When a ground lives: an anchor after the cut-off, or none (which is never 'over')."""
        if not self.can(use):
            return None
        if use.anchor is None:
            return ()
        anchor = self.anchor(use.anchor)
        return (sa.or_(anchor.is_(None), anchor > _cutoff(use)),)

    def dead(self, group: FieldGroup) -> All | None:
        """When no ground of a group lives."""
        conditions: list[Condition] = []
        for use in group.grounds:
            if not self.can(use):
                continue
            if use.anchor is None:
                return None
            conditions.append(self.anchor(use.anchor) <= _cutoff(use))
        return tuple(conditions)

    def goes(self) -> All | None:
        """When the row itself goes. Without a field group nothing says that it should."""
        if self.row_stays or not self.groups:
            return None
        conditions: list[Condition] = []
        for group in self.groups:
            dead = self.dead(group)
            if dead is None:
                return None
            conditions += dead
        return (*conditions, *self.childless)

    def due(self) -> tuple[tuple[FieldGroup, All], ...]:
        """The groups that can be dead in a row that stays, each with when it is.

        A row's only group takes the row along, unless something else holds the row.
        """
        goes = self.goes()
        if goes == () or (goes is not None and len(self.groups) == 1 and not self.childless):
            return ()
        found = ((group, self.dead(group)) for group in self.groups)
        return tuple((group, dead) for group, dead in found if dead is not None)

    def unblank(self, group: FieldGroup) -> Condition:
        """Whether any field of a group still holds something else than its overwrite."""
        columns = self.scope.relation.columns
        return sa.or_(
            sa.false(),
            *(
                self.dialect.differs(self.scope.target.c[f.column], columns[f.column], f)
                for f in group.fields
            ),
        )


def rules(
    dialect: Dialect,
    mapping: StoreMapping,
    relations: Mapping[str, Relation],
    name: str,
    shape: Shape,
) -> Rules:
    """Make the rules of one table under one shape."""
    relation = relations[name]
    table = relation.table
    uses = [use for group in table.groups for use in group.grounds]
    parent_anchor = any(
        use.anchor is not None and use.anchor.of_parent
        for use in uses
        if not use.revocable or use.ground in shape
    )
    where = scope(mapping, relations, table, parent_anchor=parent_anchor)
    childless: list[Condition] = []
    for number, child in enumerate(mapping.children(table)):
        alias = relations[child.name].clause.alias(f"erasure_child_{number}")
        below: sa.Select[Any] = sa.select(sa.literal_column("1")).select_from(alias)
        below = below.where(linked(child, alias, where.target)).correlate(where.target)
        childless.append(~below.exists())
    return Rules(dialect, where, shape, table.groups, tuple(childless), table.row_stays)


def _cutoff(use: GroundUse) -> ColumnElement[Any]:
    return sa.bindparam(CUTOFF + use.ground)
