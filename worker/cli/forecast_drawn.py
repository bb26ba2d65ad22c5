"""A forecast as a picture: one SVG file that needs nothing else, in light and in dark.

Bars by interval, stacked by store. The colours are those of Okabe and Ito, which people who see
colours differently can tell apart.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from html import escape

from worker.core.forecasting import Interval, StoreForecast

_COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442")
_WIDTH, _HEIGHT = 960, 480
_LEFT, _RIGHT, _TOP, _BOTTOM = 80, 24, 96, 112
_STEPS = 5
"""Lines across the chart, at the most."""
_STYLE = """
  text { font: 13px system-ui, sans-serif; fill: #24292f; }
  .title { font-size: 18px; font-weight: 600; }
  .quiet { fill: #57606a; }
  .line { stroke: #d0d7de; }
  .paper { fill: #ffffff; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; }
    .quiet { fill: #9198a1; }
    .line { stroke: #3d444d; }
    .paper { fill: #0d1117; }
  }
"""


def chart(today: date, ahead: Sequence[Interval], found: Sequence[StoreForecast]) -> str:
    """Draw the rows that fall due now and in each interval."""
    names = ["due now", *(one.name for one in ahead)]
    bars = [store.rows_due(len(ahead)) for store in found]
    sums = [sum(rows) for rows in zip(*bars, strict=True)] or [0] * len(names)
    title = f"What falls due until {ahead[-1].last}"
    scale = _Scale(len(names), max(sums))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        f'role="img" aria-label="{escape(title)}">',
        f"<title>{escape(title)}</title>",
        f"<style>{_STYLE}</style>",
        f'<rect class="paper" width="{_WIDTH}" height="{_HEIGHT}"/>',
        f'<text class="title" x="{_LEFT}" y="32">{escape(title)}</text>',
        *_legend([store.store for store in found]),
        *_across(scale),
        *_stacks(scale, names, [store.store for store in found], bars),
        *_below(scale, names),
        *(
            f'<text class="quiet" x="{_LEFT}" y="{_HEIGHT - 32 + 18 * at}">{escape(line)}</text>'
            for at, line in enumerate(_notes(today, found))
        ),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


class _Scale:
    """Where a number of rows and an interval are on the paper."""

    def __init__(self, bars: int, most: int) -> None:
        self.step = _round(max(most, 1) / _STEPS)
        self.top = self.step * -(-max(most, 1) // self.step)
        self.slot = (_WIDTH - _LEFT - _RIGHT) / bars

    def y(self, rows: float) -> float:
        """The height of a number of rows, from the top of the paper."""
        return _HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM) * rows / self.top

    def x(self, bar: int) -> float:
        """The left edge of a bar's slot."""
        return _LEFT + self.slot * bar


def _round(step: float) -> int:
    """The next number that reads well: 1, 2 or 5 with zeros."""
    size = 1
    while size * 10 < step:
        size *= 10
    return next(size * n for n in (1, 2, 5, 10) if size * n >= step)


def _across(scale: _Scale) -> Iterator[str]:
    for rows in range(0, scale.top + 1, scale.step):
        y = scale.y(rows)
        yield (
            f'<line class="line" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
            f'<text class="quiet" x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{rows:,}</text>'
        )
    middle = (_TOP + _HEIGHT - _BOTTOM) / 2
    yield (
        f'<text class="quiet" x="18" y="{middle:.1f}" text-anchor="middle" '
        f'transform="rotate(-90 18 {middle:.1f})">rows falling due</text>'
    )


def _stacks(
    scale: _Scale, names: Sequence[str], stores: Sequence[str], bars: Sequence[Sequence[int]]
) -> Iterator[str]:
    width = scale.slot * 0.7
    for at, name in enumerate(names):
        below = 0
        for number, (store, rows) in enumerate(zip(stores, bars, strict=True)):
            if not rows[at]:
                continue
            top, bottom = scale.y(below + rows[at]), scale.y(below)
            below += rows[at]
            yield (
                f'<rect x="{scale.x(at) + scale.slot * 0.15:.1f}" y="{top:.1f}" '
                f'width="{width:.1f}" height="{bottom - top:.1f}" fill="{_colour(number)}">'
                f"<title>{escape(store)}, {escape(name)}: {rows[at]:,} rows</title></rect>"
            )


def _below(scale: _Scale, names: Sequence[str]) -> Iterator[str]:
    """Name the intervals, as many as can be read."""
    every = max(1, round(24 / scale.slot + 0.5))
    y = _HEIGHT - _BOTTOM + 16
    for at, name in enumerate(names):
        if at and at % every:
            continue
        x = scale.x(at) + scale.slot / 2
        yield (
            f'<text class="quiet" x="{x:.1f}" y="{y}" text-anchor="end" '
            f'transform="rotate(-40 {x:.1f} {y})">{escape(name)}</text>'
        )


def _legend(stores: Sequence[str]) -> Iterator[str]:
    x, y = _LEFT, 48
    for number, store in enumerate(stores):
        width = 44 + 8 * len(store)
        if x + width > _WIDTH:
            x, y = _LEFT, y + 20
        yield (
            f'<rect x="{x}" y="{y}" width="13" height="13" fill="{_colour(number)}"/>'
            f'<text x="{x + 20}" y="{y + 11}">{escape(store)}</text>'
        )
        x += width


def _colour(number: int) -> str:
    return _COLOURS[number % len(_COLOURS)]


def _notes(today: date, found: Sequence[StoreForecast]) -> tuple[str, str]:
    groups = [group for store in found for group in store.groups]
    said = {
        "later": sum(group.later.rows for group in groups),
        "until the person says so": sum(group.until_revoked.rows for group in groups),
        "without an end yet": sum(group.no_end_yet.rows for group in groups),
        "with a date missing": sum(group.unknown_anchor.rows for group in groups),
    }
    rest = ", ".join(f"{rows:,} {words}" for words, rows in said.items())
    return f"Counted on {today}; a row counts for each of its field groups.", f"Not shown: {rest}."
