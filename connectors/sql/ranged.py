"""Sweeping on MariaDB and SQLite: one DELETE a part, which returns whose rows it took.

Only for tables that hold the person's key and all dates themselves: a DELETE that returns anything
joins no other table there. All else looks first, as :mod:`connectors.sql.portable` does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.dml import ReturningDelete

from connectors.sql import portable
from connectors.sql.columns import Column
from connectors.sql.predicates import Rules
from connectors.sql.steps import Batch, Step, Tally


@dataclass(frozen=True, slots=True)
class Delete:
    """Takes the rows of a part that go."""

    statement: ReturningDelete[Any]
    columns: tuple[Column, ...]
    cutoffs: tuple[str, ...]
    groups: tuple[str, ...]

    async def run(self, connection: AsyncConnection, batch: Batch, tally: Tally) -> None:
        """Delete and count per person."""
        params = batch.params(self.columns, self.cutoffs)
        rows = (await connection.execute(self.statement, params)).all()
        for count, keys in portable.crowds(batch, len(self.columns), rows).items():
            tally.deleted(self.groups, keys, count)


def steps(rules: Rules) -> Sequence[Step]:
    """Build the statements of one table: one DELETE where it can, then what is overwritten."""
    goes, scope = rules.goes(), rules.scope
    if goes is None or scope.joins:
        return portable.steps(rules)
    gone = (
        sa.delete(scope.relation.clause)
        .where(rules.which, *rules.selected, *goes)
        .returning(*scope.root)
    )
    names = tuple(group.name for group in rules.groups)
    first = Delete(gone, scope.root_columns, rules.cutoffs, names)
    return (first, *portable.steps(rules)) if rules.due() else (first,)
