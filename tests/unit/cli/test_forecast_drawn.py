"""The picture of a forecast is well-formed, complete, and as high as its numbers say."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from datetime import date
from itertools import pairwise

import pytest

from worker.cli.forecast_drawn import chart
from worker.core.forecasting import By, Count, GroupForecast, StoreForecast, intervals

TODAY = date(2026, 11, 25)
SVG = "{http://www.w3.org/2000/svg}"


def group(*due: int, now: int = 0) -> GroupForecast:
    """A field group of which so many rows fall due now and in each interval."""
    counts = tuple(Count(rows, rows) for rows in due)
    none = Count()
    return GroupForecast(
        "t",
        "t.f",
        ("f",),
        ("name",),
        ("g",),
        Count(now, now),
        counts,
        Count(7, 7),
        none,
        none,
        none,
    )


def drawn(*stores: tuple[str, GroupForecast], until: date) -> ET.Element:
    """The chart of some stores, read back."""
    ahead = intervals(TODAY, until, By.MONTH)
    found = [StoreForecast(name, (one,)) for name, one in stores]
    return ET.fromstring(chart(TODAY, ahead, found))  # noqa: S314 - made here, by ourselves


def bars(svg: ET.Element) -> dict[str, tuple[float, float]]:
    """Each bar's top and height, by what it says when pointed at."""
    return {
        title.text or "": (float(rect.attrib["y"]), float(rect.attrib["height"]))
        for rect in svg.iter(f"{SVG}rect")
        if (title := rect.find(f"{SVG}title")) is not None
    }


def test_bars_are_stacked_and_as_high_as_their_rows() -> None:
    """Twice the rows are twice as high, one store stands on the other, zero has no bar."""
    svg = drawn(("crm", group(10, 0, now=5)), ("a<b", group(20, 40)), until=date(2026, 12, 31))
    found = bars(svg)
    assert set(found) == {
        "crm, due now: 5 rows", "crm, 2026-11: 10 rows", "a<b, 2026-11: 20 rows",
        "a<b, 2026-12: 40 rows",
    }  # fmt: skip
    low, high = found["crm, 2026-11: 10 rows"], found["a<b, 2026-11: 20 rows"]
    assert high[1] == pytest.approx(2 * low[1], abs=0.2)
    assert high[0] + high[1] == pytest.approx(low[0], abs=0.2)


def test_the_chart_explains_itself() -> None:
    """Title, axis, legend and what is not shown are in it, with colours for light and dark."""
    svg = drawn(("crm", group(1, 2)), ("billing", group(3, 4)), until=date(2026, 12, 31))
    said = [text.text for text in svg.iter(f"{SVG}text")]
    assert "What falls due until 2026-12-31" in said
    assert {"crm", "billing", "due now", "2026-11", "2026-12", "rows falling due"} <= set(said)
    assert any("14 later" in (one or "") for one in said)
    style = svg.find(f"{SVG}style")
    assert style is not None
    assert "prefers-color-scheme: dark" in (style.text or "")
    assert "http" not in re.sub(r'xmlns="[^"]*"', "", ET.tostring(svg, "unicode").split(">", 1)[1])


@pytest.mark.parametrize("until", [date(2026, 11, 26), date(2066, 1, 1)])
def test_few_and_many_intervals(until: date) -> None:
    """One interval or forty years of months: names do not lie on one another, nothing overflows."""
    count = len(intervals(TODAY, until, By.MONTH))
    svg = drawn(("crm", group(*[1] * count)), until=until)
    turned = [t for t in svg.iter(f"{SVG}text") if "rotate(-40" in t.attrib.get("transform", "")]
    places = [float(text.attrib["x"]) for text in turned]
    assert all(b - a >= 20 for a, b in pairwise(places))
    assert all(top >= 0 and top + height <= 480 for top, height in bars(svg).values())


def test_nothing_falls_due() -> None:
    """A chart of nothing is still a chart."""
    assert bars(drawn(("crm", group(0)), until=date(2026, 11, 30))) == {}
