"""The moves of a case."""

from __future__ import annotations

from itertools import product

import pytest

from worker.core.lifecycle import STANDING, CaseState, IllegalMove, may_move, move

ALLOWED = {
    (CaseState.OPEN, CaseState.PARKED),
    (CaseState.OPEN, CaseState.CLOSED),
    (CaseState.OPEN, CaseState.SUPERSEDED),
    (CaseState.PARKED, CaseState.OPEN),
    (CaseState.PARKED, CaseState.REJECTED),
    (CaseState.PARKED, CaseState.SUPERSEDED),
}


@pytest.mark.parametrize(("current", "target"), list(product(CaseState, CaseState)))
def test_every_move(current: CaseState, target: CaseState) -> None:
    """Exactly the listed moves are allowed; staying always is, so that a step may be repeated."""
    allowed = current is target or (current, target) in ALLOWED
    assert may_move(current, target) is allowed
    if allowed:
        assert move(current, target) is target
    else:
        with pytest.raises(IllegalMove, match=f"stays {current}"):
            move(current, target)


def test_standing() -> None:
    """A case ends in one of three states and stands in the other two."""
    assert {CaseState.OPEN, CaseState.PARKED} == STANDING
