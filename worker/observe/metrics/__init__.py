"""Every metric once: its name, its unit, what it says and by what it is told apart.

Names follow Prometheus: base units, ``_total`` for what only grows, the unit last. Labels are few
and closed (stores, lanes, states, codes); none ever holds an identifier.
"""

from __future__ import annotations

from typing import Final

from worker.observe.metrics import process, standing
from worker.observe.metrics.measure import Kind, Measure, Source

__all__ = ["EVERY", "Kind", "Measure", "Source", "process", "standing"]

EVERY: Final = (*process.EVERY, *standing.EVERY)
"""All of them; ``docs/metrics.md`` is made of it."""
