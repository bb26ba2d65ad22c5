"""What a process counts of itself: events, commands, sweeps, the five clocks.

:mod:`worker.observe.counted` counts them.
"""

from __future__ import annotations

from typing import Final

from worker.observe.metrics.measure import Kind, Measure, measures


def _counter(name: str, unit: str, text: str, *labels: str) -> Measure:
    return Measure(name, Kind.COUNTER, unit, text, labels)


def _gauge(name: str, unit: str, text: str, *labels: str) -> Measure:
    return Measure(name, Kind.GAUGE, unit, text, labels)


def _histogram(
    name: str, unit: str, text: str, buckets: tuple[float, ...], *labels: str
) -> Measure:
    return Measure(name, Kind.HISTOGRAM, unit, text, labels, buckets=buckets)


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
    "obligations, sweeps, sweeps_told.",
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

# --- The worker itself ---------------------------------------------------------------------------
BUILD = _gauge(
    "erasure_build_info", "", "Always 1; the versions are in the labels.", "version", "policy"
)
LEDGER_REACHABLE = _gauge(
    "erasure_ledger_reachable",
    "",
    "1 when this scrape could read the ledger; with 0 everything read from it is missing.",
)

EVERY: Final = measures(list(globals().values()))
"""All of them, in the order of this file."""
