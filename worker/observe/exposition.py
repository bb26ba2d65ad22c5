"""``/metrics``: what this process counted and what the ledger and the broker say, as text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import version
from itertools import chain

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from worker.context import Context
from worker.core.lifecycle import SweepState
from worker.ledger.batches import Lane
from worker.ledger.losses import Loss
from worker.observe.lag import GroupLag
from worker.observe.metrics import Measure, standing
from worker.observe.overview import Overview
from worker.observe.stores import State, StoreNow
from worker.observe.text import text

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4

Numbers = Mapping[tuple[str, ...], float]
"""A measure's numbers by the values of its labels."""


def exposition(context: Context, overview: Overview | None) -> bytes:
    """Write everything in Prometheus' text format.

    Without an overview (the ledger does not answer) what stands in it is missing: a number of
    before would look like one of now. So it is with Kafka's view when the broker does not tell.
    """
    own = context.metrics
    own.ledger_reachable.set(overview is not None)
    own.build.labels(version("erasure-worker"), context.policy.version).set(1)
    for store, connector in context.connectors.items():
        for pool, use in connector.pools().items():
            own.pool_used.labels(store, pool).set(use.used)
            own.pool_size.labels(store, pool).set(use.size)
    used, size = context.ledger.pool()
    own.pool_used.labels("", "ledger").set(used)
    own.pool_size.labels("", "ledger").set(size)
    for group, partitions in context.here.assignments.items():
        own.assigned.labels(group).set(partitions or 0)
    read: list[tuple[Measure, Numbers]] = []
    if overview is not None:
        read += of_overview(overview)
    read += of_groups(context.here.groups or {}, () if overview is None else overview.losses)
    return text(chain(own.registry.collect(), map(_family, read)))


def of_groups(
    groups: Mapping[str, GroupLag], losses: Iterable[Loss]
) -> Iterator[tuple[Measure, Numbers]]:
    """The numbers of Kafka's consumer groups, and of what is known to be lost."""
    beyond = {name: one.beyond for name, one in groups.items()}
    for one in losses:
        beyond[one.group] = max(one.messages, beyond.get(one.group, 0))
    yield standing.GROUP_LAG, {(name,): one.messages for name, one in groups.items()}
    yield standing.GROUP_BEYOND, {(name,): messages for name, messages in beyond.items()}


def of_overview(seen: Overview) -> Iterator[tuple[Measure, Numbers]]:
    """The numbers of an overview."""
    yield from _stores(seen)
    yield standing.UNSTOPPED, {(): seen.unstopped}
    yield standing.UNSTOPPED_OLDEST, {(): seen.unstopped_oldest or 0.0}
    yield standing.UNTOLD, {(): seen.untold}
    yield standing.STANDING, {(state.value,): n for state, n in seen.cases.items()}
    if seen.last_settled is not None:
        yield standing.SINCE_SETTLED, {(): (seen.at - seen.last_settled).total_seconds()}
    yield (
        standing.DEADLINE_CASES,
        {
            (state.value, used): cases
            for state, parts in seen.budget.parts.items()
            for used, cases in parts.items()
        },
    )
    yield standing.LATE, {(): seen.budget.late}
    yield standing.FORECAST_LATE, {(): seen.budget.forecast}
    yield (
        standing.NEAREST_DEADLINE,
        {(state.value,): days for state, (_, days) in seen.budget.nearest.items()},
    )
    yield from _sweeps(seen)
    yield standing.HOLDS, {(): seen.holds}
    yield standing.HOLDS_TO_REVIEW, {(): seen.holds_to_review}
    yield (
        standing.OBLIGATIONS_DUE,
        {(one.store,): seen.due.get(one.store, 0) for one in seen.stores},
    )
    kinds = [one.kind for one in seen.troubles]
    yield standing.TROUBLES, {(kind,): kinds.count(kind) for kind in kinds}
    yield standing.CLOCK_SKEW, {(): seen.skew}


def _stores(seen: Overview) -> Iterator[tuple[Measure, Numbers]]:
    def each(value: Iterable[tuple[StoreNow, float]]) -> Numbers:
        return {(one.store, one.lane.value): number for one, number in value}

    every = seen.stores
    people = [one for one in every if one.lane is Lane.PEOPLE]
    yield standing.STORE_LAG_COMMANDS, each((one, one.lag_commands) for one in every)
    yield standing.STORE_LAG_PEOPLE, each((one, one.lag_people) for one in every)
    yield standing.STORE_OLDEST, each((one, one.oldest or 0.0) for one in every)
    yield standing.STORE_IN_RATE, each((one, one.rate_in) for one in every)
    yield standing.STORE_OUT_RATE, each((one, one.rate_out) for one in every)
    yield standing.STORE_DRAIN, each((one, one.drain) for one in every)
    yield standing.STORE_AWAY, each((one, one.state is State.AWAY) for one in every)
    yield (
        standing.STORE_AWAY_SECONDS,
        each(
            (one, (seen.at - one.since).total_seconds() if _is_away(one) and one.since else 0.0)
            for one in every
        ),
    )
    yield (
        standing.STORE_STATE,
        {
            (one.store, one.lane.value, state.value): one.state is state
            for one in every
            for state in State
        },
    )
    yield standing.STORE_WORKERS, each((one, one.workers) for one in every)
    yield standing.STORE_DEAD_COMMANDS, {(one.store,): one.dead for one in people}
    yield standing.PLANNING_LAG, {(one.store,): one.unplanned for one in people}
    yield standing.PLANNING_OLDEST, {(one.store,): one.unplanned_oldest or 0.0 for one in people}


def _is_away(one: StoreNow) -> bool:
    return one.state is State.AWAY


def _sweeps(seen: Overview) -> Iterator[tuple[Measure, Numbers]]:
    states: dict[tuple[str, ...], float] = {}
    for sweep in seen.sweeps:
        key = sweep.store, sweep.state.value
        states[key] = states.get(key, 0) + 1
    yield standing.SWEEPS, states
    # One sweep of a store runs at a time.
    running = {one.store: one for one in seen.sweeps if one.state is SweepState.RUNNING}
    yield standing.SWEEP_DONE_ROWS, {(name,): one.rows for name, one in running.items()}
    yield (
        standing.SWEEP_EXPECTED_ROWS,
        {(name,): one.expected for name, one in running.items() if one.expected is not None},
    )
    yield standing.SWEEP_DONE_CHUNKS, {(name,): one.chunks for name, one in running.items()}


def _family(read: tuple[Measure, Numbers]) -> Metric:
    measure, numbers = read
    family = GaugeMetricFamily(measure.name, measure.help, labels=measure.labels, unit=measure.unit)
    for labels, number in numbers.items():
        family.add_metric(labels, float(number))
    return family
