"""The independent count at the end of a sweep: rows past their last ground, which must be none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from connectors.base import Connector
from connectors.falling_due import Whose
from connectors.mapping import Cutoffs, FieldGroup, Key, Table
from connectors.sweeping import Walk

_PORTION: Final = 5_000
"""Rows whose documents are read again at a time."""


async def count_left(
    connector: Connector, tables: Sequence[str], cutoffs: Cutoffs, without: Sequence[Key]
) -> tuple[int, int]:
    """Count rows past their last ground in some tables, and the people of the store.

    Raises what a connector may.
    """
    past = await connector.past(tables, cutoffs, without, whose=Whose.NOBODY)
    read = [one for one in connector.mapping.tables if one.name in tables and _documents(one)]
    # A document that is there may hold anything, so the count takes it for full: it is opened.
    opened = {group.name for table in read for group in table.groups if _of_documents(group)}
    rows = sum(one.rows for one in past.groups if one.group not in opened)
    for table in read:
        rows += await _in_documents(connector, table.name, cutoffs, without)
    return rows, past.of


async def _in_documents(
    connector: Connector, table: str, cutoffs: Cutoffs, without: Sequence[Key]
) -> int:
    rows = 0
    after: Key | None = None
    while True:
        span = await connector.sweeping.span(table, Walk.KEYS, after, _PORTION, cutoffs)
        rows += await connector.sweeping.left(span, cutoffs, without)
        after = span.upto
        if after is None:
            return rows


def _documents(table: Table) -> bool:
    return any(map(_of_documents, table.groups))


def _of_documents(group: FieldGroup) -> bool:
    return any(field.path is not None for field in group.fields)
