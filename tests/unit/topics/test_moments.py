"""Times as the contract writes them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from topics.moments import in_utc, parse_moment


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-03-10T09:30:00Z", datetime(2026, 3, 10, 9, 30, tzinfo=UTC)),
        ("2026-03-10t09:30:00z", datetime(2026, 3, 10, 9, 30, tzinfo=UTC)),
        ("2026-03-10T00:30:00+01:00", datetime(2026, 3, 9, 23, 30, tzinfo=UTC)),
        ("2026-03-10T09:30:00.123456789Z", datetime(2026, 3, 10, 9, 30, 0, 123456, tzinfo=UTC)),
    ],
)
def test_rfc_3339_is_read_in_utc(text: str, moment: datetime) -> None:
    """Either case, any offset and fractions of a second are the moment they say."""
    assert parse_moment(text) == moment
    assert parse_moment(text).tzinfo is UTC
    assert parse_moment(parse_moment(text)) == moment


@pytest.mark.parametrize(
    "other",
    [
        "2026-03-10T09:30:00",
        "2026-03-10 09:30:00Z",
        "2026-W11-2T09:30:00Z",
        "20260310T093000Z",
        "2026-03-10T25:00:00Z",
        "٢٠٢٦-03-10T09:30:00Z",
        "",
        None,
        0,
        datetime(2026, 3, 10, 9, 30),
    ],
)
def test_anything_else_is_no_moment(other: object) -> None:
    """Other ways of ISO 8601, numbers and times without an offset are refused, unrepeated."""
    with pytest.raises(ValueError, match=r"^is not an RFC 3339 time") as caught:
        parse_moment(other)
    assert caught.value.__context__ is None


def test_a_naive_time_of_ours_is_never_published() -> None:
    """Without a zone nobody knows which moment it is."""
    with pytest.raises(ValueError, match="time zone"):
        in_utc(datetime(2026, 3, 10, 9, 30))
