"""Lines of a policy, written for a person to go over: each guess is marked as one.

``erasure policy check`` refuses what is marked until the mark is taken away
(:mod:`worker.core.holes`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Final

from connectors.seen import Kind, SeenColumn
from worker.core.guessing import category, overwrite
from worker.core.holes import GUESS

_PLAIN: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_WORDS: Final = frozenset({"true", "false", "null"})
_WHY_NOT: Final = {
    Kind.DATE: "a date that tells nothing of anybody",
    Kind.NUMBER: "a number that names nobody",
    Kind.FLAG: "one of a few fixed values",
}


def field_line(column: SeenColumn, grounds: Sequence[str], *, stays: bool = True) -> str:
    """Draft the line of a column under ``fields:``.

    ``stays``: its row may outlive it, so that a column that may not be empty needs an overwrite.
    """
    value = overwrite(column) if stays else None
    action = "erase" if value is None else f"anonymise, overwrite: {text(value)}"
    held = ", ".join(text(ground) for ground in grounds)
    return (
        f"{text(column.name)}: {{category: {category(column) or 'voluntary'}, grounds: [{held}], "
        f"action: {action}, {GUESS}: true}}"
    )


def not_personal_line(column: SeenColumn, pointing: bool = False) -> str:
    """Draft the line of a column under ``not_personal:``; ``pointing``: it names another row."""
    why = _WHY_NOT.get(column.kind, "a word of the system, not of the person")
    why = "it names a row of a table that is nobody's" if pointing else why
    return f"{text(column.name)}: {json.dumps(f'{GUESS}: {why}')}"


def column_lines(column: SeenColumn, grounds: Sequence[str]) -> tuple[str, str]:
    """Draft the lines that add a column to a table: where they go, as it stands in the file."""
    if category(column) is not None:
        return "        fields:", f"          {field_line(column, grounds)}"
    return "        not_personal:", f"          {not_personal_line(column)}"


def text(value: str | int) -> str:
    """Write a value as YAML reads it back: between quotes where it could be something else."""
    if isinstance(value, int):
        return str(value)
    if _PLAIN.fullmatch(value) and value.lower() not in _WORDS:
        return value
    return json.dumps(value, ensure_ascii=False)
