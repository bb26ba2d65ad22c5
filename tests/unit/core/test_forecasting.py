"""Intervals ahead, and what a store counts put into them."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.falling_due import FallingDue, Undue
from tests.unit.core.policies import small
from worker.core.forecasting import MOST, By, Count, StoreForecast, gathered, horizon, intervals

TODAY = date(2026, 11, 25)


@pytest.mark.parametrize(
    ("by", "until", "expected"),
    [
        (
            By.MONTH,
            date(2027, 1, 10),
            [("2026-11", "2026-11-30"), ("2026-12", "2026-12-31"), ("2027-01", "2027-01-10")],
        ),
        (
            By.QUARTER,
            date(2027, 6, 30),
            [("2026-Q4", "2026-12-31"), ("2027-Q1", "2027-03-31"), ("2027-Q2", "2027-06-30")],
        ),
        (By.YEAR, date(2028, 2, 29), [("2026", "2026-12-31"), ("2027", "2027-12-31")]),
    ],
)
def test_intervals_are_parts_of_the_calendar(
    by: By, until: date, expected: list[tuple[str, str]]
) -> None:
    """The first begins tomorrow, each ends with its month, quarter or year, the last on the day."""
    found = [(one.name, one.last.isoformat()) for one in intervals(TODAY, until, by)]
    assert found[: len(expected)] == expected
    assert found[-1][1] == until.isoformat()


@given(
    st.dates(date(2000, 1, 1), date(2100, 12, 31)),
    st.integers(1, 10_000),
    st.sampled_from(list(By)),
)
def test_intervals_cover_every_day_once(today: date, ahead: int, by: By) -> None:
    """No day from tomorrow to the last is left out, and no interval is empty."""
    until = today + timedelta(days=ahead)
    found = intervals(today, until, by)
    lasts = [today, *(one.last for one in found)]
    assert all(one < other for one, other in pairwise(lasts))
    assert lasts[-1] == until
    assert len({one.name for one in found}) == len(found)
    assert horizon(today, by) > today


def test_a_day_that_is_not_ahead() -> None:
    """Today is not ahead, and nobody reads a thousand months; the end of the calendar is fine."""
    with pytest.raises(ValueError, match="is not ahead"):
        intervals(TODAY, TODAY, By.MONTH)
    with pytest.raises(ValueError, match=f"more than {MOST}"):
        intervals(TODAY, date(2126, 1, 1), By.MONTH)
    with pytest.raises(ValueError, match="more than"):
        intervals(TODAY, date.max, By.YEAR)
    assert intervals(date(9990, 1, 1), date.max, By.YEAR)[-1].last == date.max


def test_counts_in_their_places() -> None:
    """What a store counts stands under its interval or its reason; the rest is nobody's."""
    table = next(t for t in small().mapping("crm").tables if t.name == "bill")
    name = table.groups[0].name
    counted = [
        FallingDue(name, 0, 5, 4),
        FallingDue(name, 2, 3, 3),
        FallingDue(name, Undue.LATER, 7, 6),
        FallingDue(name, Undue.UNKNOWN, 1, 1),
        FallingDue(name, Undue.NO_END, 2, 2),
        FallingDue(name, Undue.REVOCABLE, 9, 8),
    ]
    first, second = gathered(table, counted, 2)
    assert (first.due_now, first.due) == (Count(5, 4), (Count(), Count(3, 3)))
    assert (first.later, first.unknown_anchor) == (Count(7, 6), Count(1, 1))
    assert (first.no_end_yet, first.until_revoked) == (Count(2, 2), Count(9, 8))
    assert (first.fields, first.grounds) == (("buyer",), ("books", "contract"))
    assert second.due_now == Count()
    assert StoreForecast("crm", (first, second)).rows_due(2) == [5, 0, 3]
