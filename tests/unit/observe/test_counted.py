"""What a process counts: batches of times counted as one by one, objectives that were missed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry
from prometheus_client import Histogram as Theirs
from prometheus_client.utils import floatToGoString

from worker.core.objectives import Clock, Objectives
from worker.observe.counted import Metrics
from worker.observe.histogram import Histogram
from worker.observe.metrics.process import CLOCK_PLANNED

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)


@given(st.lists(st.lists(st.floats(0, 1e7), max_size=20), max_size=5))
def test_batches_are_counted_as_the_library_counts_one_by_one(batches: list[list[float]]) -> None:
    """The same buckets, the same count and the same sum, whatever the times are."""
    mine, theirs = CollectorRegistry(), CollectorRegistry()
    times = Histogram(CLOCK_PLANNED)
    mine.register(times)
    name = CLOCK_PLANNED.name.removesuffix("_seconds")
    one_by_one = Theirs(
        name, CLOCK_PLANNED.help, unit="seconds", buckets=CLOCK_PLANNED.buckets, registry=theirs
    )
    for batch in batches:
        times.observe((), batch)
        for seconds in batch:
            one_by_one.observe(seconds)
    for upto in [*map(float, CLOCK_PLANNED.buckets), float("inf")]:
        label = {"le": str(floatToGoString(upto))}  # type: ignore[no-untyped-call] # the client has no types here
        counted = mine.get_sample_value("erasure_planned_seconds_bucket", label)
        assert counted is not None
        assert counted == theirs.get_sample_value("erasure_planned_seconds_bucket", label)
    sums = [one.get_sample_value("erasure_planned_seconds_sum") or 0.0 for one in (mine, theirs)]
    assert abs(sums[0] - sums[1]) <= 1e-9 * max(sums)


def test_a_clock_tells_who_missed_the_objective() -> None:
    """Of three cases one took too long; an event from the future took no time."""
    metrics = Metrics(Objectives(stopped=60))
    metrics.clock(Clock.STOPPED, [NOW - timedelta(seconds=s) for s in (60, 61, -5)], NOW)
    value = metrics.registry.get_sample_value
    assert value("erasure_stopped_seconds_count") == 3
    assert value("erasure_stopped_seconds_sum") == 121
    assert value("erasure_stopped_seconds_bucket", {"le": "0.1"}) == 1
    assert value("erasure_objective_missed_cases_total", {"clock": "stopped"}) == 1
    assert value("erasure_objective_missed_cases_total", {"clock": "erased"}) == 0
    assert value("erasure_objective_seconds", {"clock": "stopped"}) == 60


def test_each_store_has_its_own_erase_clock() -> None:
    """A slow store hides behind no fast one."""
    metrics = Metrics()
    metrics.clock(Clock.ERASED, [NOW], NOW, store="crm")
    metrics.clock(Clock.ERASED, [NOW, NOW], NOW, store="billing")
    value = metrics.registry.get_sample_value
    assert value("erasure_erased_seconds_count", {"store": "crm"}) == 1
    assert value("erasure_erased_seconds_count", {"store": "billing"}) == 2
