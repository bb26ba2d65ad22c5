"""Until and cut-off are one definition, for every date, period and rounding."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from worker.core.periods import Period, Rounding, add_months, cutoff, until

DAYS = st.dates(date(1800, 1, 1), date(2400, 12, 31))
# Ends of months are where calendars go wrong, so half of the dates lie there.
EDGES = st.builds(
    lambda month, offset: date(month // 12, month % 12 + 1, 1) + timedelta(days=offset),
    st.integers(1800 * 12, 2400 * 12),
    st.integers(-4, 3),
)
DATES = DAYS | EDGES
PERIODS = st.builds(Period, months=st.integers(0, 150)) | st.builds(
    Period, days=st.integers(0, 4000)
)
ROUNDINGS = st.sampled_from(Rounding)
STARTS = st.integers(1, 12)


ROUNDED = [
    (rounding, start)
    for rounding in Rounding
    for start in (range(1, 13) if rounding is Rounding.END_OF_FISCAL_YEAR else [1])
]
"""Every rounding; where it matters, with every month in which an accounting year begins."""


@given(DATES, DATES, PERIODS)
@settings(max_examples=2_000, deadline=None)
def test_one_definition(anchor: date, day: date, period: Period) -> None:
    """A ground is over on a day exactly when its anchor is not after that day's cut-off."""
    for rounding, start in ROUNDED:
        over = until(anchor, period, rounding, start) <= day
        assert over is (anchor <= cutoff(day, period, rounding, start)), (rounding, start)


@given(DATES, PERIODS)
@settings(max_examples=500, deadline=None)
def test_one_definition_at_the_edge(anchor: date, period: Period) -> None:
    """The same holds on the days around the end itself, where being one off would show."""
    for rounding, start in ROUNDED:
        end = until(anchor, period, rounding, start)
        for offset in range(-3, 4):
            latest = cutoff(end + timedelta(days=offset), period, rounding, start)
            assert (offset >= 0) is (anchor <= latest), (rounding, start, offset)


@given(DATES, PERIODS, STARTS)
@settings(deadline=None)
def test_a_fiscal_year_is_a_year(anchor: date, period: Period, start: int) -> None:
    """All days of one accounting year end together, on a day that is counted from its end."""
    end = until(anchor, Period(), Rounding.END_OF_FISCAL_YEAR, start)
    assert (end.month, end.day) == (start, 1)
    assert anchor < end <= add_months(anchor.replace(day=1), 12)
    last = until(end - timedelta(days=1), period, Rounding.END_OF_FISCAL_YEAR, start)
    assert last == until(anchor, period, Rounding.END_OF_FISCAL_YEAR, start)


@given(DATES, PERIODS, ROUNDINGS)
@settings(deadline=None)
def test_cutoff_is_the_latest(day: date, period: Period, rounding: Rounding) -> None:
    """The cut-off itself is over on the day, and the day after the cut-off is not."""
    latest = cutoff(day, period, rounding)
    assert until(latest, period, rounding) <= day
    assert until(latest + timedelta(days=1), period, rounding) > day


@given(DATES, PERIODS, PERIODS, ROUNDINGS)
@settings(deadline=None)
def test_longer_never_ends_sooner(
    anchor: date, one: Period, other: Period, rounding: Rounding
) -> None:
    """Of two periods in the same unit the longer never ends sooner."""
    if (one.months == 0) == (other.months == 0):
        short, long = sorted((one, other), key=lambda p: (p.months, p.days))
        assert until(anchor, short, rounding) <= until(anchor, long, rounding)


@given(DATES, PERIODS, ROUNDINGS)
@settings(deadline=None)
def test_at_least_the_period(anchor: date, period: Period, rounding: Rounding) -> None:
    """A ground lives on its anchor's day, and rounding only ever keeps it longer."""
    assert until(anchor, period, rounding) > anchor
    if period.days or not period.months:
        assert until(anchor, period, rounding) >= until(anchor, period)


@given(DATES, st.integers(1, 150))
@settings(deadline=None)
def test_months_are_calendar_months(day: date, months: int) -> None:
    """Going on by months lands in the right month, on the same day or on the month's last."""
    there = add_months(day, months)
    assert (there.year * 12 + there.month) - (day.year * 12 + day.month) == months
    assert there.day == day.day or (
        there.day < day.day and (there + timedelta(days=1)).month != there.month
    )
