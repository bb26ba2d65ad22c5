"""The pace of a sweep: how large a chunk is, and how long it rests."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from connectors.sweeping import Pressure, Walk
from worker.sweeping.pace import LAG_SECONDS, TARGET, Pace

WALKS = st.sampled_from([Walk.PAGES, Walk.PARENTS, Walk.KEYS, Walk.PARENT_KEYS])
BOUNDS = {
    Walk.PAGES: (1, 4_096),
    Walk.PARENTS: (1, 4_096),
    Walk.KEYS: (20, 50_000),
    Walk.PARENT_KEYS: (20, 50_000),
}
SECONDS = st.floats(0, 120)
ROWS = st.integers(0, 100_000)
LIMITS = st.none() | st.integers(1, 1_000_000)
CHUNKS = st.lists(st.tuples(SECONDS, ROWS), max_size=30)
PRESSURES = st.builds(
    Pressure, st.integers(0, 1_000), st.integers(0, 100), st.none() | st.floats(0, 3_600)
)


@given(by=WALKS, limit=LIMITS, chunks=CHUNKS)
def test_sizes_stay_in_bounds(by: Walk, limit: int | None, chunks: list[tuple[float, int]]) -> None:
    """Whatever the statements take, a chunk is neither nothing nor the whole of a large table."""
    pace, (least, most) = Pace(limit), BOUNDS[by]
    for slowest, rows in chunks:
        assert least <= pace.next_size(by) <= most
        pace.took(by, slowest, rows)
    assert least <= pace.next_size(by) <= most


@given(by=WALKS, times=st.floats(1.5, 1_000), before=st.lists(SECONDS, max_size=5))
def test_a_slow_statement_makes_the_next_smaller(
    by: Walk, times: float, before: list[float]
) -> None:
    """One that takes longer than it is to take is followed by fewer pages or rows, if it can be."""
    pace = Pace(None)
    for seconds in before:
        pace.next_size(by)
        pace.took(by, seconds, 0)
    size = pace.next_size(by)
    pace.took(by, TARGET * times, 0)
    assert pace.next_size(by) < size or size == BOUNDS[by][0]


def test_a_fast_statement_makes_the_next_larger() -> None:
    """By no more than twice, so that one lucky chunk is not followed by a giant."""
    pace = Pace(None)
    first = pace.next_size(Walk.KEYS)
    pace.took(Walk.KEYS, 0.0, 0)
    assert pace.next_size(Walk.KEYS) == 2 * first


def test_beside_others_a_statement_is_shorter() -> None:
    """What is right where nobody else is about makes the next smaller where somebody is."""
    for pressure, smaller in ((Pressure(0, 0, None), False), (Pressure(0, 0, None, 1), True)):
        pace = Pace(None, pressure=pressure)
        size = pace.next_size(Walk.PAGES)
        pace.took(Walk.PAGES, TARGET, 0)
        assert (pace.next_size(Walk.PAGES) < size) is smaller


def test_another_walk_begins_anew() -> None:
    """A number of pages says nothing of a number of rows."""
    pace = Pace(None)
    first = Pace(None).next_size(Walk.KEYS)
    pace.next_size(Walk.PAGES)
    pace.took(Walk.PAGES, 60.0, 0)
    assert pace.next_size(Walk.KEYS) == first


def test_a_dropped_partition_teaches_nothing_of_rows() -> None:
    """However long it took, the chunks of the table that is then walked are as large as before."""
    pace = Pace(None)
    size = pace.next_size(Walk.PAGES)
    pace.took(Walk.PARTITION, 60.0, 0)
    assert pace.next_size(Walk.PAGES) == size


@given(seconds=st.floats(0.001, 60), one=PRESSURES, more=st.integers(1, 5))
def test_rest_grows_with_what_the_store_bears(seconds: float, one: Pressure, more: int) -> None:
    """More clients at work, somebody who waits, a replica behind: never a shorter rest."""
    worse = [
        Pressure(one.busy + more, one.waiting, one.lag),
        Pressure(one.busy, one.waiting, LAG_SECONDS + more),
    ]
    if not one.waiting:
        worse.append(Pressure(one.busy, more, one.lag))
    rest = Pace(None, pressure=one).rest(seconds, 0)
    assert all(Pace(None, pressure=other).rest(seconds, 0) >= rest for other in worse)


def test_nobody_else_at_work_needs_no_rest() -> None:
    """A sweep that is alone goes on at once; one client costs it as long as it worked."""
    assert Pace(None).rest(0.1, 500) == 0
    assert Pace(None, pressure=Pressure(1, 0, None)).rest(0.1, 500) == 0.1
    assert Pace(None, pressure=Pressure(0, 1, None)).rest(0.1, 500) > 0.1
    assert Pace(None, pressure=Pressure(0, 0, LAG_SECONDS + 1)).rest(0.1, 500) > 1


@given(limit=st.integers(1, 100_000), seconds=SECONDS, rows=ROWS, pressure=PRESSURES)
def test_the_declared_limit_is_kept(
    limit: int, seconds: float, rows: int, pressure: Pressure
) -> None:
    """Over work and rest together no more rows a second are erased than the policy lets."""
    rest = Pace(limit, pressure=pressure).rest(seconds, rows)
    assert rest >= 0
    assert rows <= limit * (seconds + rest) * (1 + 1e-9) + 1e-6


@given(limit=st.integers(100, 10_000), dense=st.integers(1, 50))
def test_no_rest_outlasts_the_lease(limit: int, dense: int) -> None:
    """Chunks become so small that the limit asks for seconds, not minutes, between them."""
    pace = Pace(limit)
    for _ in range(12):
        size = pace.next_size(Walk.PAGES)
        pace.took(Walk.PAGES, 0.001, size * dense)
    rest = pace.rest(0.001, pace.next_size(Walk.PAGES) * dense)
    assert rest <= 6 or pace.size == 1
