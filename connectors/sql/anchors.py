"""When a ground is over for a row: its anchors in the row, its parent or rows linked to it.

An anchor in the row or its parent is over when its date is not after the cut-off. Over linked
rows (the invoices that use an address) nothing is collected: a date later than the cut-off either
exists among them or it does not. An unknown date (SQL's NULL) is never over, and where no linked
row exists there is nothing to wait for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement

from connectors.mapping import Anchor, GroundUse, NullAnchor, ParentLink, Pick
from connectors.sql.columns import Relation
from connectors.sql.dialect import Condition, Dialect
from connectors.sql.filters import matching
from connectors.sql.links import Scope, tied

CUTOFF = "erasure_cutoff_"


def anchors_of(use: GroundUse) -> tuple[Anchor, ...]:
    """Every anchor of a ground; none for a ground that has no end of its own."""
    return () if use.anchor is None else (use.anchor, *use.others)


@dataclass(frozen=True, slots=True)
class Dates:
    """The anchors of one table's grounds, as expressions over its rows in a statement."""

    dialect: Dialect
    scope: Scope
    relations: Mapping[str, Relation]
    _aliases: list[int] = field(default_factory=list)

    def over(self, use: GroundUse) -> Condition:
        """When the period of a ground with an anchor is over; unknown or false when it is not."""
        anchors = anchors_of(use)
        cutoff: ColumnElement[Any] = sa.bindparam(CUTOFF + use.ground)
        if not use.earliest or len(anchors) == 1:
            return sa.and_(*(self._over(anchor, cutoff) for anchor in anchors))
        # The earlier of several counts, so one that is over is enough; one that has no row at
        # all says nothing, unless all have none.
        each = [
            sa.and_(self._any(anchor.link), self._over(anchor, cutoff))
            if anchor.link
            else self._over(anchor, cutoff)
            for anchor in anchors
        ]
        if all(anchor.link for anchor in anchors):
            each.append(sa.and_(*(~self._any(anchor.link) for anchor in anchors if anchor.link)))
        return sa.or_(*each)

    def lives(self, use: GroundUse) -> Condition:
        """The opposite of :meth:`over`, and never unknown."""
        if use.anchor is not None and not use.others and use.anchor.link is None:
            date = self.value(use)
            return sa.or_(date.is_(None), date > sa.bindparam(CUTOFF + use.ground))
        return sa.not_(sa.func.coalesce(self.over(use), sa.false()))

    def value(self, use: GroundUse) -> ColumnElement[Any]:
        """The date that counts, NULL when none is known."""
        each = self._decisive if use.earliest else self._value
        first, *others = (each(anchor) for anchor in anchors_of(use))
        for other in others:
            wins = other < first if use.earliest else other > first
            first = sa.case((first.is_(None), other), (wins, other), else_=first)
        return first

    def unknown(self, use: GroundUse) -> Condition:
        """Whether a date is missing that decides: any of several of which the later counts.

        Of several of which the earlier counts, one that is known is enough; where none is, one
        that is missing decides, for links without a row say nothing.
        """
        missing = sa.or_(*(self._unknown(anchor) for anchor in anchors_of(use)))
        return sa.and_(self.value(use).is_(None), missing) if use.earliest else missing

    def running(self, use: GroundUse) -> Condition:
        """Whether, where a date that decides is missing, it is one whose lack means 'running'."""
        running = [a for a in anchors_of(use) if a.null is NullAnchor.RUNNING]
        return sa.or_(sa.false(), *(self._unknown(anchor) for anchor in running))

    def _over(self, anchor: Anchor, cutoff: ColumnElement[Any]) -> Condition:
        if anchor.link is None:
            return self._value(anchor) <= cutoff
        if anchor.pick is Pick.NEWEST:
            return ~self._exists(anchor, lambda date: sa.or_(date.is_(None), date > cutoff))
        past = self._exists(anchor, lambda date: date <= cutoff)
        return sa.or_(past, ~self._any(anchor.link))

    def _value(self, anchor: Anchor) -> ColumnElement[Any]:
        if anchor.link is None:
            relation, source = self.scope.relation, self.scope.target
            if anchor.of_parent and self.scope.above is not None:
                relation, source = self.scope.above
            return self.dialect.anchor(source.c[anchor.column], relation.columns[anchor.column])
        pick = sa.func.max if anchor.pick is Pick.NEWEST else sa.func.min
        linked, where = self._linked(anchor.link)
        date = self._date(anchor, linked)
        found = sa.select(pick(date)).select_from(linked).where(*where)
        return found.correlate(self.scope.target).scalar_subquery()

    def _decisive(self, anchor: Anchor) -> ColumnElement[Any]:
        """The date by which an anchor alone can end a ground: none while its newest is missing."""
        value = self._value(anchor)
        if anchor.link is None or anchor.pick is Pick.OLDEST:
            return value
        return sa.case((self._unknown(anchor), sa.null()), else_=value)

    def _unknown(self, anchor: Anchor) -> Condition:
        if anchor.link is None:
            return self._value(anchor).is_(None)
        missing = self._exists(anchor, lambda date: date.is_(None))
        if anchor.pick is Pick.NEWEST:
            return missing
        return sa.and_(missing, self._value(anchor).is_(None))

    def _exists(self, anchor: Anchor, condition: Any) -> Condition:
        assert anchor.link is not None  # noqa: S101 - only asked for anchors over a link
        linked, where = self._linked(anchor.link)
        found: sa.Select[Any] = sa.select(sa.literal_column("1")).select_from(linked)
        found = found.where(*where, condition(self._date(anchor, linked)))
        return found.correlate(self.scope.target).exists()

    def _any(self, link: ParentLink) -> Condition:
        linked, where = self._linked(link)
        found: sa.Select[Any] = sa.select(sa.literal_column("1")).select_from(linked).where(*where)
        return found.correlate(self.scope.target).exists()

    def _linked(self, link: ParentLink) -> tuple[sa.FromClause, Sequence[Condition]]:
        """Name the linked table anew for each use, with what ties its rows to the one at hand."""
        self._aliases.append(len(self._aliases))
        relation = self.relations[link.table]
        alias = relation.clause.alias(f"erasure_linked_{len(self._aliases)}")
        ties = tied(link, (self.scope.relation, self.scope.target), (relation, alias))
        return alias, [ties, *matching(self.dialect, relation, alias)]

    def _date(self, anchor: Anchor, linked: sa.FromClause) -> ColumnElement[Any]:
        assert anchor.link is not None  # noqa: S101 - only asked for anchors over a link
        column = self.relations[anchor.link.table].columns[anchor.column]
        return self.dialect.anchor(linked.c[anchor.column], column)
