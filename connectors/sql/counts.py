"""What only the rows can tell of a policy: each question is one count over a table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import Select
from sqlalchemy.ext.asyncio import AsyncConnection

from connectors.base import Finding
from connectors.mapping import StoreMapping
from connectors.sql import coverage, orphans
from connectors.sql.dialect import Dialect
from connectors.sql.reflect import Reflection


@dataclass(frozen=True, slots=True)
class Question:
    """A statement that gives one row of numbers, and what there is to say about them."""

    statement: Select[Any]
    say: Callable[..., Iterable[Finding]]

    async def ask(self, connection: AsyncConnection) -> list[Finding]:
        """Count, and say what should not be so."""
        return list(self.say(*(await connection.execute(self.statement)).one()))


def questions(
    dialect: Dialect, mapping: StoreMapping, reflection: Reflection
) -> Iterator[Question]:
    """The questions that a mapping raises."""
    relations = reflection.relations
    for tables in coverage.shared(mapping, reflection.catalogue.names):
        statement = coverage.counting(dialect, relations, tables)
        yield Question(statement, partial(coverage.found, tables))
    for table, link in orphans.links(mapping):
        statement = orphans.counting(dialect, relations, table, link)
        yield Question(statement, partial(orphans.found, table, link))
