"""When a row falls due, as one number that every database can compute and compare.

The first of some days on which a ground is over, counted from 0; above them, in the order of
:class:`connectors.base.Undue`, the reasons why it is over on none. A field group falls due when its
last ground is over, so its number is the greatest of its grounds'. ``until(anchor) <= day`` exactly
when ``anchor <= cutoff(day)``: so many cut-offs as lie before the anchor pass before it is over.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from connectors.falling_due import Undue
from connectors.faults import Misfit
from connectors.mapping import Cutoffs, FieldGroup, GroundUse, NullAnchor
from connectors.sql.anchors import anchors_of
from connectors.sql.predicates import Rules

_ORDER = (Undue.LATER, Undue.UNKNOWN, Undue.REVOCABLE, Undue.NO_END)


class _Greatest(FunctionElement[int]):
    """The greatest of several numbers of one row."""

    name = "greatest"
    type = sa.Integer()
    inherit_cache = True


@compiles(_Greatest, "sqlite")
def _on_sqlite(element: _Greatest, compiler: SQLCompiler, **options: Any) -> str:
    return f"max({compiler.process(element.clauses, **options)})"


@compiles(_Greatest)
def _elsewhere(element: _Greatest, compiler: SQLCompiler, **options: Any) -> str:
    return f"greatest({compiler.process(element.clauses, **options)})"


def greatest(numbers: Sequence[ColumnElement[Any]]) -> ColumnElement[Any]:
    """The greatest of at least one number, none of which is NULL."""
    return numbers[0] if len(numbers) == 1 else _Greatest(*numbers)


@dataclass(frozen=True, slots=True)
class Numbers:
    """The numbers of one table's rows, for the cut-offs of some days in ascending order."""

    rules: Rules
    cutoffs: Sequence[Cutoffs]

    def number(self, reason: Undue) -> ColumnElement[int]:
        """The number that stands for a reason."""
        return sa.literal_column(str(len(self.cutoffs) + _ORDER.index(reason)))

    def when(self, number: int) -> int | Undue:
        """Read a number again."""
        beyond = number - len(self.cutoffs)
        return number if beyond < 0 else _ORDER[beyond]

    def group(self, group: FieldGroup) -> ColumnElement[Any]:
        """When a field group falls due. Without a ground it is due already."""
        uses = [self._ground(use) for use in group.grounds]
        return greatest(uses) if uses else sa.literal_column("0")

    def row(self) -> ColumnElement[Any]:
        """When a row goes as a whole, as far as its own grounds decide."""
        if self.rules.row_stays or not self.rules.groups:
            return self.number(Undue.NO_END)
        return greatest([self.group(group) for group in self.rules.groups])

    def _ground(self, use: GroundUse) -> ColumnElement[Any]:
        when = self._dated(use) if use.anchor is not None else self.number(_open(use))
        if use.evidence is None:
            return when
        return sa.case((self.rules.stands(use), when), else_=sa.literal_column("0"))

    def _dated(self, use: GroundUse) -> ColumnElement[Any]:
        dates, anchors = self.rules.dates, anchors_of(use)
        step = self.rules.dialect.step(dates.value(use), self._days(use.ground))
        running, unknown = self.number(Undue.NO_END), self.number(Undue.UNKNOWN)
        meanings = {anchor.null for anchor in anchors}
        if len(meanings) > 1:
            missing: ColumnElement[Any] = sa.case((dates.running(use), running), else_=unknown)
        else:
            missing = running if NullAnchor.RUNNING in meanings else unknown
        if len(anchors) == 1 and anchors[0].link is None:
            return sa.func.coalesce(step, missing)
        # Where no linked row exists there is nothing to wait for.
        known = sa.func.coalesce(step, sa.literal_column("0"))
        return sa.case((dates.unknown(use), missing), else_=known)

    def _days(self, ground: str) -> Sequence[Any]:
        if any(ground not in cutoffs for cutoffs in self.cutoffs):
            raise Misfit("no-cutoff", f"nobody named a cut-off for the ground {ground}")
        return [cutoffs[ground] for cutoffs in self.cutoffs]


def _open(use: GroundUse) -> Undue:
    return Undue.REVOCABLE if use.revocable else Undue.NO_END
