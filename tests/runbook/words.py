"""The words of ``docs/runbook.md``: its sections, its rows of states, and the commands in each."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]
RUNBOOK = ROOT / "docs" / "runbook.md"
ALARMS = ROOT / "deploy" / "prometheus" / "alerts.yaml"

_COMMAND = re.compile(r"`(erasure(?: [^`]+)?)`")
_ROW = re.compile(r"^\| ([a-z]+) \| (.+) \|$", re.MULTILINE)


def anchor(heading: str) -> str:
    """What leads to a heading, as after ``#`` in an address."""
    return re.sub(r"[^a-z0-9]+", "-", heading.lower())


def sections() -> dict[str, tuple[str, ...]]:
    """The commands of each alarm's section, in order, by its heading."""
    alarms = _text().partition("\n## Alarms\n")[2].partition("\n## States\n")[0]
    return {heading: _commands(body) for heading, body in _below(alarms)}


def rows() -> dict[str, tuple[str, ...]]:
    """The commands of each row of the tables of states, by ``A store: away``."""
    found = {}
    for heading, body in _below(_text().partition("\n## States\n")[2]):
        for state, told in _ROW.findall(body):
            if state != "state":
                found[f"{heading}: {state}"] = _commands(told)
    return found


def expression(section: str) -> str:
    """What the alarm that leads to a section asks Prometheus."""
    rules: list[dict[str, Any]] = YAML(typ="safe").load(ALARMS)["groups"][0]["rules"]
    (found,) = (
        str(rule["expr"])
        for rule in rules
        if rule["annotations"]["runbook_url"].endswith(f"#{anchor(section)}")
    )
    return found


def _text() -> str:
    return RUNBOOK.read_text(encoding="utf-8")


def _below(text: str) -> Iterator[tuple[str, str]]:
    for part in re.split(r"^### ", text, flags=re.MULTILINE)[1:]:
        heading, _, body = part.partition("\n")
        yield heading, body


def _commands(text: str) -> tuple[str, ...]:
    """All that stand in code, in order; a line may break within one."""
    return tuple(" ".join(one.split()) for one in _COMMAND.findall(text))
