"""What is said of a longer or shorter period holds for every anchor and every day."""

from __future__ import annotations

from datetime import date

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.property.test_periods import DATES, PERIODS, ROUNDINGS, STARTS
from worker.core.directions import Direction, Span, lasting, more_keeps_longer, together
from worker.core.periods import Period, Rounding, cutoff, until

SPANS: st.SearchStrategy[Span] = st.tuples(PERIODS, ROUNDINGS)
DIRECTIONS = st.sampled_from(Direction)
SETS = st.frozensets(st.integers(0, 3))


@st.composite
def neighbours(draw: st.DrawFn) -> tuple[Span, Span]:
    """Two spans of which the second is near the first, where a slip would show."""
    period, rounding = draw(SPANS)
    months, days = period.months, period.days
    if draw(st.booleans()):
        months, days = 0, round(months * 30.4369) + days
    months = max(0, months + draw(st.integers(-1, 1))) if months else 0
    days = max(0, days + draw(st.integers(-12, 12))) if not months else 0
    return (period, rounding), (Period(months, days), draw(ROUNDINGS))


@given(DATES, STARTS, st.tuples(SPANS, SPANS) | neighbours())
@settings(max_examples=4_000, deadline=None)
def test_no_anchor_contradicts_it(anchor: date, start: int, spans: tuple[Span, Span]) -> None:
    """'Longer' never ends sooner and 'sooner' never ends later, for any day to run from."""
    old, new = spans
    before, after = until(anchor, *old, start), until(anchor, *new, start)
    direction = lasting(old, new)
    assert lasting(new, old) is direction.turned
    if direction is Direction.NEITHER:
        assert before == after
    if direction is Direction.LONGER:
        assert before <= after
    if direction is Direction.SOONER:
        assert before >= after


@given(DATES, STARTS, st.tuples(SPANS, SPANS) | neighbours())
@settings(max_examples=1_000, deadline=None)
def test_no_cut_off_contradicts_it(day: date, start: int, spans: tuple[Span, Span]) -> None:
    """What keeps longer lets go of no row on any day that the old policy would have kept."""
    old, new = spans
    if lasting(old, new) is Direction.LONGER:
        assert cutoff(day, *new, start) <= cutoff(day, *old, start)


@given(PERIODS, PERIODS, ROUNDINGS)
def test_of_two_periods_in_one_unit(one: Period, other: Period, rounding: Rounding) -> None:
    """The same rounding and a greater number of the same unit is always told as longer."""
    if (one.months == 0) == (other.months == 0) and one != other:
        short, long = sorted((one, other), key=lambda p: (p.months, p.days))
        assert lasting((short, rounding), (long, rounding)) is Direction.LONGER


@given(
    st.lists(DIRECTIONS, max_size=4),
    st.frozensets(st.integers(0, 3)),
    st.frozensets(st.integers(0, 3)),
)
def test_turning(directions: list[Direction], old: frozenset[int], new: frozenset[int]) -> None:
    """The change back turns a direction, of one change or of several together."""
    assert together(one.turned for one in directions) is together(directions).turned
    assert more_keeps_longer(new, old) is more_keeps_longer(old, new).turned
