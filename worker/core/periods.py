"""Retention periods: until when a ground lives, and which anchors are over on a day.

One definition serves the sweep, the task, the forecast and the explanation::

    until(anchor) <= day   exactly when   anchor <= cutoff(day)

The anchor is the *starting point* of ISO/IEC 27555 and DIN 66398. Without rounding, the period's
last day is the anchor plus the period (a day that the month lacks becomes its last day), and the
ground is dead from the day after. With rounding, the period begins when the anchor's month or
year has ended: bokføringsloven § 13 counts from the end of the accounting year, so that a document
of 2026-03-10 with five years may go on 2032-01-01.
"""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

_WRITTEN: Final = re.compile(r"(0|[1-9][0-9]{0,4})([ymd])", re.ASCII)
_LONGEST_MONTHS: Final = 200 * 12
_LONGEST_DAYS: Final = 200 * 366
_ONE_DAY: Final = timedelta(days=1)


class Rounding(StrEnum):
    """To which end the anchor is moved before the period begins."""

    NONE = "none"
    END_OF_MONTH = "end-of-month"
    END_OF_YEAR = "end-of-year"
    END_OF_FISCAL_YEAR = "end-of-fiscal-year"
    """The accounting year (regnskapsår) may begin in another month than January."""


@dataclass(frozen=True, slots=True)
class Period:
    """A span of calendar months or of days; one of the two is zero. Years are twelve months."""

    months: int = 0
    days: int = 0

    def __post_init__(self) -> None:
        """Refuse a mixed or negative span: there is no one way to count it backwards."""
        if self.months < 0 or self.days < 0 or (self.months and self.days):
            raise ValueError("a period is a number of months or of days")

    @classmethod
    def parse(cls, written: str) -> Period:
        """Read ``5y``, ``42m``, ``90d`` or ``0d``.

        Raises ValueError for anything else and for more than 200 years, which is a slip.
        """
        if not (found := _WRITTEN.fullmatch(written)):
            raise ValueError(f"'{written}' is no period; write for example 5y, 42m, 90d or 0d")
        count, unit = int(found[1]), found[2]
        period = cls(days=count) if unit == "d" else cls(months=count * (12 if unit == "y" else 1))
        if period.months > _LONGEST_MONTHS or period.days > _LONGEST_DAYS:
            raise ValueError(f"'{written}' is longer than 200 years")
        return period

    def __str__(self) -> str:
        """Write it the short way: ``5y``, ``42m``, ``90d``."""
        if not self.months:
            return f"{self.days}d"
        return f"{self.months}m" if self.months % 12 else f"{self.months // 12}y"


def until(
    anchor: date, period: Period, rounding: Rounding = Rounding.NONE, fiscal_start: int = 1
) -> date:
    """Return the first day on which the ground no longer lives.

    ``fiscal_start`` is the month, 1 to 12, in which the fiscal year begins. An anchor near the
    end of the calendar (9999-12-31 for "never") gives ``date.max``.
    """
    try:
        if rounding is Rounding.NONE:
            return add_months(anchor, period.months) + timedelta(days=period.days) + _ONE_DAY
        return add_months(_begin(anchor, rounding, fiscal_start), period.months) + timedelta(
            days=period.days
        )
    except (OverflowError, ValueError):
        return date.max


def cutoff(
    day: date, period: Period, rounding: Rounding = Rounding.NONE, fiscal_start: int = 1
) -> date:
    """Return the latest anchor whose period is over on ``day``.

    Exists for every day whose period reaches back no further than year 1 (before: ``date.min``).
    """
    try:
        if rounding is Rounding.NONE:
            return _latest_reaching(day - _ONE_DAY, period)
        start = add_months(day.replace(day=1), -period.months) if period.months else day
        start -= timedelta(days=period.days)
        return _first_of(start, rounding, fiscal_start) - _ONE_DAY
    except (OverflowError, ValueError):
        return date.min


def add_months(day: date, months: int) -> date:
    """Move by calendar months (back when negative); a day the month lacks becomes its last.

    Raises ValueError when that leaves the calendar (years 1 to 9999).
    """
    if not months:
        return day
    year, month0 = divmod(day.year * 12 + day.month - 1 + months, 12)
    if day.day <= 28:
        return date(year, month0 + 1, day.day)
    return date(year, month0 + 1, min(day.day, monthrange(year, month0 + 1)[1]))


def _first_of(day: date, rounding: Rounding, fiscal_start: int) -> date:
    """Return the first day of the month, calendar year or fiscal year that ``day`` lies in."""
    first = day.replace(day=1)
    if rounding is Rounding.END_OF_MONTH:
        return first
    start = fiscal_start if rounding is Rounding.END_OF_FISCAL_YEAR else 1
    return add_months(first, -((first.month - start) % 12))


def _begin(anchor: date, rounding: Rounding, fiscal_start: int) -> date:
    """Return the first day after the anchor's month or year."""
    length = 1 if rounding is Rounding.END_OF_MONTH else 12
    return add_months(_first_of(anchor, rounding, fiscal_start), length)


def _latest_reaching(last: date, period: Period) -> date:
    """Return the latest anchor which, the period added, is not after ``last``.

    From the last day of a month every later day of the anchor's month leads there too, because
    days that the month lacks become its last: 31 January and 28 January both reach 28 February.
    """
    if not period.months:
        return last - timedelta(days=period.days)
    back = add_months(last, -period.months)
    if last.day == monthrange(last.year, last.month)[1]:
        return back.replace(day=monthrange(back.year, back.month)[1])
    return back
