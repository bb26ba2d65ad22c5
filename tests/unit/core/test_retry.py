"""How long is waited before the next try."""

from __future__ import annotations

import pytest

from worker.core.retry import Backoff


def test_doubles_up_to_the_cap() -> None:
    """Without luck the waits are the upper half of steps that double until the cap."""
    backoff = Backoff(base=1, cap=10)
    assert [backoff.delay(n, 0.0) for n in range(1, 7)] == [0.5, 1, 2, 4, 5, 5]


@pytest.mark.parametrize("attempt", [-1, 0, 1, 2, 40, 10**9])
def test_within_bounds(attempt: int) -> None:
    """However often it failed, the wait is more than nothing and no more than the cap."""
    backoff = Backoff(base=0.5, cap=60)
    assert 0 < backoff.delay(attempt, 0.0) <= backoff.delay(attempt, 0.999) <= 60


def test_random_spreads() -> None:
    """Two workers that failed together come back apart."""
    assert Backoff().delay(3, 0.1) != Backoff().delay(3, 0.9)
