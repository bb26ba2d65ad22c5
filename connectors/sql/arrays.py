"""PostgreSQL's expressions: arrays as binds, literals that take on their column's type."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import UserDefinedType

from connectors.mapping import Field, Key
from connectors.sql.columns import Column, Family, Params, overwrite_for
from connectors.sql.dialect import DATES, KEYS, VALUES, Condition, differs


class _BPChar(UserDefinedType[str]):
    """``bpchar``: a padded text without a length, so that a longer key is not cut to fit."""

    cache_ok = True

    def get_col_spec(self, **kw: Any) -> str:
        """Return the type's name in SQL."""
        return "BPCHAR"


class PostgreSQL:
    """Arrays as binds; the session's zone turns instants into dates."""

    def anchor_problem(self, column: Column) -> str | None:
        """Dates and time stamps are anchors here, texts are not."""
        return None if column.family in DATES else "is neither a date nor a time stamp"

    def anchor(self, expression: ColumnElement[Any], column: Column) -> ColumnElement[Any]:
        """Take ``infinity`` for what it is used for: an end that is not known."""
        finite = sa.func.nullif(expression, sa.literal_column("'infinity'"))
        if column.family is Family.DATE:
            return sa.type_coerce(finite, sa.Date())
        return sa.cast(finite, sa.Date())

    def cutoff(self, day: date) -> object:
        """The driver takes dates as they are."""
        return day

    def day(self, value: Any) -> date | None:
        """The driver gives dates as they are."""
        return value if isinstance(value, date) else None

    def step(self, day: ColumnElement[Any], cutoffs: Sequence[date]) -> ColumnElement[Any]:
        """Let ``width_bucket`` search among the days after the cut-offs."""
        after = [one + timedelta(days=1) for one in cutoffs]
        return sa.func.width_bucket(day, sa.literal(after, postgresql.ARRAY(sa.Date())))

    def overwrite(self, column: Column, field: Field) -> ColumnElement[Any]:
        """Write an untyped literal: it takes on whatever type its column has, enums included."""
        value = overwrite_for(column, field)
        if value is None:
            return sa.null()
        text = str(value).replace("'", "''")
        if "\\" in text:
            return sa.literal_column("E'" + text.replace("\\", "\\\\") + "'")
        return sa.literal_column(f"'{text}'")

    def differs(
        self,
        expression: ColumnElement[Any],
        column: Column,
        field: Field,
        value: ColumnElement[Any],
    ) -> Condition:
        """Compare as plain text what would fold case or has no equality of its own."""
        json = isinstance(column.type, postgresql.JSON)
        enum = isinstance(column.type, sa.Enum)  # a domain over one has no equality
        if column.folds or enum or (json and not isinstance(column.type, postgresql.JSONB)):
            expression = sa.cast(expression, sa.Text())
        return differs(expression, value, field)

    def text(self, expression: ColumnElement[Any], column: Column) -> ColumnElement[str]:
        """Cast it; padded text comes without its padding."""
        if column.family is Family.BINARY:
            return sa.func.encode(expression, sa.literal_column("'hex'"), type_=sa.Text())
        return sa.cast(expression, sa.Text())

    def key(self, expression: ColumnElement[Any], column: Column) -> ColumnElement[Any]:
        """What is neither number nor text comes as text, padded text without its padding."""
        padded = isinstance(column.type, sa.CHAR)
        if column.family in (Family.INTEGER, Family.TEXT) and not padded:
            return expression
        return sa.cast(expression, sa.Text())

    def keyed(
        self, expressions: Sequence[ColumnElement[Any]], columns: Sequence[Column]
    ) -> Condition:
        """One array a key column; several are walked in step."""
        if len(columns) == 1:
            return _member(expressions[0], columns[0], f"{KEYS}_0")
        sides = [_comparable(e, c) for e, c in zip(expressions, columns, strict=True)]
        arrays = [_array(f"{KEYS}_{i}", c) for i, c in enumerate(columns)]
        names = [f"k{i}" for i in range(len(columns))]
        given = sa.func.unnest(*arrays).table_valued(*names).render_derived()
        return sa.tuple_(*sides).in_(sa.select(*(given.c[name] for name in names)))

    def key_params(self, columns: Sequence[Column], keys: Sequence[Key]) -> Params:
        """Turn rows of keys into one list a column."""
        return {f"{KEYS}_{i}": _array_values(c, keys, i) for i, c in enumerate(columns)}

    def found(
        self, expression: ColumnElement[Any], column: Column, ignore_case: bool, wide: bool
    ) -> Condition:
        """Compare with lower case; a citext column does so by itself, and has the index for it."""
        if ignore_case and column.family is Family.TEXT and not column.folds:
            values = sa.bindparam(VALUES, type_=postgresql.ARRAY(sa.Text()))
            return sa.func.lower(expression) == sa.any_(values)
        return _member(expression, column, VALUES)


def _array_values(column: Column, keys: Sequence[Key], position: int) -> list[Any]:
    values: list[Any] = [key[position] for key in keys]
    wanted = int if column.family is Family.INTEGER else str
    if set(map(type, values)) <= {wanted}:
        return values
    return [column.encode(v) if wanted is int else str(v) for v in values]


def _array(name: str, column: Column) -> ColumnElement[Any]:
    """A bind for many values of a column: an array that an index on the column can use."""
    if column.family is Family.INTEGER:
        return sa.bindparam(name, type_=postgresql.ARRAY(sa.BigInteger()))
    texts = sa.bindparam(name, type_=postgresql.ARRAY(sa.Text()))
    if column.family is Family.UUID:
        return sa.cast(texts, postgresql.ARRAY(postgresql.UUID(as_uuid=False)))
    if column.folds:
        return sa.cast(texts, postgresql.ARRAY(postgresql.CITEXT()))
    if isinstance(column.type, sa.CHAR):
        return sa.cast(texts, postgresql.ARRAY(_BPChar()))
    if isinstance(column.type, sa.Numeric):
        return sa.cast(texts, postgresql.ARRAY(sa.Numeric()))
    return texts


def _comparable(expression: ColumnElement[Any], column: Column) -> ColumnElement[Any]:
    known = (Family.INTEGER, Family.TEXT, Family.UUID)
    if column.family in known or isinstance(column.type, sa.Numeric):
        return expression
    return sa.cast(expression, sa.Text())


def _member(expression: ColumnElement[Any], column: Column, name: str) -> Condition:
    return _comparable(expression, column) == sa.any_(_array(name, column))
