"""The deadline of a case: one calendar month, counted as Regulation 1182/71 counts.

GDPR art. 12(3) gives one month from receipt, and two further months where a request is complex;
of that, and why, the person is told within the first month. EDPB Guidelines 01/2022, section 5.3,
count it by Regulation (EEC, Euratom) 1182/71 art. 3: the day of receipt does not count, a month
that lacks the day ends on its last one, and an end on a Saturday, a Sunday or a public holiday
moves to the next working day. It is never 30 days.
"""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache

import holidays

from worker.core.periods import add_months


@lru_cache(maxsize=1024)
def due_on(received: date, country: str) -> date:
    """Return the last day on which a request received on a day may be answered.

    ``received`` is the date of receipt in the policy's time zone; ``country`` an ISO 3166 code
    whose public holidays count. Raises NotImplementedError for a country without a calendar.
    """
    return _working_day(add_months(received, 1), country)


@lru_cache(maxsize=1024)
def extended(received: date, country: str) -> date:
    """Return the last day where the period is extended by two further months.

    It is one period of three months from receipt, so only its own end moves to a working day.
    Takes and raises what :func:`due_on` does. The person must know by ``due_on`` of that day.
    """
    return _working_day(add_months(received, 3), country)


def _working_day(day: date, country: str) -> date:
    """The day itself, or the next one on which people work."""
    while not _works(day, country):
        day += timedelta(days=1)
    return day


@lru_cache(maxsize=1024)
def working_days_left(today: date, due: date, country: str) -> int:
    """Count the working days after ``today`` up to and with ``due``; what is left of a deadline.

    Negative when it is over: so many working days ago, or more. 0 on its last day.
    """
    if due < today:
        return -_working_days(due, today, country)
    return _working_days(today, due, country)


def _working_days(after: date, upto: date, country: str) -> int:
    days = (after + timedelta(days=n) for n in range(1, (upto - after).days + 1))
    return sum(1 for day in days if _works(day, country))


def _works(day: date, country: str) -> bool:
    return day.weekday() < 5 and day not in _public_holidays(country, day.year)


@lru_cache(maxsize=256)
def _public_holidays(country: str, year: int) -> frozenset[date]:
    return frozenset(holidays.country_holidays(country, years=year))
