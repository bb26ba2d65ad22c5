"""When a schedule's next run is due: its latest planned moment that nobody has begun yet.

Times are read as Debian's cron reads them (:mod:`cronsim`): what the clocks skip in spring runs
right after, what comes twice in autumn runs once. Runs that were missed are caught up by one.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import takewhile
from typing import Final
from zoneinfo import ZoneInfo

from cronsim import CronSim

_NEAR: Final = timedelta(days=2)
"""Within which every planned moment is looked at; before that, the latest one alone."""


def due(cron: str, zone: str, last: datetime, now: datetime) -> datetime | None:
    """Return the latest planned moment after ``last`` and not after ``now``, in UTC; or None.

    ``last`` is the planned moment that was begun last. Both are aware.
    """
    if last >= now:
        return None
    start = max(last, now - _NEAR).astimezone(ZoneInfo(zone))
    end = now.astimezone(UTC)
    moments = (moment.astimezone(UTC) for moment in CronSim(cron, start))
    near = [m for m in takewhile(lambda m: m <= end, moments) if m > last.astimezone(UTC)]
    if near:
        return near[-1]
    if start <= last:
        return None
    before = next(CronSim(cron, start, reverse=True)).astimezone(UTC)
    return before if before > last.astimezone(UTC) else None
