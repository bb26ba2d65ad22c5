"""What decides about a row, read without touching it: dates and consents, no personal value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Select
from sqlalchemy.ext.asyncio import AsyncConnection

from connectors.base import Fact, RowFacts
from connectors.mapping import Key
from connectors.sql.columns import Column, KeyReader, Relation
from connectors.sql.dialect import Dialect
from connectors.sql.predicates import Rules
from connectors.sql.steps import CHUNK


@dataclass(frozen=True, slots=True)
class FactReader:
    """Reads the facts of rows of one table: of one row, or of all that belong to a person."""

    rules: Rules
    statement: Select[Any]
    given: tuple[Column, ...]
    places: tuple[tuple[str, str], ...]
    """Group and ground, in the order of the result's columns: three for each."""

    async def read(self, connection: AsyncConnection, key: Key) -> list[RowFacts]:
        """Read for one key. Raises ``Refused`` when it cannot be a key of the table."""
        params = self.rules.dialect.key_params(self.given, [key])
        rows = (await connection.execute(self.statement, params)).all()
        return [self._facts(row) for row in rows]

    def _facts(self, row: Sequence[Any]) -> RowFacts:
        root = self.rules.scope.root_columns
        person = tuple(c.decode(v) for c, v in zip(root, row[: len(root)], strict=True))
        facts = []
        for number, (group, ground) in enumerate(self.places):
            day, unknown, stands = row[len(root) + 3 * number : len(root) + 3 * number + 3]
            known = self.rules.dialect.day(day)
            facts.append(Fact(group, ground, known, bool(unknown), bool(stands)))
        return RowFacts(self.rules.scope.relation.table.name, person, tuple(facts))


def reader(rules: Rules, *, of_person: bool) -> FactReader:
    """Build the reader of a table, by a row's own key or by the person's."""
    scope, dialect = rules.scope, rules.dialect
    selected: list[ColumnElement[Any]] = [
        dialect.key(expression, column)
        for expression, column in zip(scope.root, scope.root_columns, strict=True)
    ]
    places: list[tuple[str, str]] = []
    for group in rules.groups:
        for use in group.grounds:
            places.append((group.name, use.ground))
            dated = use.anchor is not None
            selected += [
                rules.dates.value(use) if dated else sa.null(),
                _flag(rules.dates.unknown(use)) if dated else sa.literal_column("0"),
                _flag(rules.stands(use)) if use.evidence else sa.literal_column("1"),
            ]
    given = scope.root_columns if of_person else scope.relation.key
    keyed = dialect.keyed(scope.root if of_person else scope.key(), given)
    labelled = [column.label(f"erasure_{i}") for i, column in enumerate(selected)]
    statement = scope.select(*labelled).where(keyed, *rules.selected)
    return FactReader(rules, statement, given, tuple(places))


async def identifiers(
    connection: AsyncConnection, dialect: Dialect, root: Relation, keys: Sequence[Key]
) -> dict[Key, tuple[tuple[str, str], ...]]:
    """Read the identifiers that the root rows of some keys carry."""
    clause = root.clause
    kinds = root.table.identifiers
    names = [*root.table.key, *(one.column for one in kinds)]
    columns = [
        dialect.key(clause.c[name], root.columns[name]).label(f"erasure_{i}")
        for i, name in enumerate(names)
    ]
    keyed = dialect.keyed([clause.c[column.name] for column in root.key], root.key)
    statement = sa.select(*columns).where(keyed)
    read = KeyReader(root.key, keys)
    width = len(root.key)
    found: dict[Key, tuple[tuple[str, str], ...]] = {}
    for start in range(0, len(keys), CHUNK):
        params = dialect.key_params(root.key, keys[start : start + CHUNK])
        for row in (await connection.execute(statement, params)).all():
            values = zip(kinds, row[width:], strict=True)
            found[read.one(row)] = tuple((k.kind, str(v)) for k, v in values if v is not None)
    return found


def _flag(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return sa.case((condition, sa.literal_column("1")), else_=sa.literal_column("0"))
