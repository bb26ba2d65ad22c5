"""Judging a restriction (GDPR art. 18): where the store now says so, and where it cannot.

A table's declared column covers the table and all that hangs below it: a customer who is marked is
marked with everything the store holds of them. What no column covers is refused, by name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Literal, TypeVar

from connectors.base import Done, Effects, Remainder, Remainders
from connectors.mapping import Key, StoreMapping, Table
from worker.core.outcomes import Failed, Outcome

CANNOT_RESTRICT: Final = "cannot-restrict"
NOT_RESTRICTED: Final = "not-restricted"
NOT_LIFTED: Final = "not-lifted"

T = TypeVar("T", Done, Remainder)


def judge(
    mapping: StoreMapping,
    effects: Effects,
    remainders: Remainders,
    keys: Sequence[Key],
    *,
    lifted: bool,
    interrupted: bool,
) -> tuple[Outcome, ...] | Failed:
    """Return one outcome a field group, in the mapping's order, or why the task failed.

    ``effects`` and ``remainders`` are the connector's answers, by table. ``rows`` of an outcome
    counts the rows that did not say so before (None: an attempt that was cut short may have
    changed some).
    """
    result: Literal["restricted", "lifted"] = "lifted" if lifted else "restricted"
    outcomes: list[Outcome] = []
    failed: list[str] = []
    for table in mapping.tables:
        cover = _cover(mapping, table)
        if cover is None:
            outcomes += [
                Outcome(group.name, "refused", 0, why=CANNOT_RESTRICT) for group in table.groups
            ]
            continue
        there = _of_table(remainders, keys, cover.name)
        if any(remainder.left for remainder in there):
            failed += [group.name for group in table.groups]
        rows = sum(done.overwritten for done in _of_table(effects, keys, cover.name))
        uncounted = interrupted and not rows
        outcomes += [
            Outcome(group.name, result, None if uncounted else rows, interrupted=uncounted)
            if there
            else Outcome(group.name, "absent", 0)
            for group in table.groups
        ]
    if failed:
        return Failed(NOT_LIFTED if lifted else NOT_RESTRICTED, tuple(failed))
    return tuple(outcomes)


def _cover(mapping: StoreMapping, table: Table) -> Table | None:
    """Return the nearest table, itself or above, whose rows can say that they are restricted."""
    tables = {one.name: one for one in mapping.tables}
    found: Table | None = table
    while found is not None and found.restriction is None:
        found = tables[found.parent.table] if found.parent is not None else None
    return found


def _of_table(answers: Mapping[Key, Mapping[str, T]], keys: Sequence[Key], table: str) -> list[T]:
    return [one for key in keys if (one := answers.get(key, {}).get(table)) is not None]
