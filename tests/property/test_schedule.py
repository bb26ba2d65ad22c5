"""When runs are due: each planned moment at most once, the last never lost, through any clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from worker.core.schedule import due

OSLO = "Europe/Oslo"
NIGHTLY = "30 2 * * *"


def walked(cron: str, start: datetime, steps: list[timedelta]) -> list[datetime]:
    """The moments that are begun by somebody who looks after each step."""
    last, now, begun = start, start, []
    for step in steps:
        now += step
        if (moment := due(cron, OSLO, last, now)) is not None:
            begun.append(moment)
            last = moment
    return begun


@given(
    cron=st.sampled_from([NIGHTLY, "0 * * * *", "*/15 1-4 * * *", "0 4 1 * *", "5 5 * * 1"]),
    start=st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31)),
    minutes=st.lists(st.integers(1, 60 * 24 * 5), min_size=1, max_size=30),
)
def test_each_moment_is_begun_once_and_the_last_is_never_lost(
    cron: str, start: datetime, minutes: list[int]
) -> None:
    """However seldom somebody looks, moments come in order, and none is due again at the end."""
    first = start.replace(tzinfo=UTC)
    steps = [timedelta(minutes=number) for number in minutes]
    begun = walked(cron, first, steps)
    end = first + sum(steps, timedelta())
    assert begun == sorted(set(begun))
    assert all(first < moment <= end for moment in begun)
    assert due(cron, OSLO, begun[-1] if begun else first, end) is None


def test_a_change_of_clock_neither_skips_nor_doubles_a_run() -> None:
    """Half past two comes twice on 2026-10-25 in Oslo and never on 2026-03-29: one run a night."""
    for change in (datetime(2026, 3, 29, tzinfo=UTC), datetime(2026, 10, 25, tzinfo=UTC)):
        start = change - timedelta(days=2)
        begun = walked(NIGHTLY, start, [timedelta(minutes=10)] * (6 * 24 * 4))
        assert len(begun) == 4


def test_missed_runs_are_caught_up_by_one() -> None:
    """After a week without a worker the night before is run, and nothing else."""
    last = datetime(2026, 6, 1, 0, 30, tzinfo=UTC)
    now = datetime(2026, 6, 8, 12, tzinfo=UTC)
    moment = due(NIGHTLY, OSLO, last, now)
    assert moment == datetime(2026, 6, 8, 0, 30, tzinfo=UTC)
    assert due(NIGHTLY, OSLO, moment, now) is None
    monthly = due("0 4 1 * *", OSLO, datetime(2026, 4, 1, 2, tzinfo=UTC), now)
    assert monthly == datetime(2026, 6, 1, 2, tzinfo=UTC)
