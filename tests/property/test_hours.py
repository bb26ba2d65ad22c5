"""From when a store may be swept, held against a model that knows no arithmetic of minutes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.unit.core.policies import declared
from worker.core.hours import opens
from worker.core.policy import Policy

ZONES = ("Europe/Oslo", "UTC", "America/St_Johns", "Australia/Lord_Howe", "Asia/Kathmandu")
# Nights of 2026 in which clocks change somewhere among the zones, and an ordinary one.
DAYS = st.sampled_from(
    [
        datetime(2026, *day, tzinfo=UTC)
        for day in ((3, 28), (10, 24), (3, 8), (4, 4), (10, 3), (6, 1))
    ]
)
Span = tuple[time, time]
TIMES = st.builds(time, st.integers(0, 23), st.sampled_from([0, 1, 15, 29, 30, 59]))
SPANS = st.lists(st.tuples(TIMES, TIMES).filter(lambda span: span[0] != span[1]), max_size=3)


def policy(zone: str, quiet: Sequence[Span], hours: Sequence[Span]) -> Policy:
    """The small policy with a time zone, quiet hours, and hours of the crm."""
    data = declared()
    data["time_zone"] = zone
    data["retention"] = {"quiet_hours": [f"{a:%H:%M}-{b:%H:%M}" for a, b in quiet]}
    data["stores"]["crm"]["sweep"] = {"hours": [f"{a:%H:%M}-{b:%H:%M}" for a, b in hours]}
    return Policy.model_validate(data)


def within(clock: time, span: Span) -> bool:
    """Whether a clock shows a time of a span, which may pass midnight."""
    begin, end = span
    if begin < end:
        return begin <= clock < end
    return not end <= clock < begin


def may_work(clock: time, quiet: Sequence[Span], hours: Sequence[Span]) -> bool:
    """The rule in one line."""
    return not any(within(clock, q) for q in quiet) and any(
        within(clock, h) for h in hours or [(time(0), time(0))]
    )


@given(st.sampled_from(ZONES), DAYS, st.integers(0, 3 * 86_400), SPANS, SPANS)
@settings(max_examples=300, deadline=None)
def test_it_opens_at_the_first_moment_of_the_model(
    zone: str, day: datetime, seconds: int, quiet: Sequence[Span], hours: Sequence[Span]
) -> None:
    """It is the first whole minute whose clock on the wall the hours allow, across any change."""
    every = [time(h, m) for h in range(24) for m in range(60)]
    assume(any(may_work(clock, quiet, hours) for clock in every))
    now = day + timedelta(seconds=seconds)
    local = ZoneInfo(zone)
    moments = [now, *(now.replace(second=0) + timedelta(minutes=n) for n in range(1, 3 * 1440))]
    first = next(at for at in moments if may_work(at.astimezone(local).time(), quiet, hours))
    found = opens(policy(zone, quiet, hours), "crm", now)
    assert found == (None if first is now else first)
