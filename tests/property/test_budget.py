"""The deadline budget and its forecast, held against what must be so of any cases."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from math import inf, isinf
from zoneinfo import ZoneInfo

import holidays
from hypothesis import given
from hypothesis import strategies as st

from worker.core.budget import LABELS, Due, budget, drain_seconds, ends_at, forecast, late, used
from worker.core.deadline import working_days_left

OSLO = ZoneInfo("Europe/Oslo")
NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
NORWAY = holidays.country_holidays("NO")

days = st.dates(date(2026, 1, 1), date(2026, 6, 1))
dues = st.lists(
    st.builds(
        Due, days, st.integers(1, 50), st.none() | st.dates(date(2025, 12, 1), date(2026, 1, 1))
    ),
    max_size=8,
)
lags = st.integers(0, 500)
rates = st.floats(0, 5)


@given(dues)
def test_every_case_stands_in_one_part_of_its_time(some: list[Due]) -> None:
    """The parts add up to the cases, and what is late by them is late by the calendar."""
    parts = budget(some, NOW, OSLO)
    assert tuple(parts) == LABELS
    assert sum(parts.values()) == sum(due.cases for due in some)
    assert parts["late"] == late(some, NOW, OSLO)


@given(days, st.integers(0, 100))
def test_legal_time_is_used_up_as_time_passes(day: date, hours: int) -> None:
    """It begins at nothing, never shrinks, and is whole when the last day is over."""
    due = Due(day, 1)
    now = NOW + timedelta(hours=hours)
    assert used(due, now, OSLO) >= used(due, NOW, OSLO) >= 0
    assert used(due, ends_at(day, OSLO), OSLO) == 1
    assert used(due, ends_at(day, OSLO) - timedelta(days=100), OSLO) == 0


@given(dues, lags, rates)
def test_a_forecast_lies_between_what_is_late_and_all(
    some: list[Due], lag: int, rate: float
) -> None:
    """Whoever is late stays late; nobody is foretold who is not there."""
    told = forecast(some, lag, rate, NOW, OSLO)
    assert late(some, NOW, OSLO) <= told <= sum(due.cases for due in some)


@given(dues, lags, rates, st.integers(0, 100), st.floats(0, 5))
def test_more_to_do_or_less_speed_is_never_better(
    some: list[Due], lag: int, rate: float, more: int, faster: float
) -> None:
    """The forecast grows with the lag and falls with the rate."""
    told = forecast(some, lag, rate, NOW, OSLO)
    assert forecast(some, lag + more, rate, NOW, OSLO) >= told
    assert forecast(some, lag, rate + faster, NOW, OSLO) <= told


@given(dues, lags)
def test_without_a_lag_or_with_speed_enough_only_the_late_are_late(
    some: list[Due], lag: int
) -> None:
    """A store that has nothing before it, or does all at once, makes nobody late."""
    assert forecast(some, 0, 0.0, NOW, OSLO) == late(some, NOW, OSLO)
    assert forecast(some, lag, 1e9, NOW, OSLO) == late(some, NOW, OSLO)


def test_a_forecast_counts_whom_a_rate_does_not_reach() -> None:
    """Eleven hours at one person an hour reach 11 of 20; the others, due in May, are reached."""
    until_midnight = (ends_at(date(2026, 3, 10), OSLO) - NOW).total_seconds()
    assert until_midnight == 11 * 3600
    some = [Due(date(2026, 3, 10), 20), Due(date(2026, 5, 4), 30)]
    assert forecast(some, 50, 1 / 3600, NOW, OSLO) == 9
    assert forecast(some, 15, 1 / 3600, NOW, OSLO) == 4
    assert forecast(some, 50, 0.0, NOW, OSLO) == 50


@given(st.integers(0, 10**6), rates, rates)
def test_a_drain_time_ends_only_where_a_lag_shrinks(lag: int, came: float, went: float) -> None:
    """No lag is drained; one that does not shrink never is; else the net rate works it off."""
    drain = drain_seconds(lag, came, went)
    if not lag:
        assert drain == 0
    elif went <= came:
        assert drain == inf
    else:
        assert isinf(drain) or abs(drain * (went - came) - lag) < 1e-6 * lag


@given(st.dates(date(2026, 1, 1), date(2027, 12, 31)), st.integers(0, 60))
def test_working_days_are_those_on_which_something_may_be_due(today: date, ahead: int) -> None:
    """Counted one by one: no weekend and no public holiday counts, forwards or backwards."""
    due = today + timedelta(days=ahead)
    days = [today + timedelta(days=n) for n in range(1, ahead + 1)]
    working = [day for day in days if works(day)]
    assert working_days_left(today, due, "NO") == len(working)
    assert working_days_left(due, today, "NO") == -len(working)


def works(day: date) -> bool:
    """Whether people in Norway work on a day, as the library of holidays says it itself."""
    return bool(NORWAY.is_working_day(day))
