"""The policy's objectives: their defaults, their form, and how a mistake in one is told."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from tests.unit.core.policies import declared, small
from worker.core.objectives import Clock
from worker.core.policy import Policy


def test_a_policy_that_says_nothing_has_objectives() -> None:
    """A minute to stop, a day to erase, a week to close."""
    objectives = small().objectives
    assert [objectives.of(clock) for clock in Clock] == [60, 60, 3600, 86400, 604800]


def test_objectives_are_written_with_their_unit() -> None:
    """Seconds, minutes, hours and days; what is not said keeps its default."""
    data = declared()
    data["objectives"] = {"accepted": "5s", "stopped": "2 min", "planned": "6h", "closed": "20d"}
    objectives = Policy.model_validate(data).objectives
    assert [objectives.of(clock) for clock in Clock] == [5, 120, 21600, 86400, 1728000]


@pytest.mark.parametrize("written", ["soon", "0s", "5", "5m", "-1d", "93d", "1.5h", 0, True, None])
def test_what_is_no_objective_is_refused(written: object) -> None:
    """The message shows what was written and what could be."""
    data = declared()
    data["objectives"] = {"erased": written}
    with pytest.raises(ValidationError, match="write for example 30s, 10min, 6h or 7d"):
        Policy.model_validate(data)


def test_an_unknown_clock_is_refused() -> None:
    """There are five."""
    data = declared()
    data["objectives"] = {"answered": "1d"}
    with pytest.raises(ValidationError, match="answered"):
        Policy.model_validate(data)
