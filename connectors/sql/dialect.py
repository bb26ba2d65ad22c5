"""The few expressions in which the databases differ: what the statement builders ask for.

A ``Dialect`` turns columns into expressions; it holds no state and no connection. PostgreSQL's is
in :mod:`connectors.sql.arrays`, those of MariaDB and SQLite in :mod:`connectors.sql.lists`. What
differs in whole statements is in :mod:`connectors.sql.postgresql` and
:mod:`connectors.sql.portable`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Protocol

from sqlalchemy import ColumnElement

from connectors.mapping import Field, Key
from connectors.sql.columns import Column, Family, Params

Condition = ColumnElement[bool]
KEYS = "erasure_keys"
VALUES = "erasure_values"
"""Names of binds: prefixed, so that no column of a store is called the same."""

DATES = frozenset({Family.DATE, Family.LOCAL_TIME, Family.INSTANT})


class Dialect(Protocol):
    """What the statement builders ask of a database."""

    def anchor_problem(self, column: Column) -> str | None:
        """Say why a column cannot be read as a date, or None when it can."""

    def anchor(self, expression: ColumnElement[Any], column: Column) -> ColumnElement[Any]:
        """Read an anchor as a date in the store's zone; what is no date is NULL."""

    def cutoff(self, day: date) -> object:
        """Give a cut-off the form that anchors have."""

    def day(self, value: Any) -> date | None:
        """Turn an anchor that was read back into a date."""

    def step(self, day: ColumnElement[Any], cutoffs: Sequence[date]) -> ColumnElement[Any]:
        """Count the cut-offs, given in ascending order, that lie before an anchor; NULL for none.

        So many of the days that they belong to pass before the anchor's period is over.
        """

    def overwrite(self, column: Column, field: Field) -> ColumnElement[Any]:
        """Write the declared overwrite as a value of its column."""

    def differs(
        self,
        expression: ColumnElement[Any],
        column: Column,
        field: Field,
        value: ColumnElement[Any],
    ) -> Condition:
        """Tell whether a field still holds something else, to the letter, than its overwrite."""

    def text(self, expression: ColumnElement[Any], column: Column) -> ColumnElement[str]:
        """Read a column as text, binary ones in hexadecimal."""

    def key(self, expression: ColumnElement[Any], column: Column) -> ColumnElement[Any]:
        """Read a key or identifier in a form that :meth:`Column.decode` understands."""

    def keyed(
        self, expressions: Sequence[ColumnElement[Any]], columns: Sequence[Column]
    ) -> Condition:
        """Limit to the keys of the work at hand."""

    def key_params(self, columns: Sequence[Column], keys: Sequence[Key]) -> Params:
        """Bind values for :meth:`keyed`."""

    def found(
        self, expression: ColumnElement[Any], column: Column, ignore_case: bool, wide: bool
    ) -> Condition:
        """Limit to looked-up values. ``wide``: some have letters beyond ASCII."""


def differs(left: ColumnElement[Any], value: ColumnElement[Any], field: Field) -> Condition:
    """Compare a field, exactly, with its overwrite: one is wrong where either alone is empty."""
    return left.is_not(None) if field.overwrite is None else left.is_distinct_from(value)
