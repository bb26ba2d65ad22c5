"""The small policy, bent in one way, and what a comparison says of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.unit.core.policies import declared
from worker.core.comparing import Change, compare
from worker.core.policy import Policy

Data = dict[str, Any]


def crm(data: Data) -> Data:
    """The tables of the CRM."""
    tables: Data = data["stores"]["crm"]["tables"]
    return tables


def bill(data: Data) -> Data:
    """The table of bills."""
    table: Data = crm(data)["bill"]
    return table


def changes(bend: Callable[[Data], object], ready: Callable[[Data], object] | None = None) -> Any:
    """The changes of one bend of the small policy, and those of the bend back."""
    before, after = declared(), declared()
    if ready is not None:
        ready(before)
        ready(after)
    bend(after)
    old, new = Policy.model_validate(before), Policy.model_validate(after)
    return compare(old, new), compare(new, old)


def told(found: list[Change]) -> list[tuple[str, str, str]]:
    """Place, words and direction of changes."""
    return [(one.place, one.what, one.direction.value) for one in found]


def link(table: str, **columns: str) -> Data:
    """A link of one table to another."""
    return {"table": table, "columns": columns}
