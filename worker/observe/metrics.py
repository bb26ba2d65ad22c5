"""Every metric once: its name, its unit, what it says and by what it is told apart.

Names follow Prometheus: base units, ``_total`` for what only grows, the unit last. Labels are few
and closed (stores, lanes, states, codes); none ever holds an identifier. What a process counts of
itself lives in :mod:`worker.observe.counted`, what all workers see alike is read from the ledger by
:mod:`worker.observe.exposition`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


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


_ALL: list[Measure] = []


def _add(measure: Measure) -> Measure:
    _ALL.append(measure)
    return measure


def _counter(name: str, unit: str, text: str, *labels: str) -> Measure:
    return _add(Measure(name, Kind.COUNTER, unit, text, labels))


def _gauge(name: str, unit: str, text: str, *labels: str) -> Measure:
    return _add(Measure(name, Kind.GAUGE, unit, text, labels))


def _ledger(name: str, unit: str, text: str, *labels: str) -> Measure:
    return _add(Measure(name, Kind.GAUGE, unit, text, labels, Source.LEDGER))


def _broker(name: str, unit: str, text: str, *labels: str) -> Measure:
    return _add(Measure(name, Kind.GAUGE, unit, text, labels, Source.BROKER))


def _histogram(
    name: str, unit: str, text: str, buckets: tuple[float, ...], *labels: str
) -> Measure:
    return _add(Measure(name, Kind.HISTOGRAM, unit, text, labels, buckets=buckets))


_MINUTE, _HOUR, _DAY = 60.0, 3600.0, 86400.0
SOON: Final = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, _MINUTE, 5 * _MINUTE, _HOUR, _DAY)
"""Buckets of what should be a matter of seconds."""
_DAYS: Final = (1, 3, 7, 14, 21, 28, 31, 60, 92)
LONG: Final = (1, 5, 30, _MINUTE, 10 * _MINUTE, _HOUR, 6 * _HOUR, *(n * _DAY for n in _DAYS))
"""Buckets of what may take until the legal deadline."""
# Each bucket is a line of every store, lane and kind: a scrape of twenty stores must stay cheap.
STATEMENT: Final = (0.001, 0.005, 0.025, 0.1, 0.5, 1, 5, 30)
PEOPLE: Final = (1, 10, 50, 100, 250, 500)

# --- Events in -----------------------------------------------------------------------------------
ACCEPTED_EVENTS = _counter(
    "erasure_accepted_events_total",
    "events",
    "Events that became a case; duplicates are none.",
    "kind",
)
REJECTED_EVENTS = _counter(
    "erasure_rejected_events_total",
    "events",
    "Events that nobody could read, answered on erasure.rejected with this reason.",
    "reason",
)
INTAKE_BATCH = _histogram(
    "erasure_intake_batch_events", "events", "Messages that intake took in at once.", PEOPLE
)
INTAKE_RETRIES = _counter(
    "erasure_intake_retries_total",
    "retries",
    "Times that intake had to try a batch again, because the ledger or the broker was away.",
)

# --- Commands ------------------------------------------------------------------------------------
ISSUED_COMMANDS = _counter(
    "erasure_issued_commands_total",
    "commands",
    "Commands that this process wrote for a store.",
    "store",
    "lane",
)
ISSUED_PEOPLE = _counter(
    "erasure_issued_people_total",
    "people",
    "People in the commands that this process wrote for a store.",
    "store",
    "lane",
)
SETTLED_COMMANDS = _counter(
    "erasure_settled_commands_total",
    "commands",
    "Commands that this process carried out, re-read and settled.",
    "store",
    "lane",
)
SETTLED_PEOPLE = _counter(
    "erasure_settled_people_total",
    "people",
    "People of settled commands who got an outcome that was re-read.",
    "store",
    "lane",
)
COMMAND_BATCH = _histogram(
    "erasure_command_batch_people",
    "people",
    "People in one command as it is carried out.",
    PEOPLE,
    "store",
    "lane",
)
COMMAND_SECONDS = _histogram(
    "erasure_command_seconds",
    "seconds",
    "From taking a command to its settlement in the ledger: effect, re-read, receipts.",
    STATEMENT,
    "store",
    "lane",
)
ATTEMPTS = _counter(
    "erasure_attempts_total",
    "attempts",
    "Attempts at commands and sweeps, the first one included.",
    "store",
    "lane",
)
RETRIES = _counter(
    "erasure_retries_total",
    "retries",
    "Attempts that failed and are tried again by themselves: why is store-away, misfit, "
    "ledger-away, broker-away or key-missing.",
    "store",
    "lane",
    "why",
)
REFUSED_TASKS = _counter(
    "erasure_refused_tasks_total",
    "tasks",
    "Tasks that a store refused (a constraint, a trigger), each alone after halving its command.",
    "store",
)
VERIFICATION_FAILURES = _counter(
    "erasure_verification_failures_total",
    "failures",
    "Tasks that the store said were done and whose data the re-read still found.",
    "store",
)
BURIED_COMMANDS = _counter(
    "erasure_buried_commands_total",
    "commands",
    "Commands that became dead letters: a task failed alone, and an operator must look.",
    "store",
)
STATEMENT_SECONDS = _histogram(
    "erasure_statement_seconds",
    "seconds",
    "One SQL statement in a store; pool is people or sweeps, kind read or write.",
    STATEMENT,
    "store",
    "pool",
    "kind",
)
BREAKER_OPEN = _gauge(
    "erasure_breaker_open",
    "",
    "1 while this process has paused a store's consumer because work must be tried again.",
    "store",
    "lane",
)
ASSIGNED = _gauge(
    "erasure_assigned_partitions",
    "partitions",
    "Partitions that this process reads; group is the consumer group.",
    "group",
)
POOL_USED = _gauge(
    "erasure_pool_used_connections",
    "connections",
    "Connections in use; pool is people or sweeps for a store, ledger for the ledger.",
    "store",
    "pool",
)
POOL_SIZE = _gauge(
    "erasure_pool_size_connections",
    "connections",
    "Connections that there may be at most.",
    "store",
    "pool",
)
SWEPT_ROWS = _counter(
    "erasure_swept_rows_total",
    "rows",
    "Rows that sweeps erased or overwrote; one counts for each of its field groups.",
    "store",
)
REDRIVEN = _counter(
    "erasure_redriven_items_total",
    "items",
    "What did not move and was driven again from the ledger: stops, plans, commands, answers, "
    "obligations, sweeps.",
    "what",
)

# --- Five clocks, from the event's own time ------------------------------------------------------
CLOCK_ACCEPTED = _histogram(
    "erasure_accepted_seconds", "seconds", "From the event to its case in the ledger.", SOON
)
CLOCK_STOPPED = _histogram(
    "erasure_stopped_seconds",
    "seconds",
    "From the event until the stop was published: nothing may be collected from then on.",
    SOON,
)
CLOCK_PLANNED = _histogram(
    "erasure_planned_seconds",
    "seconds",
    "From the event until every store knew what to do for the person.",
    LONG,
)
CLOCK_ERASED = _histogram(
    "erasure_erased_seconds",
    "seconds",
    "From the event until a store had erased, was re-read and has its receipt.",
    LONG,
    "store",
)
CLOCK_CLOSED = _histogram(
    "erasure_closed_seconds",
    "seconds",
    "From the event until its case closed: every store has an outcome.",
    LONG,
)
OBJECTIVE_MISSED = _counter(
    "erasure_objective_missed_cases_total",
    "cases",
    "Cases that took longer than the policy's objective for a clock: accepted, stopped, planned, "
    "erased, closed.",
    "clock",
)
OBJECTIVE = _gauge(
    "erasure_objective_seconds", "seconds", "The policy's objective for a clock.", "clock"
)

# --- What waits, from the ledger -----------------------------------------------------------------
LEDGER_REACHABLE = _gauge(
    "erasure_ledger_reachable",
    "",
    "1 when this scrape could read the ledger; with 0 everything read from it is missing.",
)
STORE_LAG_COMMANDS = _ledger(
    "erasure_store_lag_commands", "commands", "Open commands of a store.", "store", "lane"
)
STORE_LAG_PEOPLE = _ledger(
    "erasure_store_lag_people", "people", "People in the open commands of a store.", "store", "lane"
)
STORE_OLDEST = _ledger(
    "erasure_store_oldest_seconds",
    "seconds",
    "Age of the oldest open command of a store; 0 when there is none.",
    "store",
    "lane",
)
STORE_IN_RATE = _ledger(
    "erasure_store_in_rate",
    "",
    "People a second in the commands written for a store, over the last minute.",
    "store",
    "lane",
)
STORE_OUT_RATE = _ledger(
    "erasure_store_out_rate",
    "",
    "People a second in the commands settled by a store, over the last minute.",
    "store",
    "lane",
)
STORE_DRAIN = _ledger(
    "erasure_store_drain_seconds",
    "seconds",
    "Lag in people over the net rate: 0 without lag, +Inf when the lag does not shrink.",
    "store",
    "lane",
)
STORE_AWAY = _ledger(
    "erasure_store_away",
    "",
    "1 when a worker that serves the store has found it away, or not fitting the policy.",
    "store",
    "lane",
)
STORE_STATE = _ledger(
    "erasure_store_state",
    "",
    "1 for the state that a store is in: serving, away, paused, draining, asks or unserved.",
    "store",
    "lane",
    "state",
)
STORE_AWAY_SECONDS = _ledger(
    "erasure_store_away_seconds",
    "seconds",
    "How long it is away; 0 when it is not.",
    "store",
    "lane",
)
STORE_WORKERS = _ledger(
    "erasure_store_workers", "workers", "Workers that serve a store.", "store", "lane"
)
STORE_DEAD_COMMANDS = _ledger(
    "erasure_store_dead_commands", "commands", "Dead letters of a store.", "store"
)
PLANNING_LAG = _ledger(
    "erasure_planning_lag_people",
    "people",
    "People who are not yet looked up for good in a store.",
    "store",
)
PLANNING_OLDEST = _ledger(
    "erasure_planning_oldest_seconds",
    "seconds",
    "Age of the oldest batch that is not yet looked up for good in a store.",
    "store",
)
UNSTOPPED = _ledger(
    "erasure_unstopped_cases", "cases", "Cases whose stop is not known to be published."
)
UNSTOPPED_OLDEST = _ledger(
    "erasure_unstopped_oldest_seconds",
    "seconds",
    "Age of the oldest case whose stop is not known to be published.",
)
UNTOLD = _ledger(
    "erasure_untold_answers",
    "answers",
    "Settled transactions whose receipts and completions are not known to be published.",
)
STANDING = _ledger(
    "erasure_standing_cases",
    "cases",
    "Cases that have not ended; state is open, parked or held.",
    "state",
)
SINCE_SETTLED = _ledger(
    "erasure_last_settled_seconds",
    "seconds",
    "Since any store last settled anything; missing when none ever has.",
)

# --- Deadlines -----------------------------------------------------------------------------------
DEADLINE_CASES = _ledger(
    "erasure_deadline_cases",
    "cases",
    "Standing cases by the part of their legal time that is used: 0.25, 0.5, 0.75, 0.9, 1 or late.",
    "state",
    "used",
)
LATE = _ledger("erasure_deadline_late_cases", "cases", "Open cases whose legal deadline is over.")
FORECAST_LATE = _ledger(
    "erasure_deadline_forecast_late_cases",
    "cases",
    "Open cases that are late or will be, if stores go on as they do now.",
)
NEAREST_DEADLINE = _ledger(
    "erasure_deadline_nearest_days",
    "days",
    "Working days left of the nearest deadline of a standing case; negative when it is over.",
    "state",
)

# --- Sweeps, holds, obligations ------------------------------------------------------------------
SWEEPS = _ledger(
    "erasure_sweeps", "sweeps", "Sweeps that have not ended, by state.", "store", "state"
)
SWEEP_DONE_ROWS = _ledger(
    "erasure_sweep_done_rows", "rows", "Rows that the running sweep has erased so far.", "store"
)
SWEEP_EXPECTED_ROWS = _ledger(
    "erasure_sweep_expected_rows",
    "rows",
    "Rows that the running sweep counted before it began.",
    "store",
)
SWEEP_DONE_CHUNKS = _ledger(
    "erasure_sweep_done_chunks",
    "chunks",
    "Chunks that the running sweep went through; one that stands still does not grow.",
    "store",
)
HOLDS = _ledger("erasure_holds", "holds", "Holds that stand.")
HOLDS_TO_REVIEW = _ledger(
    "erasure_review_due_holds", "holds", "Holds that stand past their review date."
)
OBLIGATIONS_DUE = _ledger(
    "erasure_due_obligations",
    "obligations",
    "Obligations whose day has come and that nobody has looked at again.",
    "store",
)
TROUBLES = _ledger(
    "erasure_troubles",
    "troubles",
    "What erasure status says is wrong, by kind; nothing when all is well.",
    "kind",
)
CLOCK_SKEW = _ledger(
    "erasure_clock_skew_seconds",
    "seconds",
    "This worker's clock less the ledger's; 0 when they share one.",
)

# --- Kafka ---------------------------------------------------------------------------------------
GROUP_LAG = _broker(
    "erasure_group_lag_messages",
    "messages",
    "Messages between what a consumer group has committed and the end of its topics.",
    "group",
)
GROUP_BEYOND = _broker(
    "erasure_group_beyond_end_messages",
    "messages",
    "How far a group's committed offsets lie beyond the end: above 0 the broker has lost data.",
    "group",
)

# --- The worker itself ---------------------------------------------------------------------------
BUILD = _gauge(
    "erasure_build_info", "", "Always 1; the versions are in the labels.", "version", "policy"
)

EVERY: Final = tuple(_ALL)
"""All of them, in the order of this file."""
