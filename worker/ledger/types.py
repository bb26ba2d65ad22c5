"""Column types that mean the same on PostgreSQL and on SQLite."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, DateTime, Dialect, Integer, Uuid
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import GenericFunction
from sqlalchemy.types import JSON, TypeDecorator

Id = BigInteger().with_variant(Integer(), "sqlite")
"""A growing number; SQLite counts only columns that are called INTEGER."""

Json = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
"""None is SQL's NULL, not JSON's: a constraint that asks for a reason means one."""


class Instant(TypeDecorator[datetime]):
    """A point in time, always aware and in UTC in Python.

    SQLite has no time zones: there it is stored naive, in UTC.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a naive time: nobody knows which instant it means."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive time has no place in the ledger")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give back UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class ListedIds(TypeDecorator[list[UUID]]):
    """A list of ids where the database knows no arrays: JSON, each as SQLite keeps a single one."""

    impl = JSON
    cache_ok = True

    def process_bind_param(self, value: Sequence[UUID] | None, dialect: Dialect) -> object:
        """Write each as 32 hexadecimal digits."""
        return None if value is None else [case_id.hex for case_id in value]

    def process_result_value(
        self, value: Sequence[str] | None, dialect: Dialect
    ) -> list[UUID] | None:
        """Read them again."""
        return None if value is None else [UUID(hex=digits) for digits in value]


CaseIds = ARRAY(Uuid()).with_variant(ListedIds(), "sqlite")
"""The ids of many cases: one value, not a row a case."""


class how_many(GenericFunction[int]):  # noqa: N801 - SQL's functions are written small
    """The number of ids in a column of many."""

    name = "cardinality"
    type = Integer()
    inherit_cache = True


@compiles(how_many, "sqlite")
def _on_sqlite(element: how_many, compiler: Any, **words: Any) -> str:
    return f"json_array_length({compiler.process(element.clauses, **words)})"
