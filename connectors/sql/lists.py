"""The expressions of MariaDB, MySQL and SQLite: lists of binds, and comparisons made exact."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy import BindParameter, ColumnElement
from sqlalchemy.dialects import mysql

from connectors.mapping import Field, Key
from connectors.sql.columns import Column, Family, Params, overwrite_for
from connectors.sql.dialect import DATES, KEYS, VALUES, Condition, differs

_YEAR_ZERO = 365
"""MariaDB and MySQL count days from year 0, Python from year 1."""


class _Expanding:
    """What MariaDB and SQLite share: lists of binds, and the driver's own values."""

    def key(self, expression: ColumnElement[Any], column: Column) -> ColumnElement[Any]:
        """Take the column as it comes."""
        return expression

    def keyed(
        self, expressions: Sequence[ColumnElement[Any]], columns: Sequence[Column]
    ) -> Condition:
        """One list of binds, of rows when the key has several columns."""
        given: BindParameter[Any] = sa.bindparam(KEYS, expanding=True)
        if len(columns) == 1:
            return expressions[0].in_(given)
        return sa.tuple_(*expressions).in_(given)

    def key_params(self, columns: Sequence[Column], keys: Sequence[Key]) -> Params:
        """Give each value its column's type: MariaDB would take a text for 0 otherwise."""
        if len(columns) == 1:
            return {KEYS: [columns[0].encode(key[0]) for key in keys]}
        return {
            KEYS: [tuple(c.encode(v) for c, v in zip(columns, key, strict=True)) for key in keys]
        }


class MariaDB(_Expanding):
    """MariaDB and MySQL: comparison follows a collation, dates may be zero."""

    def anchor_problem(self, column: Column) -> str | None:
        """Dates and time stamps are anchors here, texts are not."""
        return None if column.family in DATES else "is neither a date nor a time stamp"

    def anchor(self, expression: ColumnElement[Any], column: Column) -> ColumnElement[Any]:
        """Take ``0000-00-00`` for what it is used for: a date that is not known."""
        day = expression if column.family is Family.DATE else sa.cast(expression, sa.Date())
        return sa.case((sa.func.year(expression) > 0, day), else_=sa.null())

    def cutoff(self, day: date) -> object:
        """The driver takes dates as they are."""
        return day

    def day(self, value: Any) -> date | None:
        """The driver gives dates as they are."""
        return value if isinstance(value, date) else None

    def step(self, day: ColumnElement[Any], cutoffs: Sequence[date]) -> ColumnElement[Any]:
        """Let ``INTERVAL`` search among the days after the cut-offs; it says -1 for NULL."""
        after: list[ColumnElement[int]] = [
            sa.literal_column(str(one.toordinal() + _YEAR_ZERO + 1)) for one in cutoffs
        ]
        return sa.func.nullif(sa.func.interval(sa.func.to_days(day), *after), -1)

    def overwrite(self, column: Column, field: Field) -> ColumnElement[Any]:
        """Bind the value in the type of its column."""
        value = overwrite_for(column, field)
        return sa.null() if value is None else sa.literal(value)

    def differs(
        self,
        expression: ColumnElement[Any],
        column: Column,
        field: Field,
        value: ColumnElement[Any],
    ) -> Condition:
        """Compare texts byte by byte: to its collation, a person called X may be an overwrite x."""
        if column.family is Family.TEXT and field.overwrite is not None:
            return differs(_bytes(expression), _bytes(value), field)
        return differs(expression, value, field)

    def text(self, expression: ColumnElement[Any], column: Column) -> ColumnElement[str]:
        """Cast it to the character set that holds everything."""
        if column.family is Family.BINARY:
            return sa.func.lower(sa.func.hex(expression), type_=sa.Text())
        return sa.cast(expression, mysql.CHAR(charset="utf8mb4"))

    def found(
        self, expression: ColumnElement[Any], column: Column, ignore_case: bool, wide: bool
    ) -> Condition:
        """Leave folding to a collation that folds: only so does the index serve."""
        given: BindParameter[Any] = sa.bindparam(VALUES, expanding=True)
        folding = ignore_case and column.family is Family.TEXT and not column.folds
        return (sa.func.lower(expression) if folding else expression).in_(given)


def _bytes(expression: ColumnElement[Any]) -> ColumnElement[Any]:
    return sa.cast(sa.cast(expression, mysql.CHAR(charset="utf8mb4")), mysql.BINARY())


class SQLite(_Expanding):
    """Dates are ISO texts; ``erasure_date`` and ``erasure_lower`` come with the connection."""

    def anchor_problem(self, column: Column) -> str | None:
        """Read any column for ISO dates."""
        return None

    def anchor(self, expression: ColumnElement[Any], column: Column) -> ColumnElement[Any]:
        """Leave it to our own function: SQLite's would count in UTC and guess at nonsense."""
        return sa.func.erasure_date(expression, type_=sa.String())

    def cutoff(self, day: date) -> object:
        """ISO dates compare as texts."""
        return day.isoformat()

    def day(self, value: Any) -> date | None:
        """Read the ISO text."""
        return None if value is None else date.fromisoformat(value)

    def step(self, day: ColumnElement[Any], cutoffs: Sequence[date]) -> ColumnElement[Any]:
        """Leave the search to our own function."""
        return sa.func.erasure_step(day, ",".join(map(date.isoformat, cutoffs)))

    def overwrite(self, column: Column, field: Field) -> ColumnElement[Any]:
        """Bind the value in the type of its column."""
        value = overwrite_for(column, field)
        return sa.null() if value is None else sa.literal(value)

    def differs(
        self,
        expression: ColumnElement[Any],
        column: Column,
        field: Field,
        value: ColumnElement[Any],
    ) -> Condition:
        """Compare to the letter, whatever the column's collation."""
        exact = sa.collate(expression, "BINARY") if field.overwrite is not None else expression
        return differs(exact, value, field)

    def text(self, expression: ColumnElement[Any], column: Column) -> ColumnElement[str]:
        """Cast it; a blob is shown in hexadecimal."""
        if column.family is Family.BINARY:
            return sa.func.lower(sa.func.hex(expression), type_=sa.Text())
        return sa.cast(expression, sa.Text())

    def found(
        self, expression: ColumnElement[Any], column: Column, ignore_case: bool, wide: bool
    ) -> Condition:
        """SQLite's ``lower`` knows ASCII only: other letters need ours, at the price of a scan."""
        given: BindParameter[Any] = sa.bindparam(VALUES, expanding=True)
        if not ignore_case or column.family not in (Family.TEXT, Family.ANY):
            return expression.in_(given)
        lower = sa.func.erasure_lower if wide else sa.func.lower
        return lower(expression).in_(given)
