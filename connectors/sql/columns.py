"""What the engine knows of a running table: its columns, and how a value goes in and out.

Keys travel through the ledger as whole numbers and text. A column says, by its family, what a key
value looks like to the driver and how a driver's value becomes a key again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cached_property
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnClause, TableClause
from sqlalchemy.types import TypeEngine

from connectors.faults import Refused
from connectors.mapping import Field, Key, Table

KEY = "{key}"
"""Stands for the row's own key in a declared overwrite."""
Params = dict[str, Any]
"""Bind values of one execution, by bind name."""


class Family(StrEnum):
    """Kinds of column types that the engine treats alike."""

    INTEGER = "integer"
    TEXT = "text"
    UUID = "uuid"
    BINARY = "binary"
    DATE = "date"
    LOCAL_TIME = "local-time"
    """Date and time without a zone: its date is taken as it stands."""
    INSTANT = "instant"
    """A point in time: its date is that of the store's zone."""
    ANY = "any"
    """A SQLite column without a type: it holds and compares whatever was put in."""
    OTHER = "other"


WHOLE = re.compile(r"-?(0|[1-9][0-9]{0,18})", re.ASCII)
_UUID = re.compile(r"[0-9a-fA-F]{8}(-?[0-9a-fA-F]{4}){3}-?[0-9a-fA-F]{12}", re.ASCII)
_LARGEST = 2**63


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a running table. ``folds`` means that it compares without regard to case."""

    name: str
    family: Family
    type: TypeEngine[Any]
    nullable: bool
    folds: bool
    generated: bool = False
    """Computed by the database from other columns, with which it changes and goes."""

    def fits(self, value: str) -> bool:
        """Whether a text could stand in this column at all.

        Only canonical numbers fit a number column: a lenient reading (and worse, MariaDB's own,
        which takes any word for 0) would find somebody else.
        """
        if self.family is Family.INTEGER:
            return bool(WHOLE.fullmatch(value)) and -_LARGEST <= int(value) < _LARGEST
        if self.family is Family.UUID:
            return bool(_UUID.fullmatch(value))
        return self.family in (Family.TEXT, Family.ANY)

    def encode(self, value: int | str) -> object:
        """Give a key value the type the driver wants. Raises ``Refused`` when it has none."""
        match self.family:
            case Family.INTEGER:
                if isinstance(value, str) and not WHOLE.fullmatch(value):
                    raise Refused("bad-key", f"a key is not a number, column {self.name} is")
                return int(value)
            case Family.BINARY:
                try:
                    return bytes.fromhex(str(value))
                except ValueError:
                    pass
                raise Refused("bad-key", f"a key is not hexadecimal, column {self.name} is binary")
            case Family.ANY | Family.OTHER:
                return value
            case _:
                return str(value)

    def decode(self, value: Any) -> int | str:
        """Turn a driver's value into what a key may hold: a whole number or text."""
        if self.family is Family.INTEGER and value is not None:
            return int(value)
        if isinstance(value, int) and self.family is not Family.TEXT:
            return value
        if isinstance(value, (bytes, bytearray, memoryview)):
            return bytes(value).hex()
        return str(value)


class Relation:
    """A declared table together with what the running database says of it."""

    def __init__(
        self,
        table: Table,
        columns: Mapping[str, Column],
        unique: Sequence[frozenset[str]],
        indexed: Sequence[tuple[str, ...]],
        unique_over: Sequence[tuple[str, ...]] = (),
    ) -> None:
        self.table = table
        self.columns = columns
        self.unique = tuple(unique)
        self.indexed = tuple(indexed)
        self.unique_over = tuple(unique_over)
        """What each UNIQUE is over: columns or expressions, be it of some rows only."""

    def declared_as(self, table: Table) -> Relation:
        """The same relation of the store, for another declaration of it."""
        return Relation(table, self.columns, self.unique, self.indexed, self.unique_over)

    @cached_property
    def clause(self) -> TableClause:
        """The table as statements name it."""
        names: list[ColumnClause[Any]] = [sa.column(name) for name in self.columns]
        return sa.table(self.table.relation, *names, schema=self.table.schema)

    @property
    def key(self) -> tuple[Column, ...]:
        """The columns of the declared key."""
        return tuple(self.columns[name] for name in self.table.key)

    def is_unique(self, names: Sequence[str]) -> bool:
        """Whether the database itself guarantees at most one row for these columns."""
        return any(unique <= set(names) for unique in self.unique)

    def has_index(self, names: Sequence[str]) -> bool:
        """Whether an index begins with these columns, in any order."""
        wanted = set(names)
        return any(set(index[: len(names)]) == wanted for index in self.indexed)


class KeyReader:
    """Reads root keys out of result rows and gives back the key that the caller knows.

    A database that compares without regard to case may hold a key as ``Ab`` in one table and
    ``AB`` in another; both are the caller's one key.
    """

    def __init__(self, columns: tuple[Column, ...], keys: Sequence[Key]) -> None:
        self._columns = columns
        self._width = len(columns)
        self._exact: Mapping[Key, Key] = {key: key for key in keys}
        self._single: Mapping[int | str, Key] = (
            {key[0]: key for key in keys} if len(columns) == 1 else {}
        )

    @cached_property
    def _folded(self) -> Mapping[Key, Key]:
        """By the keys without regard to case; made when a row first shows one that is not exact."""
        return {_folded(key): key for key in self._exact}

    def one(self, row: Sequence[Any]) -> Key:
        """Return the key in the first columns of a row."""
        known = self._single.get(row[0])
        return known or self._decoded(row[: self._width])

    def many(self, columns: Sequence[Sequence[Any]]) -> list[Key]:
        """Return the keys that stand side by side in arrays, one array a key column."""
        if self._width == 1:
            known = self._single
            return [known.get(value) or self._decoded((value,)) for value in columns[0]]
        return [self._decoded(values) for values in zip(*columns, strict=True)]

    def _decoded(self, values: Sequence[Any]) -> Key:
        pairs = zip(self._columns, values, strict=True)
        key = tuple(column.decode(value) for column, value in pairs)
        return self._exact.get(key) or self._folded.get(_folded(key), key)


def _folded(key: Key) -> Key:
    return tuple(v.rstrip().casefold() if isinstance(v, str) else v for v in key)


def overwrite_for(column: Column, field: Field) -> str | int | None:
    """Return the declared overwrite in the type its column compares with.

    Raises ``ValueError`` when the column cannot hold it.
    """
    if field.overwrite is None:
        return None
    if column.family is Family.INTEGER:
        return int(field.overwrite)
    if column.family in (Family.DATE, Family.LOCAL_TIME, Family.INSTANT):
        date.fromisoformat(str(field.overwrite)[:10])
    length = getattr(column.type, "length", None)
    text = str(field.overwrite)
    if KEY in text:
        if column.family not in (Family.TEXT, Family.ANY):
            raise ValueError("a key is text")
        text = text.replace(KEY, "0")
    if column.family is Family.TEXT and length is not None and len(text) > length:
        raise ValueError("longer than the column")
    return text if column.family is not Family.OTHER else field.overwrite
