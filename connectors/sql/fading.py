"""Rows that nobody can find any more once their parent was overwritten: re-read before that.

A mail log names its people by their address. When the address itself is erased in a parent that
stays, a later re-read finds no row of the log, whether its rows went or not. So the same question
is asked inside the erasing transaction, before the parent's turn.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from connectors.base import Remainder
from connectors.faults import Refused
from connectors.mapping import Key, StoreMapping, Table
from connectors.sql.links import carried, parent_of
from connectors.sql.steps import Batch, Tally
from connectors.sql.verify import Look


@dataclass(frozen=True, slots=True)
class StillThere:
    """The re-read of one such table, as the last part of its erasure."""

    table: str
    looks: tuple[Look, ...]

    async def run(self, connection: AsyncConnection, batch: Batch, tally: Tally) -> None:
        """Raise ``Refused`` where rows are left that should have gone; nothing is committed."""
        found: dict[Key, Mapping[str, Remainder]] = {}
        for look in self.looks:
            await look.run(connection, batch, found)
        left = sum(r.left for groups in found.values() for r in groups.values())
        if left:
            raise Refused(
                "not-gone",
                f"rows of {self.table} are still there after they were erased; a trigger or rule "
                "of the store may keep them back",
            )


def fades(mapping: StoreMapping, table: Table) -> bool:
    """Whether a table is found through a column of a parent that may itself be overwritten."""
    if table.parent is None or carried(mapping, table) is not None:
        return False
    parent = parent_of(mapping, table)
    fields = {f.column for group in parent.groups for f in group.fields if f.path is None}
    by = {theirs for _, theirs in table.parent.columns}
    return bool(by & fields) or fades(mapping, parent)
