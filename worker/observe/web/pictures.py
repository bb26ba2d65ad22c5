"""Pictures as numbers: where a bar or a line goes. Templates draw them, words stand beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from worker.core.budget import LABELS, LATE

WIDTH: Final = 600.0
"""Of every picture, in its own units."""


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


def line(values: Sequence[float], height: float) -> str:
    """The points of a line over equal times, for a picture of ``WIDTH`` by ``height``."""
    if len(values) < 2:
        return ""
    most = max(values) or 1.0
    step = WIDTH / (len(values) - 1)
    return " ".join(
        f"{at * step:.1f},{height - 1 - (height - 2) * value / most:.1f}"
        for at, value in enumerate(values)
    )
