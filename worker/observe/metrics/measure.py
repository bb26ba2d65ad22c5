"""What a metric is: its name, its kind, its unit, whose number it is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """Prometheus' kinds of metrics that are used here."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


class Source(StrEnum):
    """Whose number it is."""

    PROCESS = "process"
    """What this process did or holds since it started: add up over all workers."""
    LEDGER = "ledger"
    """The same in every worker: take one, as ``max by (…)`` does."""
    BROKER = "broker"
    """What the broker says; the same in every worker."""


@dataclass(frozen=True, slots=True)
class Measure:
    """One metric. ``unit`` is the last word of its name (before ``_total``), or empty."""

    name: str
    kind: Kind
    unit: str
    help: str
    labels: tuple[str, ...] = ()
    source: Source = Source.PROCESS
    buckets: tuple[float, ...] = ()


def measures(found: Iterable[object]) -> tuple[Measure, ...]:
    """Pick the metrics out of what a module declares, in its order."""
    return tuple(one for one in found if isinstance(one, Measure))
