"""Which grounds live for a row, which groups are dead, and when the row itself goes.

Conditions come in lists of which all must hold. An empty list holds always, ``None`` never: what a
shape decides for every row alike needs no comparison in the store. Only positive conditions are
ever combined, so that an unknown anchor (SQL's NULL) never counts as over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement

from connectors.mapping import (
    Evidence,
    FieldGroup,
    GroundUse,
    ParentLink,
    Shape,
    StoreMapping,
    Table,
)
from connectors.sql import overwrites
from connectors.sql.anchors import CUTOFF, Dates, anchors_of
from connectors.sql.columns import Relation
from connectors.sql.dialect import Condition, Dialect
from connectors.sql.filters import matching, passes
from connectors.sql.links import Scope, Side, scope, tied

All = tuple[Condition, ...]
__all__ = ["CUTOFF", "All", "Rules", "rules"]


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of one table under one shape, as expressions over a scope."""

    dialect: Dialect
    scope: Scope
    dates: Dates
    shape: Shape
    groups: tuple[FieldGroup, ...]
    childless: All
    row_stays: bool
    selected: All
    """What a row must be beside the person's: one of those that the table means."""
    shared: bool
    """The rows belong to others as well: they go when nothing holds them, or are left alone."""
    which: Condition
    """Which rows a statement is about: those of some people, or those of a part of the table."""

    @property
    def cutoffs(self) -> tuple[str, ...]:
        """Grounds whose cut-off the statements of this table need."""
        return tuple(
            sorted({u.ground for g in self.groups for u in g.grounds if u.anchor and self.can(u)})
        )

    def can(self, use: GroundUse) -> bool:
        """Whether a ground can live at all: one that was taken back cannot."""
        return not use.revocable or use.ground in self.shape

    def lives(self, use: GroundUse) -> All | None:
        """When a ground lives: an anchor after the cut-off, or none (which is never 'over')."""
        if not self.can(use):
            return None
        proof = () if use.evidence is None else (self._stands(use.evidence),)
        return proof if use.anchor is None else (*proof, self.dates.lives(use))

    def dead(self, group: FieldGroup) -> All | None:
        """When no ground of a group lives."""
        conditions: list[Condition] = []
        for use in group.grounds:
            if not self.can(use):
                continue
            ends: list[Condition] = [] if use.anchor is None else [self.dates.over(use)]
            if use.evidence is not None:
                ends.append(sa.not_(self._stands(use.evidence)))
            if not ends:
                return None
            conditions.append(sa.or_(*ends))
        return tuple(conditions)

    def stands(self, use: GroundUse) -> Condition:
        """Whether a consent that the store records stands; one that it does not record does."""
        return sa.true() if use.evidence is None else self._stands(use.evidence)

    def _stands(self, evidence: Evidence) -> Condition:
        """Whether the row, or its parent, says that a consent was given. Never unknown."""
        relation, source = self.scope.relation, self.scope.target
        there: list[Condition] = []
        if evidence.of_parent and self.scope.above is not None:
            relation, source = self.scope.above
            # A parent that is not there has no empty column either: it says nothing.
            there = [source.c[relation.table.key[0]].is_not(None)]
        column = evidence.filter.column
        said = passes(self.dialect, evidence.filter, source.c[column], relation.columns[column])
        return sa.func.coalesce(sa.and_(*there, said), sa.false())

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

    @property
    def orphans_stay(self) -> bool:
        """Whether no row goes without a parent."""
        return any(map(self._needs_parent, self.groups))

    @property
    def led_by_parent(self) -> bool:
        """Whether nothing of a row is over before a date of its parent is."""
        return bool(self.groups) and all(map(self._needs_parent, self.groups))

    def _needs_parent(self, group: FieldGroup) -> bool:
        """Whether a ground of a group runs, in any case, from a date that only the parent has."""
        return any(
            use.evidence is None
            and not use.earliest
            and any(anchor.of_parent for anchor in anchors_of(use))
            for use in group.grounds
            if self.can(use)
        )

    def due(self) -> tuple[tuple[FieldGroup, All], ...]:
        """The groups that can be dead in a row that stays, each with when it is.

        A row's only group takes the row along, unless something else holds the row.
        """
        goes = self.goes()
        if self.shared:
            return ()
        if goes == () or (goes is not None and len(self.groups) == 1 and not self.childless):
            return ()
        found = ((group, self.dead(group)) for group in self.groups)
        return tuple((group, dead) for group, dead in found if dead is not None)

    def unblank(self, group: FieldGroup) -> Condition:
        """Whether any column of a group still holds something else than its overwrite."""
        return overwrites.unblank(self.dialect, self.scope.relation, self.scope.target, group)

    def values(self, *groups: FieldGroup) -> dict[str, ColumnElement[Any]]:
        """What an UPDATE writes into the columns of some groups."""
        return overwrites.values(self.dialect, self.scope.relation, self.scope.target, groups)


def rules(
    dialect: Dialect,
    mapping: StoreMapping,
    relations: Mapping[str, Relation],
    name: str,
    shape: Shape,
    which: Callable[[Scope], Condition] | None = None,
) -> Rules:
    """Make the rules of one table under one shape, for the people given or as ``which`` says."""
    relation = relations[name]
    table = relation.table
    uses = [use for group in table.groups for use in group.grounds]
    parent_anchor = any(
        any(anchor.of_parent for anchor in anchors_of(use))
        or (use.evidence is not None and use.evidence.of_parent)
        for use in uses
        if not use.revocable or use.ground in shape
    )
    where = scope(dialect, mapping, relations, table, parent_anchor=parent_anchor)
    childless = [
        _free_of(dialect, relations[holder.name], link, (relation, where.target), number)
        for number, (holder, link) in enumerate(_holders(mapping, table))
    ]
    return Rules(
        dialect,
        where,
        Dates(dialect, where, relations),
        shape,
        table.groups,
        tuple(childless),
        table.row_stays,
        tuple(matching(dialect, relation, where.target)),
        shared=table.shared_by is not None,
        which=which(where) if which else dialect.keyed(where.root, where.root_columns),
    )


def _holders(mapping: StoreMapping, table: Table) -> Iterator[tuple[Table, ParentLink]]:
    """Tables that hold a row as long as a row of theirs is there, and how they name it.

    Its children, those that point at it, and the links through which it belongs to people.
    """
    for other in mapping.tables:
        if other.after:  # its rows are cleaned when those they hang on are gone
            continue
        if other.parent is not None and other.parent.table == table.name:
            yield other, other.parent
        yield from ((other, link) for link in other.references if link.table == table.name)
    if table.shared_by is not None:
        turned = tuple((theirs, own) for own, theirs in table.shared_by.columns)
        holder = next(t for t in mapping.tables if t.name == table.shared_by.table)
        yield holder, ParentLink(table.name, turned)


def _free_of(
    dialect: Dialect, holder: Relation, link: ParentLink, held: Side, number: int
) -> Condition:
    """The condition that no row of a table holds the row at hand."""
    alias = holder.clause.alias(f"erasure_child_{number}")
    below: sa.Select[Any] = sa.select(sa.literal_column("1")).select_from(alias)
    ties = tied(link, (holder, alias), held)
    return ~below.where(ties, *matching(dialect, holder, alias)).correlate(held[1]).exists()
