"""Links by value: the same address, in whatever case it was written, without a foreign key."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from connectors.sql.columns import Column, Family
from connectors.sql.dialect import Condition


class Lowered(FunctionElement[str]):
    """A text in lower case: our own on SQLite, whose ``lower`` knows ASCII only."""

    name = "lower"
    type = sa.Text()
    inherit_cache = True


@compiles(Lowered, "sqlite")
def _on_sqlite(element: Lowered, compiler: SQLCompiler, **options: Any) -> str:
    return f"erasure_lower({compiler.process(element.clauses, **options)})"


@compiles(Lowered)
def _elsewhere(element: Lowered, compiler: SQLCompiler, **options: Any) -> str:
    return f"lower({compiler.process(element.clauses, **options)})"


def lowered(column: Column, ignore_case: bool) -> bool:
    """Whether a column must be put in lower case to be compared: some fold by themselves."""
    return ignore_case and column.family in (Family.TEXT, Family.ANY) and not column.folds


def same(
    left: tuple[ColumnElement[Any], Column],
    right: tuple[ColumnElement[Any], Column],
    ignore_case: bool,
) -> Condition:
    """The condition that two columns hold the same value.

    Where both columns fold by themselves they are compared as they are, so that an index serves.
    """
    if lowered(left[1], ignore_case) or lowered(right[1], ignore_case):
        return Lowered(left[0]) == Lowered(right[0])
    return left[0] == right[0]
