"""Nothing in the runbook is only written: each section and each row of states is followed."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.runbook import words

TESTS = (
    *sorted((words.ROOT / "tests" / "runbook").glob("test_*.py")),
    words.ROOT / "tests" / "faults" / "test_offset_beyond_end.py",
)


def followed() -> set[str]:
    """What the tests follow: the second argument of each call of ``follow``."""
    return {name for file in TESTS for name in _names(ast.parse(file.read_text("utf-8")))}


def test_every_section_is_followed() -> None:
    """That of each alarm."""
    assert set(words.sections()) - followed() == set()


def test_every_row_of_states_is_followed() -> None:
    """Each state of a store, a case and a sweep is caused."""
    assert set(words.rows()) - followed() == set()


def _names(tree: ast.AST) -> Iterator[str]:
    """The names that are followed in one file, also where a constant of it holds one."""
    held = {
        target.id: node.value.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name("follow"), args=[_, ast.Constant(name)]):
                yield str(name)
            case ast.Call(func=ast.Name("follow"), args=[_, ast.Name(name)]):
                yield str(held[name])
