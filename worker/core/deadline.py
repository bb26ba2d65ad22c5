"""The deadline of a case: one calendar month, counted as Regulation 1182/71 counts.

GDPR art. 12(3) gives one month from receipt. EDPB Guidelines 01/2022, section 5.3, count it by
Regulation (EEC, Euratom) 1182/71 art. 3: the day of receipt does not count, a month that lacks
the day ends on its last one, and an end on a Saturday, a Sunday or a public holiday moves to the
next working day. It is never 30 days.
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
    due = add_months(received, 1)
    while due.weekday() >= 5 or due in _public_holidays(country, due.year):
        due += timedelta(days=1)
    return due


@lru_cache(maxsize=256)
def _public_holidays(country: str, year: int) -> frozenset[date]:
    return frozenset(holidays.country_holidays(country, years=year))
