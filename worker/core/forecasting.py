"""When what falls due: months, quarters or years ahead, and what each store counts in them.

An interval is told by its last day: a row falls due in the first interval on whose last day no
ground of its field group lives any more. What is due today already is told apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from connectors.falling_due import FallingDue, Undue
from connectors.mapping import Cutoffs, Table
from worker.core.periods import add_months

if TYPE_CHECKING:
    from worker.core.policy import Policy

MOST: Final = 600
"""Intervals in one forecast: fifty years of months."""
_ONE_DAY: Final = timedelta(days=1)


class By(StrEnum):
    """How long an interval is."""

    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


_MONTHS: Final = {By.MONTH: 1, By.QUARTER: 3, By.YEAR: 12}
_AHEAD: Final = {By.MONTH: 12, By.QUARTER: 24, By.YEAR: 120}
"""Months that a forecast looks ahead when nobody says until when."""


@dataclass(frozen=True, slots=True)
class Interval:
    """Part of the calendar by its name (``2026-12``, ``2026-Q4``, ``2026``) and its last day."""

    name: str
    last: date


@dataclass(frozen=True, slots=True)
class Count:
    """Rows, and the people whose they are; None where a row belongs to several people."""

    rows: int = 0
    people: int | None = 0


@dataclass(frozen=True, slots=True)
class GroupForecast:
    """When the rows of one field group fall due.

    ``due`` has a count for each interval. ``until_revoked``: until the person says so;
    ``no_end_yet``: a period has not begun; ``unknown_anchor``: a date is missing in the store.
    """

    table: str
    group: str
    fields: tuple[str, ...]
    categories: tuple[str, ...]
    grounds: tuple[str, ...]
    due_now: Count
    due: tuple[Count, ...]
    later: Count
    until_revoked: Count
    no_end_yet: Count
    unknown_anchor: Count


@dataclass(frozen=True, slots=True)
class StoreForecast:
    """The forecast of one store, its field groups in the policy's order."""

    store: str
    groups: tuple[GroupForecast, ...]

    def rows_due(self, intervals: int) -> list[int]:
        """Rows due now and in each interval; a row counts for each of its field groups."""
        now = sum(group.due_now.rows for group in self.groups)
        return [now, *(sum(g.due[n].rows for g in self.groups) for n in range(intervals))]


def horizon(today: date, by: By) -> date:
    """Return until when to look when nobody says: a year of months, two of quarters, ten years."""
    return _end(add_months(today.replace(day=1), _AHEAD[by]), by)


def intervals(today: date, until: date, by: By) -> list[Interval]:
    """Return the intervals that begin with tomorrow; the last ends on ``until``.

    Raises ValueError when that is not ahead, or further than anybody could read.
    """
    if until <= today:
        raise ValueError(f"{until} is not ahead of {today}")
    found: list[Interval] = []
    first = today + _ONE_DAY
    while first <= until:
        if len(found) == MOST:
            raise ValueError(f"more than {MOST} intervals; take longer ones")
        last = min(_end(first, by), until)
        found.append(Interval(_name(first, by), last))
        if last == date.max:
            break
        first = last + _ONE_DAY
    return found


def cutoffs(policy: Policy, store: str, today: date, ahead: Sequence[Interval]) -> list[Cutoffs]:
    """Return a store's cut-offs of today and of each interval's last day."""
    return [policy.cutoffs(store, day) for day in (today, *(one.last for one in ahead))]


def gathered(table: Table, counted: Sequence[FallingDue], ahead: int) -> list[GroupForecast]:
    """Put what a store has counted of one table in order; ``ahead`` is how many intervals."""
    by_group: dict[str, dict[int | Undue, Count]] = {group.name: {} for group in table.groups}
    for one in counted:
        by_group[one.group][one.when] = Count(one.rows, one.people)
    none = Count(0, None if table.shared_by is not None else 0)
    return [
        _group(table, at, {when: found.get(when, none) for when in (*range(ahead + 1), *Undue)})
        for at, found in enumerate(by_group.values())
    ]


def _group(table: Table, at: int, found: Mapping[int | Undue, Count]) -> GroupForecast:
    group = table.groups[at]
    return GroupForecast(
        table=table.name,
        group=group.name,
        fields=tuple(field.path or field.column for field in group.fields),
        categories=tuple(dict.fromkeys(field.category for field in group.fields)),
        grounds=tuple(use.ground for use in group.grounds),
        due_now=found[0],
        due=tuple(found[when] for when in found if isinstance(when, int) and when > 0),
        later=found[Undue.LATER],
        until_revoked=found[Undue.REVOCABLE],
        no_end_yet=found[Undue.NO_END],
        unknown_anchor=found[Undue.UNKNOWN],
    )


def _end(day: date, by: By) -> date:
    """Return the last day of the month, quarter or year that a day lies in."""
    months = _MONTHS[by]
    first = add_months(day.replace(day=1), -((day.month - 1) % months))
    try:
        return add_months(first, months) - _ONE_DAY
    except ValueError:
        return date.max


def _name(day: date, by: By) -> str:
    match by:
        case By.MONTH:
            return f"{day:%Y-%m}"
        case By.QUARTER:
            return f"{day.year}-Q{(day.month + 2) // 3}"
        case By.YEAR:
            return str(day.year)
