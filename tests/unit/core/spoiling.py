"""The demo company's policy with one mistake in it."""

from __future__ import annotations

import pytest

from tests.unit.core.policies import NORDLYS
from worker.policy_file import PolicyError, Problem, parse

GOOD = NORDLYS.read_text(encoding="utf-8")
Mistake = tuple[str, str, str, str]
"""What to replace, with what, what in the new text the message must point at, what it must say."""


def spoilt(old: str, new: str) -> tuple[Problem, ...]:
    """Replace the first ``old`` in the demo company's policy, and return what is found wrong."""
    assert old in GOOD
    with pytest.raises(PolicyError) as caught:
        parse(GOOD.replace(old, new, 1).encode(), "p.yaml")
    return caught.value.problems


def line_of(text: str, part: str) -> int:
    """Return the number of the line in which the first ``part`` begins."""
    return text.count("\n", 0, text.index(part)) + 1


def assert_told(mistake: Mistake) -> None:
    """Fail unless a mistake is found in its line and told with what to write instead."""
    old, new, marked, says = mistake
    problems = spoilt(old, new)
    lines = [problem.line for problem in problems if says in problem.what]
    assert line_of(GOOD.replace(old, new, 1), marked) in lines, problems
