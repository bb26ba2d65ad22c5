"""Golden dates of periods, each with its source."""

from __future__ import annotations

from datetime import date

import pytest

from worker.core.periods import Period, Rounding, add_months, cutoff, until

NONE, MONTH, YEAR = Rounding.NONE, Rounding.END_OF_MONTH, Rounding.END_OF_YEAR

GOLDEN = [
    # Bokføringsloven § 13: primary material, five years after the end of the accounting year.
    (date(2026, 3, 10), "5y", YEAR, date(2032, 1, 1)),
    (date(2026, 1, 1), "5y", YEAR, date(2032, 1, 1)),
    (date(2026, 12, 31), "5y", YEAR, date(2032, 1, 1)),
    (date(2027, 1, 1), "5y", YEAR, date(2033, 1, 1)),
    # Bokføringsloven § 13: certain secondary material, three and a half years after it.
    (date(2026, 3, 10), "42m", YEAR, date(2030, 7, 1)),
    # Foreldelsesloven § 2: claims lapse three years after the contract's end; the day itself lives.
    (date(2026, 3, 10), "3y", NONE, date(2029, 3, 11)),
    # A contract lives on its last day and is over on the next.
    (date(2026, 3, 10), "0d", NONE, date(2026, 3, 11)),
    # Regulation 1182/71 art. 3(2)(c): a month that lacks the day ends the period on its last.
    (date(2024, 2, 29), "1y", NONE, date(2025, 3, 1)),
    (date(2024, 2, 29), "4y", NONE, date(2028, 3, 1)),
    (date(2026, 1, 31), "1m", NONE, date(2026, 3, 1)),
    (date(2026, 1, 28), "1m", NONE, date(2026, 3, 1)),
    (date(2026, 8, 31), "6m", NONE, date(2027, 3, 1)),
    (date(2026, 3, 10), "90d", NONE, date(2026, 6, 9)),
    (date(2026, 12, 31), "1d", NONE, date(2027, 1, 2)),
    # Counted from the end of the month: whole months follow, however long each is.
    (date(2026, 2, 10), "1m", MONTH, date(2026, 4, 1)),
    (date(2026, 2, 28), "0d", MONTH, date(2026, 3, 1)),
    (date(2026, 12, 5), "2y", MONTH, date(2029, 1, 1)),
    (date(2026, 11, 30), "10d", MONTH, date(2026, 12, 11)),
    (date(2026, 5, 5), "10d", YEAR, date(2027, 1, 11)),
]


@pytest.mark.parametrize(("anchor", "period", "rounding", "expected"), GOLDEN)
def test_until_golden(anchor: date, period: str, rounding: Rounding, expected: date) -> None:
    """The first day without the ground is the one that the law's own counting gives."""
    assert until(anchor, Period.parse(period), rounding) == expected


@pytest.mark.parametrize(
    ("anchor", "period", "start", "expected"),
    [
        # Bokføringsloven § 13 and regnskapsloven § 1-7: an accounting year from July on. An
        # invoice of March 2026 belongs to the year that ends on 30 June 2026.
        (date(2026, 3, 10), "5y", 7, date(2031, 7, 1)),
        (date(2026, 6, 30), "5y", 7, date(2031, 7, 1)),
        (date(2026, 7, 1), "5y", 7, date(2032, 7, 1)),
        (date(2026, 12, 31), "5y", 7, date(2032, 7, 1)),
        # Secondary material, three and a half years.
        (date(2026, 3, 10), "42m", 7, date(2030, 1, 1)),
        (date(2026, 7, 1), "42m", 7, date(2031, 1, 1)),
        # A fiscal year that is the calendar year gives the dates of § 13 as they are taught.
        (date(2026, 3, 10), "5y", 1, date(2032, 1, 1)),
        (date(2026, 3, 10), "42m", 1, date(2030, 7, 1)),
        (date(2026, 11, 30), "1y", 12, date(2027, 12, 1)),
        (date(2026, 12, 1), "1y", 12, date(2028, 12, 1)),
    ],
)
def test_until_counts_from_the_end_of_the_fiscal_year(
    anchor: date, period: str, start: int, expected: date
) -> None:
    """The accounting year that a document belongs to may begin in any month."""
    rounding = Rounding.END_OF_FISCAL_YEAR
    assert until(anchor, Period.parse(period), rounding, start) == expected
    day_before = cutoff(expected, Period.parse(period), rounding, start)
    assert (
        anchor
        <= day_before
        < cutoff(add_months(expected, 12), Period.parse(period), rounding, start)
    )


