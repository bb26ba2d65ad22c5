"""Golden deadlines (GDPR art. 12(3), Regulation 1182/71 art. 3, EDPB Guidelines 01/2022, 5.3)."""

from __future__ import annotations

from datetime import date

import pytest

from worker.core.deadline import due_on, extended


@pytest.mark.parametrize(
    ("received", "due"),
    [
        # 28 February 2026 is a Saturday.
        (date(2026, 1, 31), date(2026, 3, 2)),
        # 5 April 2026 is Easter Sunday and 6 April Easter Monday.
        (date(2026, 3, 5), date(2026, 4, 7)),
        # The EDPB's own example shape: an ordinary day one month on.
        (date(2026, 5, 5), date(2026, 6, 5)),
        # 17 May 2026 is a Sunday; in 2027 it is the Monday of Whitsun and of Constitution Day.
        (date(2026, 4, 17), date(2026, 5, 18)),
        (date(2027, 4, 17), date(2027, 5, 18)),
        # 17 May 2028 is a Wednesday: the holiday alone moves the end.
        (date(2028, 4, 17), date(2028, 5, 18)),
        # 1 May 2026 is a Friday: the end moves over the holiday and the weekend.
        (date(2026, 4, 1), date(2026, 5, 4)),
        # 14 May 2026 is Ascension Day; the Friday after it is a working day.
        (date(2026, 4, 14), date(2026, 5, 15)),
        # Christmas 2026: 25 December is a Friday, 26 a Saturday, 27 a Sunday.
        (date(2026, 11, 25), date(2026, 12, 28)),
        # Christmas Eve is no public holiday in Norway.
        (date(2026, 11, 24), date(2026, 12, 24)),
        # Maundy Thursday to Easter Monday 2026.
        (date(2026, 3, 2), date(2026, 4, 7)),
        # New Year's Day 2027 is a Friday; the year changes on the way.
        (date(2026, 12, 1), date(2027, 1, 4)),
        # A leap year's February.
        (date(2028, 1, 31), date(2028, 2, 29)),
        # From the last day of a short month to the same day of a long one.
        (date(2025, 2, 28), date(2025, 3, 28)),
    ],
)
def test_norway(received: date, due: date) -> None:
    """A month in Norway ends on the day that the regulation gives, never after 30 days."""
    assert due_on(received, "NO") == due


@pytest.mark.parametrize(
    ("received", "due"),
    [
        # Three months from receipt, not two from the first end: 5 April 2026 is Easter Sunday.
        (date(2026, 3, 5), date(2026, 6, 5)),
        # 30 April has no 31st; the first end, 2 March, plays no part.
        (date(2026, 1, 31), date(2026, 4, 30)),
        # 28 February 2027 is a Sunday.
        (date(2026, 11, 30), date(2027, 3, 1)),
        # 1 May 2026 is a public holiday and a Friday.
        (date(2026, 2, 1), date(2026, 5, 4)),
        # The year changes on the way.
        (date(2026, 10, 15), date(2027, 1, 15)),
    ],
)
def test_two_further_months(received: date, due: date) -> None:
    """An extended period is one of three months, whose end alone moves to a working day."""
    assert extended(received, "NO") == due
    assert due_on(received, "NO") < due


def test_country_decides() -> None:
    """Constitution Day moves a deadline in Norway and none in Germany."""
    assert due_on(date(2028, 4, 17), "NO") == date(2028, 5, 18)
    assert due_on(date(2028, 4, 17), "DE") == date(2028, 5, 17)
