"""Where a sweep stands, in words, and what a person may do about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from worker.core.brake import words as brake_words
from worker.core.lifecycle import SweepState
from worker.ledger.sweeps import Sweep

STATES: Mapping[SweepState, str] = {
    SweepState.WAITING: "waits for a worker, its hours or a sweep before it",
    SweepState.BRAKED: "asks before it begins",
    SweepState.RUNNING: "is at work",
    SweepState.PAUSED: "is paused",
    SweepState.CANCELLING: "is being cancelled, as soon as its last chunk is settled",
    SweepState.DONE: "is done",
    SweepState.CANCELLED: "was cancelled",
    SweepState.FAILED: "has failed",
}
WHYS: Mapping[str, str] = {
    "hours": "outside the hours in which it may work, until {until}",
    "paused": "paused by {by}: {because}",
    "resumed": "resumed by {by}",
    "cancelled": "cancelled by {by}: {because}",
    "store-paused": "an operator lets its store rest; see: erasure stores list",
    "worker-stopped": "its worker was stopped; another one takes it up",
    "rule-not-in-policy": "the policy no longer has its table or ground",
    "not-gone": "{rows} rows that are past their last ground are still there",
}


def rule(sweep: Sweep) -> str:
    """What a sweep is about: ``billing``, ``billing.invoice``, ``billing, ground contract``."""
    store = sweep.store if sweep.table is None else f"{sweep.store}.{sweep.table}"
    return store if sweep.ground is None else f"{store}, ground {sweep.ground}"


def why(reason: Mapping[str, Any] | None) -> str:
    """Why a sweep waits, asks or failed."""
    if reason is None:
        return ""
    code = str(reason.get("why", ""))
    if code == "brake":
        return brake_words(reason)
    try:
        told = WHYS[code].format_map(reason)
    except KeyError:
        return code
    apart = ", ".join(f"{people} ({what})" for what, people in reason.get("apart", {}).items())
    return f"{told}; people whom the store would not let go: {apart}" if apart else told


def todo(sweep: Sweep) -> str:
    """The command that a person may give next; empty where there is nothing to do."""
    match sweep.state:
        case SweepState.BRAKED:
            return (
                f"see what it would do: erasure retention plan --store {sweep.store} --as-of "
                f"{sweep.as_of}; then: erasure retention approve {sweep.id} --by NAME --reason "
                f"TEXT, or: erasure retention cancel {sweep.id} --by NAME --reason TEXT"
            )
        case SweepState.PAUSED:
            return f"erasure retention resume {sweep.id} --by NAME"
        case SweepState.FAILED:
            rest = f" --table {sweep.table}" if sweep.table else ""
            return f"mend the store, then: erasure retention run --store {sweep.store}{rest}"
        case _:
            return ""


def estimated(sweep: Sweep) -> int | None:
    """Rows that a sweep is to erase, as it was counted before it began; None: not counted yet."""
    rows = (sweep.estimate or {}).get("rows")
    if isinstance(rows, Mapping):
        return sum(rows.values())
    return rows