@pytest.mark.parametrize(
    ("day", "period", "rounding", "expected"),
    [
        (date(2032, 1, 1), "5y", YEAR, date(2026, 12, 31)),
        (date(2031, 12, 31), "5y", YEAR, date(2025, 12, 31)),
        (date(2030, 7, 1), "42m", YEAR, date(2026, 12, 31)),
        (date(2030, 6, 30), "42m", YEAR, date(2025, 12, 31)),
        (date(2026, 3, 11), "0d", NONE, date(2026, 3, 10)),
        (date(2026, 3, 1), "1m", NONE, date(2026, 1, 31)),
        (date(2026, 2, 28), "1m", NONE, date(2026, 1, 27)),
        (date(2026, 3, 31), "1m", NONE, date(2026, 2, 28)),
        (date(2025, 3, 1), "1y", NONE, date(2024, 2, 29)),
        (date(2026, 4, 1), "1m", MONTH, date(2026, 2, 28)),
        (date(2026, 3, 31), "1m", MONTH, date(2026, 1, 31)),
        (date(2026, 12, 11), "10d", MONTH, date(2026, 11, 30)),
        (date(2027, 1, 10), "10d", YEAR, date(2025, 12, 31)),
    ],
)
def test_cutoff_golden(day: date, period: str, rounding: Rounding, expected: date) -> None:
    """The latest anchor that is over on a day is the one worked out by hand."""
    assert cutoff(day, Period.parse(period), rounding) == expected


@pytest.mark.parametrize(
    ("written", "period"),
    [
        ("5y", Period(months=60)),
        ("42m", Period(months=42)),
        ("90d", Period(days=90)),
        ("0d", Period()),
        ("200y", Period(months=2400)),
        ("73200d", Period(days=73200)),
    ],
)
def test_parse(written: str, period: Period) -> None:
    """Years, months and days are read as written, up to two hundred years."""
    assert Period.parse(written) == period


@pytest.mark.parametrize(
    "written",
    ["", "5", "y", "5 y", "5Y", "-1y", "05y", "1.5y", "5y6m", "٣y", "201y", "2401m", "73201d"],
)
def test_parse_refuses(written: str) -> None:
    """Whatever is not a plain number with y, m or d, or is absurdly long, is refused."""
    with pytest.raises(ValueError, match=r"period|longer"):
        Period.parse(written)


@pytest.mark.parametrize("span", [(1, 1), (-1, 0), (0, -1)])
def test_no_mixed_or_negative_period(span: tuple[int, int]) -> None:
    """A span that cannot be counted backwards in one way cannot be made."""
    with pytest.raises(ValueError, match="months or of days"):
        Period(*span)


@pytest.mark.parametrize("written", ["5y", "11y", "42m", "90d", "0d"])
def test_written_as_read(written: str) -> None:
    """A period is shown as a policy writes it."""
    assert str(Period.parse(written)) == written


@pytest.mark.parametrize("rounding", list(Rounding))
def test_never_stays_never(rounding: Rounding) -> None:
    """The anchor 9999-12-31, which databases use for 'never', has no end before the calendar's."""
    assert until(date.max, Period.parse("5y"), rounding) == date.max
    assert until(date.max, Period(), rounding) == date.max


@pytest.mark.parametrize("rounding", list(Rounding))
def test_before_the_calendar(rounding: Rounding) -> None:
    """A period that reaches back before year 1 has the calendar's first day for a cut-off."""
    assert cutoff(date(3, 1, 1), Period.parse("5y"), rounding) == date.min
    assert cutoff(date.min, Period(), rounding) == date.min


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2024, 1, 30), 1, date(2024, 2, 29)),
        (date(2026, 1, 29), 1, date(2026, 2, 28)),
        (date(2026, 3, 31), -1, date(2026, 2, 28)),
        (date(2026, 12, 15), 1, date(2027, 1, 15)),
        (date(2026, 1, 15), -1, date(2025, 12, 15)),
        (date(2026, 5, 31), 0, date(2026, 5, 31)),
    ],
)
def test_add_months(day: date, months: int, expected: date) -> None:
    """Calendar months keep the day where the month has it, and end the month where not."""
    assert add_months(day, months) == expected
