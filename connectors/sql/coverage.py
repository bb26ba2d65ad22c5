"""Several tables over one relation, told apart by ``where:``: do they mean every row, once?

What can be known from the filters alone is known without reading a row; otherwise rows are counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from math import prod
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Select

from connectors.base import Finding
from connectors.mapping import Filter, StoreMapping, Table
from connectors.sql.catalogue import Name
from connectors.sql.columns import Relation
from connectors.sql.dialect import Dialect
from connectors.sql.filters import matching
from connectors.sql.reflect import full_name

_ANY: Final = object()
"""Stands for each value that no filter mentions."""
_MOST: Final = 10_000


def cover(filters: Sequence[Sequence[Filter]]) -> bool:
    """Whether every row, whatever it holds, passes all conditions of one of these filters."""
    values: dict[str, list[Any]] = {}
    for one in (condition for conditions in filters for condition in conditions):
        known = values.setdefault(one.column, [_ANY, None])
        known += [value for value in one.values if value not in known]
    if prod(map(len, values.values())) > _MOST:
        return False
    rows = (dict(zip(values, row, strict=True)) for row in product(*values.values()))
    return all(any(_passes(row, conditions) for conditions in filters) for row in rows)


def _passes(row: Mapping[str, Any], conditions: Sequence[Filter]) -> bool:
    return all((row[one.column] in one.values) is not one.negated for one in conditions)


def shared(mapping: StoreMapping, names: Mapping[str, Name]) -> Iterator[tuple[Table, ...]]:
    """The declared tables that mean rows of one relation by filters, together."""
    together: dict[Name, list[Table]] = {}
    for table in mapping.tables:
        together.setdefault(names[table.name], []).append(table)
    for tables in together.values():
        if any(table.where for table in tables):
            yield tuple(tables)


def counting(
    dialect: Dialect, relations: Mapping[str, Relation], tables: Sequence[Table]
) -> Select[Any]:
    """Count the rows of a relation that none of these tables means, and that several do."""
    source = relations[tables[0].name].clause
    one: ColumnElement[int] = sa.literal_column("1")
    none: ColumnElement[int] = sa.literal_column("0")
    hits: ColumnElement[int] = sum(
        (
            sa.case((sa.and_(*matching(dialect, relations[t.name], source)), one), else_=none)
            for t in tables
            if t.where
        ),
        sa.literal_column(str(sum(1 for t in tables if not t.where))),
    )
    told = sa.select(hits.label("erasure_hits")).select_from(source).subquery("erasure_told")
    met = told.c.erasure_hits
    counts: list[ColumnElement[Any]] = [
        sa.func.count(sa.case((met == none, one))),
        sa.func.count(sa.case((met > one, one))),
    ]
    return sa.select(*counts)


def found(tables: Sequence[Table], nobody: int, several: int) -> Iterator[Finding]:
    """Say what was counted, where it should not be."""
    first, name = tables[0], full_name(tables[0])
    if nobody and not any(table.others_not_personal for table in tables):
        yield Finding(
            "hole",
            f"{nobody} rows of {name} are meant by no table",
            "declare a table for them, widen where:, or say not_personal_rows: <why> in "
            f"{first.name}",
            "what they hold would outlive every ground",
            ("tables", first.name, "where"),
        )
    if several:
        yield Finding(
            "hole",
            f"{several} rows of {name} are meant by several tables: "
            f"{', '.join(table.name for table in tables)}",
            "let their where: leave out what another one means",
            "one table would erase what another one keeps",
            ("tables", first.name, "where"),
        )
