"""Periods counted on the fingers, day by day and month by month: shares no code with the worker.

A period is what the policy's text says, ``5y``, ``42m`` or ``90d``; a rounding likewise.
"""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache

NEXT = timedelta(days=1)


@cache
def first_free_day(anchor: date, period: str, rounding: str, fiscal_start: int) -> date:
    """The first day on which data with this anchor are no longer held."""
    number, unit = int(period[:-1]), period[-1]
    if rounding == "none":
        last = _on(anchor, number, unit)
        return last + NEXT
    starts = {"end-of-month": range(1, 13), "end-of-year": (1,)}.get(rounding, (fiscal_start,))
    begin = anchor + NEXT
    while begin.day != 1 or begin.month not in starts:
        begin += NEXT
    return _on(begin, number, unit)


def _on(day: date, number: int, unit: str) -> date:
    """Go on by days, or month by month; where a month is too short its last day is meant."""
    if unit == "d":
        for _ in range(number):
            day += NEXT
        return day
    year, month = day.year, day.month
    for _ in range(number * (12 if unit == "y" else 1)):
        month += 1
        if month > 12:
            year, month = year + 1, 1
    for number_of_day in range(day.day, 0, -1):
        try:
            return date(year, month, number_of_day)
        except ValueError:
            continue
    raise AssertionError("a month has no day")


@cache
def last_over(day: date, period: str, rounding: str, fiscal_start: int) -> date:
    """The latest anchor that is over on a day, found by halving: later anchors end no sooner."""
    over, lives = date(1900, 1, 1), day + NEXT
    while (lives - over).days > 1:
        middle = over + (lives - over) // 2
        if first_free_day(middle, period, rounding, fiscal_start) <= day:
            over = middle
        else:
            lives = middle
    return over
