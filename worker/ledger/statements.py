"""Statements of the ledger: those that run for every command, and many rows at once.

What SQLAlchemy does for an execution costs more than the driver and the server need for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    ARRAY,
    Column,
    ColumnElement,
    Dialect,
    Insert,
    Select,
    Table,
    Update,
    any_,
    bindparam,
    func,
    insert,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.dml import ReturningInsert, ReturningUpdate

from worker.ledger.database import driver_of

OnConflictInsert = postgresql.Insert | sqlite.Insert
Statement = Select[*tuple[Any, ...]] | Insert | Update | ReturningInsert[Any] | ReturningUpdate[Any]
Within = Callable[[ColumnElement[Any], str], ColumnElement[bool]]
"""Says that a column is one of the values given by a name, in the way of a database."""


async def add_rows(
    connection: AsyncConnection,
    table: Table,
    columns: Sequence[str],
    rows: Sequence[Sequence[Any]],
) -> None:
    """Insert many rows: by COPY on PostgreSQL (the cheapest way by far), else in one statement."""
    if not rows:
        return
    if connection.dialect.name != "postgresql":
        await connection.execute(
            insert(table), [dict(zip(columns, row, strict=True)) for row in rows]
        )
        return
    values = [
        _bound(table.c[name], column, connection.dialect)
        for name, column in zip(columns, zip(*rows, strict=True), strict=True)
    ]
    await driver_of(connection).copy_records_to_table(
        table.name, records=list(zip(*values, strict=True)), columns=columns
    )


def _bound(column: Column[Any], values: Sequence[Any], dialect: Dialect) -> Sequence[Any]:
    """The values as the driver takes them. One that stands in many rows is converted once."""
    bind = column.type.dialect_impl(dialect).bind_processor(dialect)
    if bind is None:
        return values
    done: dict[int, Any] = {}
    return [
        done[id(value)] if id(value) in done else done.setdefault(id(value), bind(value))
        for value in values
    ]


class Hot:
    """A statement that runs for every command: made once, given its values by name.

    On PostgreSQL SQLAlchemy only writes it, the first time; then it goes straight to the driver.
    What SQLAlchemy does for an execution costs more than the driver's and the server's work on
    one row. Values must be such as the driver takes: aware times, numbers, ids, lists of ids.
    """

    def __init__(self, make: Callable[[Within], Statement]) -> None:
        self._make = make
        self._statement: Statement | None = None
        self._written: tuple[str, Sequence[str], Mapping[str, Any]] | None = None

    async def rows(self, connection: AsyncConnection, **values: Any) -> Sequence[Sequence[Any]]:
        """Run it; the rows it returns, their columns in its order."""
        if connection.dialect.name != "postgresql":
            if self._statement is None:
                self._statement = self._make(_in_list)
            return (await connection.execute(self._statement, values)).all()
        if self._written is None:
            written = self._make(_in_array).compile(dialect=connection.dialect)
            self._written = (str(written), written.positiontup or (), written.params)
        text, names, fixed = self._written
        given = [values[name] if name in values else fixed[name] for name in names]
        rows: Sequence[Sequence[Any]] = await driver_of(connection).fetch(text, *given)
        return rows


class ByColumn:
    """A hot statement whose rows are wanted column by column.

    On PostgreSQL they come as one row of arrays, which the driver reads in one go: a result of
    500 rows costs a tenth of what 500 row objects cost.
    """

    def __init__(self, make: Callable[[Within], Select[Any] | ReturningUpdate[Any]]) -> None:
        self._rows = Hot(make)
        self._gathered = Hot(lambda within: _gathered(make(within)))
        self._width = len(make(_in_list).exported_columns)

    async def fetch(self, connection: AsyncConnection, **values: Any) -> list[list[Any]]:
        """One list a column, all of the same length."""
        if connection.dialect.name == "postgresql":
            (row,) = await self._gathered.rows(connection, **values)
            return [column or [] for column in row]
        rows = await self._rows.rows(connection, **values)
        if not rows:
            return [[] for _ in range(self._width)]
        return [list(column) for column in zip(*rows, strict=True)]


def _gathered(statement: Select[Any] | ReturningUpdate[Any]) -> Select[Any]:
    found = statement.cte("found")
    columns: list[ColumnElement[Any]] = [func.array_agg(column) for column in found.c]
    return select(*columns)


def _in_array(column: ColumnElement[Any], name: str) -> ColumnElement[bool]:
    return column == any_(bindparam(name, type_=ARRAY(column.type)))


def _in_list(column: ColumnElement[Any], name: str) -> ColumnElement[bool]:
    return column.in_(bindparam(name, expanding=True))


def insert_if_new(connection: AsyncConnection, table: Table) -> OnConflictInsert:
    """An INSERT that does nothing when a row with its key is there, or comes at this moment."""
    if connection.dialect.name == "postgresql":
        return postgresql.insert(table).on_conflict_do_nothing()
    return sqlite.insert(table).on_conflict_do_nothing()


def among(
    connection: AsyncConnection, column: ColumnElement[Any], values: Sequence[Any]
) -> ColumnElement[bool]:
    """``column`` is one of ``values``: one array bind on PostgreSQL, so one plan for any number."""
    if connection.dialect.name == "postgresql":
        return column == any_(bindparam(None, list(values), type_=ARRAY(column.type)))
    return column.in_(list(values))
