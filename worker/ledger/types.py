"""Column types that mean the same on PostgreSQL and on SQLite."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, DateTime, Dialect, Integer, LargeBinary, Uuid
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import JSON, TypeDecorator

UUID_BYTES = 16

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


class PackedIds(TypeDecorator[list[UUID]]):
    """A list of ids where the database knows no arrays: 16 bytes each, in order."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: Sequence[UUID] | None, dialect: Dialect) -> bytes | None:
        """Join the ids."""
        return None if value is None else b"".join(case_id.bytes for case_id in value)

    def process_result_value(self, value: Any, dialect: Dialect) -> list[UUID] | None:
        """Split them again."""
        if value is None:
            return None
        raw = bytes(value)
        return [UUID(bytes=raw[at : at + UUID_BYTES]) for at in range(0, len(raw), UUID_BYTES)]


CaseIds = ARRAY(Uuid()).with_variant(PackedIds(), "sqlite")
"""The ids of a command's cases in the order of its payload: one value, not a row a case."""
