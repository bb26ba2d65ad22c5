"""How a store's last day is drawn."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from worker.ledger.samples import Part
from worker.observe.web.pictures import TREND_HEIGHT, WIDTH, trend

NOW = datetime(2026, 5, 1, 12, 3, tzinfo=UTC)


def sample(minutes: int, lag: int, *, away: bool = False) -> Part:
    """A store, so many minutes ago, in one minute."""
    return Part(NOW - timedelta(minutes=minutes), lag, int(away), 1)


def points(line: str) -> list[tuple[float, float]]:
    """The points of a line."""
    pairs = (one.split(",") for one in line.split())
    return [(float(x), float(y)) for x, y in pairs]


def test_a_day_without_samples_is_nothing() -> None:
    """Neither a line nor a number."""
    drawn = trend([], NOW)
    assert (drawn.lines, drawn.away, drawn.most, drawn.away_seconds) == ((), (), 0, 0)


def test_the_worst_of_ten_minutes_is_drawn_and_now_is_at_the_right() -> None:
    """A peak of one minute is seen; the line ends at the right edge, inside the picture."""
    drawn = trend([sample(25, 3), sample(14, 1), sample(13, 50), sample(12, 0), sample(1, 0)], NOW)
    (line,) = drawn.lines
    found = points(line)
    assert found[-1][0] == WIDTH
    assert drawn.most == 50
    assert min(y for _, y in found) == 2
    assert found[-1][1] == TREND_HEIGHT - 2
    assert [x for x, _ in found] == sorted(x for x, _ in found)


def test_a_time_without_a_worker_is_open_and_what_is_older_than_a_day_is_left_out() -> None:
    """Two lines, of which each can be seen although it is one sample long."""
    drawn = trend([sample(60 * 24 + 1, 9), sample(300, 2), sample(5, 2)], NOW)
    assert drawn.most == 2
    assert len(drawn.lines) == 2
    for line in drawn.lines:
        (left, _), (right, _) = points(line)
        assert right > left


def test_times_away_are_marked() -> None:
    """As wide as they were long, and told in seconds."""
    drawn = trend([sample(n, 0, away=20 <= n < 50) for n in range(120, 0, -1)], NOW)
    ((left, width),) = drawn.away
    assert drawn.away_seconds == 30 * 60
    assert 30 * 60 <= width / WIDTH * 86_400 <= 40 * 60
    assert left + width <= WIDTH


def test_a_clock_that_is_a_little_ahead_draws_at_the_edge() -> None:
    """A sample from another worker's next minute is drawn as now."""
    (line,) = trend([sample(-2, 4)], NOW).lines
    assert points(line)[-1][0] == WIDTH
