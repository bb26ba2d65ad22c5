"""A histogram that takes the numbers of a whole batch at once.

Of 500 people five clocks stop, one of them in every store. Observed one by one by the library that
cost 3 to 9 µs each, a twentieth of the whole path's time; sorted and counted by bucket it is a
tenth of that. One number alone costs no more than in the library, and a scrape half.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate

from prometheus_client.core import HistogramMetricFamily
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from worker.observe.metrics import Measure


class Histogram(Collector):
    """A histogram of a measure. Nothing is told under labels under which nothing was observed."""

    def __init__(self, measure: Measure) -> None:
        self._measure = measure
        self._counts: dict[tuple[str, ...], list[int]] = {}
        self._sums: dict[tuple[str, ...], float] = {}
        if not measure.labels:
            self.observe((), ())

    def observe(self, labels: tuple[str, ...], numbers: Sequence[float]) -> None:
        """Count some numbers under the values of the labels."""
        counts = self._counts.setdefault(labels, [0] * (len(self._measure.buckets) + 1))
        self._sums[labels] = self._sums.get(labels, 0.0) + sum(numbers)
        ordered, before = sorted(numbers), 0
        for at, upto in enumerate(self._measure.buckets):
            within = bisect_right(ordered, upto)
            counts[at] += within - before
            before = within
        counts[-1] += len(ordered) - before

    def collect(self) -> Iterable[HistogramMetricFamily]:
        """Give what was counted, as Prometheus adds it up."""
        measure = self._measure
        family = HistogramMetricFamily(
            measure.name, measure.help, labels=measure.labels, unit=measure.unit
        )
        ends = [*map(floatToGoString, measure.buckets), "+Inf"]
        for labels, counts in self._counts.items():
            upto: Iterator[float] = accumulate(counts)
            family.add_metric(labels, list(zip(ends, upto, strict=True)), self._sums[labels])
        yield family
