"""Pictures as numbers: where a bar or a line goes. Templates draw them, words stand beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from worker.core.budget import LABELS, LATE
from worker.ledger.samples import EVERY, KEPT, PART, Part

WIDTH: Final = 600.0
"""Of every picture, in its own units."""
TREND_HEIGHT: Final = 40.0
_PARTS: Final = KEPT // PART
_STEP: Final = WIDTH / _PARTS


@dataclass(frozen=True, slots=True)
class Bar:
    """One part of the legal time: ``upto`` in percent, None for what is late."""

    label: str
    upto: int | None
    cases: int
    width: float
    late: bool


def budget_bars(parts: Mapping[str, int]) -> list[Bar]:
    """One bar for each part of the legal time, the widest as wide as the picture."""
    most = max(parts.values(), default=0) or 1
    return [
        Bar(
            label,
            None if label == LATE else round(float(label) * 100),
            parts.get(label, 0),
            # One case among a million is seen.
            max(2.0, WIDTH * parts.get(label, 0) / most) if parts.get(label, 0) else 0.0,
            label == LATE,
        )
        for label in LABELS
    ]


@dataclass(frozen=True, slots=True)
class Trend:
    """A store's last day. ``lines`` are the points of its lag, one for each unbroken time.

    ``away`` are the left edge and the width of the times it was away. ``most`` is in people,
    ``away_seconds`` says how long it was away in all.
    """

    lines: tuple[str, ...]
    away: tuple[tuple[float, float], ...]
    most: int
    away_seconds: float


def trend(parts: Sequence[Part], now: datetime) -> Trend:
    """Draw the parts of a day, the oldest first.

    A time in which no worker ran is left open: nobody knows how it was.
    """
    lags: dict[int, int] = {}
    away: set[int] = set()
    for one in parts:
        at = _PARTS - 1 - max(0, int((now - one.at) / PART))
        if at >= 0:
            lags[at] = max(lags.get(at, 0), one.lag)
            if one.away:
                away.add(at)
    most = max(lags.values(), default=0)
    return Trend(
        tuple(
            " ".join(
                f"{x:.0f},{TREND_HEIGHT - 2 - (TREND_HEIGHT - 4) * lags[at] / (most or 1):.1f}"
                for at in run
                for x in (at * _STEP, (at + 1) * _STEP)
            )
            for run in _runs(sorted(lags))
        ),
        tuple((run[0] * _STEP, len(run) * _STEP) for run in _runs(sorted(away))),
        most,
        sum(one.away for one in parts) * EVERY.total_seconds(),
    )


def _runs(numbers: Sequence[int]) -> list[list[int]]:
    """Rising numbers, cut where one is missing."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and runs[-1][-1] == number - 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return runs
