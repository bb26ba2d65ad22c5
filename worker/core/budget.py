"""The deadline budget: how much of the legal time is used, and who will be late if all goes on so.

Deadlines are days (:mod:`worker.core.deadline`); a case is late when its last day is over by the
policy's clock. All moments are aware.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from math import inf
from typing import Final
from zoneinfo import ZoneInfo

from worker.core.periods import add_months

PARTS: Final = (0.25, 0.5, 0.75, 0.9, 1.0)
"""Parts of the legal time, by their upper ends; what has used more is late."""
LATE: Final = "late"
LABELS: Final = (*(f"{part:g}" for part in PARTS), LATE)


@dataclass(frozen=True, slots=True)
class Due:
    """Cases that must be answered by the end of one day.

    ``asked_on`` is the earliest day on which one of them was received; None: time asked, nobody.
    """

    due_on: date
    cases: int
    asked_on: date | None = None


def ends_at(due_on: date, zone: ZoneInfo) -> datetime:
    """The moment at which a day is over, in a time zone."""
    return datetime.combine(due_on + timedelta(days=1), time(), zone)


def used(due: Due, now: datetime, zone: ZoneInfo) -> float:
    """The part of its legal time that the oldest of some cases has used; above 1 it is late.

    Legal time begins with the day of receipt; what time asks for has the month before its last day.
    """
    first = add_months(due.due_on, -1)
    begin = datetime.combine(min(due.asked_on or first, first), time(), zone)
    end = ends_at(due.due_on, zone)
    return max(0.0, (now - begin) / (end - begin))


def label(part: float) -> str:
    """The name of the part of the legal time that a case is in: one of ``LABELS``."""
    return next((f"{upto:g}" for upto in PARTS if part < upto), LATE)


def budget(dues: Iterable[Due], now: datetime, zone: ZoneInfo) -> dict[str, int]:
    """How many cases stand in each part of their legal time; every part is named."""
    found = dict.fromkeys(LABELS, 0)
    for due in dues:
        found[label(used(due, now, zone))] += due.cases
    return found


def late(dues: Iterable[Due], now: datetime, zone: ZoneInfo) -> int:
    """How many cases are late already."""
    return sum(due.cases for due in dues if ends_at(due.due_on, zone) <= now)


def forecast(dues: Sequence[Due], lag: int, rate: float, now: datetime, zone: ZoneInfo) -> int:
    """How many cases are late or will be, when a store has ``lag`` of them before it.

    ``rate`` is people a second that the store settles. Its lag is counted on the nearest
    deadlines, which it serves in their order: no forecast is rosier than what will be. Without a
    rate nothing is settled before any deadline.
    """
    waiting, before, found = lag, 0, 0
    for due in sorted(dues, key=lambda due: due.due_on):
        mine = min(waiting, due.cases)
        left = (ends_at(due.due_on, zone) - now).total_seconds()
        if left <= 0:
            found += due.cases
        else:
            found += mine - min(mine, max(0, int(rate * left) - before))
        waiting -= mine
        before += mine
    return found


def drain_seconds(lag: int, rate_in: float, rate_out: float) -> float:
    """Seconds until a lag is worked off; 0 without one, infinite when it does not shrink."""
    if lag <= 0:
        return 0.0
    net = rate_out - rate_in
    return lag / net if net > 0 else inf
