"""What one process counts of itself: counters, histograms and gauges in a registry of its own.

Given to whatever does the work by ``Context.metrics``. Nothing here is kept: a process that starts
begins with nothing, and what another one did is never counted again.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, disable_created_metrics

from worker.core.objectives import Clock, Objectives
from worker.ledger.batches import Lane
from worker.observe.histogram import Histogram
from worker.observe.metrics import Measure, process

_CLOCKS: Final = {
    Clock.ACCEPTED: process.CLOCK_ACCEPTED,
    Clock.STOPPED: process.CLOCK_STOPPED,
    Clock.PLANNED: process.CLOCK_PLANNED,
    Clock.ERASED: process.CLOCK_ERASED,
    Clock.CLOSED: process.CLOCK_CLOSED,
}

# Each number would come a second time, as the moment from which it counts.
disable_created_metrics()  # type: ignore[no-untyped-call] # the client has no types here


class Metrics:
    """One process's own numbers; each attribute is a metric of :mod:`worker.observe.metrics`."""

    def __init__(self, objectives: Objectives | None = None) -> None:
        self.objectives = objectives or Objectives()
        self.registry = CollectorRegistry(auto_describe=False)
        self.accepted_events = self._counter(process.ACCEPTED_EVENTS)
        self.rejected_events = self._counter(process.REJECTED_EVENTS)
        self.intake_batch = self._histogram(process.INTAKE_BATCH)
        self.intake_retries = self._counter(process.INTAKE_RETRIES)
        self.issued_commands = self._counter(process.ISSUED_COMMANDS)
        self.issued_people = self._counter(process.ISSUED_PEOPLE)
        self.settled_commands = self._counter(process.SETTLED_COMMANDS)
        self.settled_people = self._counter(process.SETTLED_PEOPLE)
        self.command_batch = self._histogram(process.COMMAND_BATCH)
        self.command_seconds = self._histogram(process.COMMAND_SECONDS)
        self.attempts = self._counter(process.ATTEMPTS)
        self.retries = self._counter(process.RETRIES)
        self.refused_tasks = self._counter(process.REFUSED_TASKS)
        self.verification_failures = self._counter(process.VERIFICATION_FAILURES)
        self.buried_commands = self._counter(process.BURIED_COMMANDS)
        self.statement_seconds = self._histogram(process.STATEMENT_SECONDS)
        self.breaker_open = self._gauge(process.BREAKER_OPEN)
        self.assigned = self._gauge(process.ASSIGNED)
        self.pool_used = self._gauge(process.POOL_USED)
        self.pool_size = self._gauge(process.POOL_SIZE)
        self.swept_rows = self._counter(process.SWEPT_ROWS)
        self.redriven = self._counter(process.REDRIVEN)
        self.ledger_reachable = self._gauge(process.LEDGER_REACHABLE)
        self.build = self._gauge(process.BUILD)
        self._clocks = {clock: self._histogram(measure) for clock, measure in _CLOCKS.items()}
        self._missed = self._counter(process.OBJECTIVE_MISSED)
        objective = self._gauge(process.OBJECTIVE)
        for clock in Clock:
            objective.labels(clock.value).set(self.objectives.of(clock))
            # From the start at nothing: an alarm sees the first one that is missed.
            self._missed.labels(clock.value)

    def begin(self, stores: Iterable[str]) -> None:
        """Begin at nothing for each store: an alarm sees the first that is counted."""
        for store in stores:
            for lane in Lane:
                for each in (
                    self.attempts,
                    self.issued_commands,
                    self.issued_people,
                    self.settled_commands,
                    self.settled_people,
                ):
                    each.labels(store, lane.value)
            for one in (
                self.refused_tasks,
                self.verification_failures,
                self.buried_commands,
                self.swept_rows,
            ):
                one.labels(store)

    def statement(self, store: str, pool: str, kind: str, seconds: float) -> None:
        """Count one statement in a store; see :data:`connectors.base.Timed`."""
        self.statement_seconds.observe((store, pool, kind), (seconds,))

    def clock(
        self, clock: Clock, events: Iterable[datetime], now: datetime, *, store: str | None = None
    ) -> None:
        """Stop a clock for cases whose events were at these moments; call it after the commit.

        An event from the future, within what intake lets pass, took no time.
        """
        seconds = [max(0.0, (now - event).total_seconds()) for event in events]
        self._clocks[clock].observe(() if store is None else (store,), seconds)
        limit = self.objectives.of(clock)
        missed = sum(1 for one in seconds if one > limit)
        if missed:
            self._missed.labels(clock.value).inc(missed)

    def _counter(self, measure: Measure) -> Counter:
        name, unit = _parts(measure)
        return Counter(name, measure.help, measure.labels, unit=unit, registry=self.registry)

    def _gauge(self, measure: Measure) -> Gauge:
        name, unit = _parts(measure)
        return Gauge(name, measure.help, measure.labels, unit=unit, registry=self.registry)

    def _histogram(self, measure: Measure) -> Histogram:
        made = Histogram(measure)
        self.registry.register(made)
        return made


def _parts(measure: Measure) -> tuple[str, str]:
    """The name as the library wants it, which puts ``_total`` and nothing else behind it."""
    return measure.name.removesuffix("_total"), measure.unit
