"""What is the same in every worker: how things stand in the ledger and at the broker.

:mod:`worker.observe.exposition` tells them of one reading.
"""

from __future__ import annotations

from typing import Final

from worker.observe.metrics.measure import Kind, Measure, Source, measures


def _ledger(name: str, unit: str, text: str, *labels: str) -> Measure:
    return Measure(name, Kind.GAUGE, unit, text, labels, Source.LEDGER)


def _broker(name: str, unit: str, text: str, *labels: str) -> Measure:
    return Measure(name, Kind.GAUGE, unit, text, labels, Source.BROKER)


# --- What waits -----------------------------------------------------------------
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
    "How far a group's place lies beyond the end, or lay until somebody recovers it, and 1 where "
    "another message stands before the place: above 0 the broker has lost messages.",
    "group",
)

EVERY: Final = measures(list(globals().values()))
"""All of them, in the order of this file."""
