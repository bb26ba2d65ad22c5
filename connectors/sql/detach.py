"""Pointers at a row are emptied before the row is deleted: a reply's, an employee's manager.

The rows that will go are looked at under a lock, so that those which follow are just these. It
must happen first and apart: InnoDB checks a reference row by row, even inside one DELETE.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Select, Update
from sqlalchemy.ext.asyncio import AsyncConnection

from connectors.mapping import ParentLink
from connectors.sql.columns import Column, Relation
from connectors.sql.predicates import Rules
from connectors.sql.steps import CHUNK, Batch, Tally, every

_ROWS = "erasure_rows"


@dataclass(frozen=True, slots=True)
class Detach:
    """The pointers of one table at the rows of another (or its own) that go."""

    look: Select[Any]
    empty: Update
    columns: tuple[Column, ...]
    cutoffs: tuple[str, ...]

    async def run(self, connection: AsyncConnection, batch: Batch, tally: Tally) -> None:
        """Empty them for all keys of a batch. They are nobody's data: nothing is counted."""
        going: dict[tuple[Any, ...], None] = {}
        for params in batch.chunks(self.columns, self.cutoffs):
            rows = (await connection.execute(self.look, params)).all()
            going |= {tuple(row): None for row in rows if None not in row}
        values = [row if len(row) > 1 else row[0] for row in going]
        for start in range(0, len(values), CHUNK):
            await connection.execute(self.empty, {_ROWS: values[start : start + CHUNK]})


def detaching(rules: Rules, relations: Mapping[str, Relation]) -> Iterator[Detach]:
    """Build the statements for one table's declared pointers; none where no row can go."""
    goes = rules.goes()
    if goes is None:
        return
    scope = rules.scope
    for link in scope.relation.table.detach:
        own = [scope.target.c[mine] for mine, _ in link.columns]
        look = (
            scope.select(*(column.label(f"erasure_own_{i}") for i, column in enumerate(own)))
            .where(rules.which, *rules.selected, every(goes))
            .with_for_update(of=scope.target)
        )
        yield Detach(look, _empty(link, relations[link.table]), scope.root_columns, rules.cutoffs)


def _empty(link: ParentLink, pointing: Relation) -> Update:
    """Set the pointing columns NULL in the rows that point at any of those given."""
    clause = pointing.clause
    pointers = [clause.c[theirs] for _, theirs in link.columns]
    given: sa.BindParameter[Any] = sa.bindparam(_ROWS, expanding=True)
    at = pointers[0].in_(given) if len(pointers) == 1 else sa.tuple_(*pointers).in_(given)
    return sa.update(clause).where(at).values({column.name: sa.null() for column in pointers})
