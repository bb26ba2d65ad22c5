"""The states of a case and the moves between them.

::

    open ──────> closed, superseded
     │  ▲
     ▼  │ resumed, released
    parked ────> rejected, superseded
    held ──────> superseded

Repeating a move changes nothing: every step of the worker may be done twice.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class CaseState(StrEnum):
    """Where a case stands."""

    OPEN = "open"
    """The stop is committed; it is being planned, or its tasks stand in commands."""
    PARKED = "parked"
    """Waits for a person: an identifier led to two people, for instance."""
    HELD = "held"
    """Waits for the release of a hold: nothing of its subject may be erased."""
    CLOSED = "closed"
    """Every task has an outcome that was verified."""
    SUPERSEDED = "superseded"
    """A newer consent took its place."""
    REJECTED = "rejected"
    """An operator decided that nothing is to be erased."""


class SweepState(StrEnum):
    """Where a sweep stands."""

    WAITING = "waiting"
    """Asked for: it begins when a worker is free, the hours allow it and what goes before ended."""
    BRAKED = "braked"
    """Would erase far more than usual: it begins when somebody approves (rule 10)."""
    RUNNING = "running"
    PAUSED = "paused"
    """An operator stopped it for now; it goes on where it was."""
    CANCELLING = "cancelling"
    """An operator ended it while a chunk was under way, which is being settled."""
    DONE = "done"
    """Nothing is left past its last ground; the count stands in its proof."""
    CANCELLED = "cancelled"
    FAILED = "failed"
    """The store kept something back that should have gone: an operator must look."""


SWEEP_ENDED: Final = frozenset({SweepState.DONE, SweepState.CANCELLED, SweepState.FAILED})
"""States that a sweep never leaves."""


MOVES: Final[dict[CaseState, frozenset[CaseState]]] = {
    CaseState.OPEN: frozenset(
        {CaseState.PARKED, CaseState.HELD, CaseState.CLOSED, CaseState.SUPERSEDED}
    ),
    # A resumed case is open again and planned anew, with the keys that the operator named.
    CaseState.PARKED: frozenset({CaseState.OPEN, CaseState.REJECTED, CaseState.SUPERSEDED}),
    CaseState.HELD: frozenset({CaseState.OPEN, CaseState.SUPERSEDED}),
    CaseState.CLOSED: frozenset(),
    CaseState.SUPERSEDED: frozenset(),
    CaseState.REJECTED: frozenset(),
}

STANDING: Final = frozenset(state for state, targets in MOVES.items() if targets)
"""States from which a case still has to go somewhere."""


def origins(target: CaseState) -> tuple[str, ...]:
    """Return the states from which a case may become ``target``, sorted.

    A standing case may stay what it is; what has ended stays ended, whoever repeats what.
    """
    found = {state.value for state, targets in MOVES.items() if target in targets}
    return tuple(sorted(found | ({target.value} & STANDING)))
