"""From which moment a store may be swept: its hours and the quiet hours of the policy."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from worker.core.policy import Policy
from worker.core.retention import works

_MINUTE: Final = timedelta(minutes=1)


def opens(policy: Policy, store: str, now: datetime) -> datetime | None:
    """Return the first moment after ``now`` at which the store may be swept; None: it may now.

    What counts is what a clock on the wall shows in the policy's time zone. So an hour that comes
    twice when the clocks are set back counts both times, and one that they skip does not come that
    day. ``now`` is aware, the answer is in UTC. Raises KeyError for an unknown store.
    """
    if now.tzinfo is None:
        raise ValueError("a moment without a time zone is no moment")
    zone = ZoneInfo(policy.time_zone)
    quiet, hours = policy.retention.quiet_hours, policy.stores[store].sweep.hours

    def may_work(at: datetime) -> bool:
        clock = at.astimezone(zone)
        return works(clock.hour * 60 + clock.minute, quiet, hours)

    if may_work(now):
        return None
    at = now.astimezone(UTC).replace(second=0, microsecond=0) + _MINUTE
    # The policy leaves some minute of the day, so one comes; a day has few enough to try them.
    while not may_work(at):
        at += _MINUTE
    return at
