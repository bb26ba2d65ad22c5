"""The text of a scrape is the library's, to the letter."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
)
from prometheus_client.registry import Collector

from worker.observe.text import text

NAMES = st.lists(st.text("abcxyz", min_size=1, max_size=4), min_size=1, max_size=3).map("_".join)
WORDS = st.text(max_size=12)
NUMBERS = st.floats() | st.integers(-(10**20), 10**20).map(float)


class Given(Collector):
    """Families as a registry of the library takes them."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = list(families)

    def collect(self) -> Iterable[Metric]:
        return self._families


def theirs(families: Iterable[Metric]) -> bytes:
    """What the library writes."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Given(families))
    return generate_latest(registry)


@st.composite
def family(draw: st.DrawFn) -> Metric:
    """A family of a kind that the worker has, with any labels, numbers and words."""
    name, said = draw(NAMES), draw(WORDS)
    labels = draw(st.lists(NAMES, max_size=3, unique=True))
    kind: Callable[..., Metric] = draw(
        st.sampled_from([CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily])
    )
    made = kind(name, said, labels=labels)
    for _ in range(draw(st.integers(0, 3))):
        values = [draw(WORDS) for _ in labels]
        if isinstance(made, HistogramMetricFamily):
            ends = [*sorted(draw(st.sets(st.floats(0, 1e9), max_size=3))), float("inf")]
            buckets = [(str(end), draw(NUMBERS)) for end in ends]
            made.add_metric(values, buckets, draw(NUMBERS))
        elif isinstance(made, CounterMetricFamily | GaugeMetricFamily):
            made.add_metric(values, draw(NUMBERS))
    return made


@given(st.lists(family(), max_size=4))
@example([GaugeMetricFamily("none", 'said "so\\\n"')])
def test_it_is_what_the_library_writes(families: list[Metric]) -> None:
    """Whatever stands in labels and help, and however large, small or infinite a number is."""
    assert text(families) == theirs(families)


def test_a_kind_that_nobody_uses_is_refused() -> None:
    """Rather than written in a way that nobody has compared."""
    with pytest.raises(ValueError, match="info"):
        text([InfoMetricFamily("build", "Versions.")])
