"""Which way a change goes: does anything go sooner by it, is anything kept longer, or both?

Told only where it holds for every row and every day; what cannot be told so is unclear.
"""

from __future__ import annotations

from collections.abc import Iterable, Set
from enum import StrEnum
from typing import Final

from worker.core.periods import Period, Rounding

Span = tuple[Period, Rounding]
_DAYS_IN_MONTHS: Final = 30.436875
"""Days of a month on average: the calendar repeats after 400 years of 146,097 days."""
_OFF: Final = 5
"""Days by which some months are at most longer or shorter than so many average ones."""
_ROUNDED: Final = {Rounding.NONE: 0, Rounding.END_OF_MONTH: 31}


class Direction(StrEnum):
    """What a change does to what the old policy keeps."""

    SOONER = "sooner"
    LONGER = "longer"
    UNCLEAR = "unclear"
    """Sooner for some, longer for others, or nobody can tell."""
    NEITHER = "neither"

    @property
    def may_erase_sooner(self) -> bool:
        """Whether the change may erase what the old policy would not."""
        return self in (Direction.SOONER, Direction.UNCLEAR)

    @property
    def turned(self) -> Direction:
        """What the change back does."""
        turned = {Direction.SOONER: Direction.LONGER, Direction.LONGER: Direction.SOONER}
        return turned.get(self, self)


def together(directions: Iterable[Direction]) -> Direction:
    """Return what several changes do together."""
    found = set(directions) - {Direction.NEITHER}
    return found.pop() if len(found) == 1 else Direction.UNCLEAR if found else Direction.NEITHER


def more_keeps_longer(old: Set[object], new: Set[object]) -> Direction:
    """Compare two sets of what keeps something: more of it never erases sooner."""
    if old == new:
        return Direction.NEITHER
    if old < new:
        return Direction.LONGER
    return Direction.SOONER if new < old else Direction.UNCLEAR


def lasting(old: Span, new: Span) -> Direction:
    """Compare how long two periods keep, whatever day they run from.

    Both fiscal years begin in the same month; that they do not is another change.
    """
    if old == new:
        return Direction.NEITHER
    if _never_longer(old, new):
        return Direction.NEITHER if _never_longer(new, old) else Direction.LONGER
    return Direction.SOONER if _never_longer(new, old) else Direction.UNCLEAR


def _never_longer(one: Span, other: Span) -> bool:
    """Whether the first never ends after the second: by the calendar, or by a wide margin."""
    (first, rounded), (second, rounded_too) = one, other
    by_days = first.months == second.months == 0
    by_months = first.days == second.days == 0
    shorter = (by_days or by_months) and (first.months, first.days) <= (second.months, second.days)
    return (shorter and _ends_before(rounded, rounded_too)) or _range(one)[1] <= _range(other)[0]


def _ends_before(one: Rounding, other: Rounding) -> bool:
    """A month ends within its year. Calendar and fiscal years may begin in different months."""
    years = (Rounding.END_OF_YEAR, Rounding.END_OF_FISCAL_YEAR)
    return one is other or one is Rounding.NONE or (one is Rounding.END_OF_MONTH and other in years)


def _range(span: Span) -> tuple[float, float]:
    """Days from an anchor to the first day after its period, at the least and at the most."""
    period, rounding = span
    days = period.days + period.months * _DAYS_IN_MONTHS
    off = _OFF if period.months else 0
    return days + 1 - off, days + off + max(1, _ROUNDED.get(rounding, 366))
