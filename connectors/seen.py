"""What a running store is made of, in general words: tables, columns, links. Never what it holds.

This is what a check or a draft of a policy goes by; how it is read is a connector's own affair.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What a column can hold, as far as it matters for telling personal data."""

    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    """A date, or a date with a time."""
    JSON = "json"
    FLAG = "flag"
    """True or false, or one of a few fixed words."""
    BINARY = "binary"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class SeenColumn:
    """One column; ``length`` in characters, where the store limits it."""

    name: str
    kind: Kind
    nullable: bool
    length: int | None = None
    unique: bool = False
    generated: bool = False


@dataclass(frozen=True, slots=True)
class SeenLink:
    """A foreign key: the rows of its table name rows of another by (own column, the other's)."""

    schema: str | None
    table: str
    columns: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class SeenTable:
    """One table of a running store."""

    schema: str | None
    name: str
    columns: tuple[SeenColumn, ...]
    key: tuple[str, ...]
    """The primary key; empty where there is none."""
    links: tuple[SeenLink, ...] = ()

    def column(self, name: str) -> SeenColumn:
        """Return a column by its name. Raises ``KeyError``."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)
