"""The states of a case."""

from __future__ import annotations

import pytest

from worker.core.lifecycle import MOVES, STANDING, CaseState, origins

ENDED = [state for state in CaseState if state not in STANDING]


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (CaseState.OPEN, ("held", "open", "parked")),
        (CaseState.PARKED, ("open", "parked")),
        (CaseState.CLOSED, ("open",)),
        (CaseState.HELD, ("held", "open")),
        (CaseState.SUPERSEDED, ("held", "open", "parked")),
        (CaseState.REJECTED, ("parked",)),
    ],
)
def test_where_a_case_may_come_from(target: CaseState, expected: tuple[str, ...]) -> None:
    """A parked case is never closed by a store, and only a parked one is rejected by a person."""
    assert origins(target) == expected


@pytest.mark.parametrize("ended", ENDED)
def test_what_has_ended_stays_ended(ended: CaseState) -> None:
    """From no ended state does a way lead anywhere, not even to itself."""
    assert not MOVES[ended]
    assert all(ended not in origins(target) for target in CaseState)


def test_every_state_has_its_moves() -> None:
    """No state was forgotten in the table, and every state can be reached."""
    assert set(MOVES) == set(CaseState)
    assert all(origins(target) for target in CaseState)
