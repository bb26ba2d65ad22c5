"""docs/promises.md: each promise leads to parts of the policy and to tests that are there."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from tests.unit.core.policies import NORDLYS
from worker.core.policy import Policy
from worker.policy_file import load

ROOT = Path(__file__).parents[2]
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in (ROOT / "docs" / "promises.md").read_text(encoding="utf-8").splitlines()
    if line.startswith("| «")
]
EVERY = "every part"


@cache
def policy() -> Policy:
    """Return the demo company's policy."""
    return load(NORDLYS)


def parts() -> set[str]:
    """Every purpose, ground and field of the policy, as the table writes them."""
    found = {f"purposes.{name}" for name in policy().purposes}
    found |= {f"grounds.{name}" for name in policy().grounds}
    for store, declared in policy().stores.items():
        for table, rule in declared.tables.items():
            found |= {f"{store}.{table}.{field}" for field in rule.fields}
    return found


def test_nothing_of_the_policy_stands_without_a_promise() -> None:
    """The parts that the table names are those of the policy: none is missing, none made up."""
    named = {part for _, cell, _ in ROWS for part in re.findall(r"`([^`]+)`", cell)}
    assert named == parts()
    assert all(cell == EVERY or "`" in cell for _, cell, _ in ROWS)


@pytest.mark.parametrize(
    "test", sorted({t for row in ROWS for t in re.findall(r"`(.+?)`", row[2])})
)
def test_every_test_is_there(test: str) -> None:
    """A test that is named stands in its file, which has tests."""
    file, _, name = test.partition("::")
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    defined = {
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert name in defined if name else any(one.startswith("test_") for one in defined)


def test_every_promise_has_a_test() -> None:
    """No row is without a promise, a part of the policy and a test."""
    assert ROWS
    assert all(len(row) == 3 and "tests/" in row[2] for row in ROWS)
