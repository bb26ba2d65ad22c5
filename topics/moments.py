"""Moments and days as the contract writes them: RFC 3339, a moment always with an offset."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

# datetime.fromisoformat takes much of ISO 8601 (weeks, dates alone): CloudEvents only RFC 3339.
_RFC3339 = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)", re.ASCII | re.IGNORECASE
)


_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def parse_day(text: object) -> date:
    """A day from its RFC 3339 text (full-date), as 2026-11-01.

    Raises ValueError for anything else; never holds the text.
    """
    try:
        if isinstance(text, str) and _DAY.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass  # no such day
    raise ValueError("is not a day, as 2026-11-01")


def parse_moment(text: object) -> datetime:
    """A moment in UTC from RFC 3339 text (a datetime with an offset is taken as well).

    Raises ValueError for anything else, a time without an offset included; never holds the text.
    Digits beyond microseconds are dropped.
    """
    moment: datetime | None = None
    try:
        if isinstance(text, datetime):
            moment = text
        elif isinstance(text, str) and _RFC3339.fullmatch(text):
            moment = datetime.fromisoformat(text.upper())
        if moment is not None and moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        pass  # no such day, or before the year 1 once it is in UTC
    raise ValueError("is not an RFC 3339 time with an offset from UTC, as 2026-03-10T09:30:00Z")


def in_utc(moment: datetime) -> datetime:
    """The same moment in UTC. Raises ValueError when it has no time zone: ours always have."""
    if moment.tzinfo is None:
        raise ValueError("a time without a time zone cannot be published")
    return moment.astimezone(UTC)
