"""Find whose rows carry an identifier: one look-up a column for a whole batch of cases."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Select
from sqlalchemy.ext.asyncio import AsyncConnection

from connectors.base import Lookup, Match
from connectors.mapping import IdentifierColumn, Key
from connectors.sql.columns import Column, Family, Relation
from connectors.sql.dialect import VALUES, Dialect
from connectors.sql.filters import matching
from connectors.sql.steps import CHUNK

Asked = Mapping[str, list[int]]
"""Which cases ask for a value."""


@dataclass(frozen=True, slots=True)
class Finder:
    """The look-up through one identifier column of the root."""

    identifier: IdentifierColumn
    column: Column
    narrow: Select[Any]
    wide: Select[Any]
    key: tuple[Column, ...]
    strong: tuple[IdentifierColumn, ...]

    async def run(self, connection: AsyncConnection, asked: Asked) -> list[Match]:
        """Find the rows for the values of a batch. Each row names every case that asked for it."""
        plain = [value for value in asked if value.isascii()]
        other = [value for value in asked if not value.isascii()]
        matches: list[Match] = []
        for statement, values in ((self.narrow, plain), (self.wide, other)):
            for start in range(0, len(values), CHUNK):
                given = [self._bind(value) for value in values[start : start + CHUNK]]
                for row in (await connection.execute(statement, {VALUES: given})).all():
                    matches += self._matches(row, asked)
        return matches

    def _bind(self, value: str) -> object:
        return int(value) if self.column.family is Family.INTEGER else value

    def _matches(self, row: Sequence[Any], asked: Asked) -> list[Match]:
        """Compare once more, to the letter: collations find more than was asked for."""
        width = len(self.key)
        refs = asked.get(_text(row[width], self.identifier.ignore_case) or "")
        if not refs:
            return []
        key: Key = tuple(c.decode(v) for c, v in zip(self.key, row[:width], strict=True))
        carried = tuple(
            dict.fromkeys(
                (identifier.kind, text)
                for identifier, value in zip(self.strong, row[width + 1 :], strict=True)
                if (text := _text(value, identifier.ignore_case)) and text.strip()
            )
        )
        clean = tuple((kind, text.strip()) for kind, text in carried)
        return [Match(ref, key, clean) for ref in refs]


def finders(dialect: Dialect, root: Relation) -> tuple[Finder, ...]:
    """Build the look-ups of a store, one for each identifier column of its root."""
    strong = tuple(i for i in root.table.identifiers if i.strong)
    clause = root.clause
    read = [*root.table.key]
    made: list[Finder] = []
    for identifier in root.table.identifiers:
        names = [*read, identifier.column, *(i.column for i in strong)]
        selected = [
            dialect.key(clause.c[name], root.columns[name]).label(f"erasure_{i}")
            for i, name in enumerate(names)
        ]
        column = root.columns[identifier.column]
        narrow, wide = (
            sa.select(*selected).where(
                dialect.found(clause.c[identifier.column], column, identifier.ignore_case, wide),
                *matching(dialect, root, clause),
            )
            for wide in (False, True)
        )
        made.append(Finder(identifier, column, narrow, wide, root.key, strong))
    return tuple(made)


async def resolve(
    connection: AsyncConnection, finders: Sequence[Finder], lookups: Sequence[Lookup]
) -> list[Match]:
    """Answer a batch of look-ups. A row found in several ways is one match a case."""
    matches: dict[tuple[int, Key], Match] = {}
    for finder in finders:
        asked: defaultdict[str, list[int]] = defaultdict(list)
        for lookup in lookups:
            for kind, value in lookup.identifiers:
                if kind == finder.identifier.kind and value and finder.column.fits(value):
                    asked[_text(value, finder.identifier.ignore_case) or ""].append(lookup.ref)
        if asked:
            for match in await finder.run(connection, asked):
                matches.setdefault((match.ref, match.key), match)
    return list(matches.values())


def _text(value: Any, ignore_case: bool) -> str | None:
    """Compare numbers and UUIDs as text, and text without case where the policy says so."""
    if value is None:
        return None
    text = str(value)
    return text.lower() if ignore_case else text
