"""Which rows a declared table means, and which rows say that a consent stands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement, FromClause

from connectors.mapping import Field, Filter
from connectors.sql.columns import Column, Family, Relation
from connectors.sql.dialect import Condition, Dialect


def matching(dialect: Dialect, relation: Relation, source: FromClause) -> Sequence[Condition]:
    """The conditions that a row is one of those that the table means."""
    return [
        passes(dialect, filtered, source.c[filtered.column], relation.columns[filtered.column])
        for filtered in relation.table.where
    ]


def passes(
    dialect: Dialect, filtered: Filter, expression: ColumnElement[Any], column: Column
) -> Condition:
    """Whether a column has one of the values, or with ``negated`` none; never unknown."""
    alike: list[Condition] = []
    for value in filtered.values:
        if value is None:
            alike.append(expression.is_(None))
        else:
            same = expression == _literal(dialect, column, value)
            alike.append(sa.and_(expression.is_not(None), same))
    found = sa.or_(*alike)
    return sa.not_(found) if filtered.negated else found


def _literal(dialect: Dialect, column: Column, value: str | int | bool) -> ColumnElement[Any]:
    """Give a declared value the type of its column, as an overwrite has it."""
    if isinstance(value, bool):
        boolean = isinstance(column.type, sa.Boolean) and column.family is not Family.INTEGER
        return sa.literal(value) if boolean else sa.literal(int(value))
    return dialect.overwrite(column, Field(column.name, "", value))
