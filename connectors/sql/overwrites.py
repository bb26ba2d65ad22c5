"""What stands in a field when its row stays, and whether it stands there already.

``{key}`` in a declared overwrite stands for the row's own key, so that a unique column takes a
value of its own for each row; the columns of a composite key are joined by a hyphen.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement, FromClause

from connectors.mapping import Field, FieldGroup
from connectors.sql.columns import KEY, Relation
from connectors.sql.dialect import Condition, Dialect


def plain(group: FieldGroup) -> tuple[Field, ...]:
    """The fields of a group that are columns; the others lie inside documents."""
    return tuple(field for field in group.fields if field.path is None)


def values(
    dialect: Dialect, relation: Relation, source: FromClause, groups: Sequence[FieldGroup]
) -> dict[str, ColumnElement[Any]]:
    """The declared overwrites of the columns of some groups, by column."""
    return {
        field.column: value(dialect, relation, source, field)
        for group in groups
        for field in plain(group)
    }


def value(
    dialect: Dialect, relation: Relation, source: FromClause, field: Field
) -> ColumnElement[Any]:
    """The declared overwrite of one column, as an expression over a row of ``source``."""
    column = relation.columns[field.column]
    if not isinstance(field.overwrite, str) or KEY not in field.overwrite:
        return dialect.overwrite(column, field)
    key = row_key(dialect, relation, source)
    before, *rest = field.overwrite.split(KEY)
    made: ColumnElement[str] = sa.literal(before, sa.Text())
    for text in rest:
        made = made.concat(key).concat(sa.literal(text, sa.Text()))
    return made


def row_key(dialect: Dialect, relation: Relation, source: FromClause) -> ColumnElement[str]:
    """A row's own key as text."""
    first, *others = (dialect.text(source.c[column.name], column) for column in relation.key)
    for other in others:
        first = first.concat(sa.literal("-", sa.Text())).concat(other)
    return first


def unblank(
    dialect: Dialect, relation: Relation, source: FromClause, group: FieldGroup
) -> Condition:
    """Whether any column of a group still holds something else than its overwrite."""
    return sa.or_(
        sa.false(),
        *(
            dialect.differs(
                source.c[field.column],
                relation.columns[field.column],
                field,
                value(dialect, relation, source, field),
            )
            for field in plain(group)
        ),
    )
