"""The alarms, the metrics that they ask for, and the runbook that they lead to, hold together."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML
from typer.main import get_command

from worker.cli.app import app
from worker.core.lifecycle import CaseState, SweepState
from worker.observe.metrics import EVERY, Kind
from worker.observe.situations import SECTIONS
from worker.observe.stores import State
from worker.stores_operate import Rest

ROOT = Path(__file__).parents[2]
RUNBOOK = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
RULES: list[dict[str, Any]] = YAML(typ="safe").load(ROOT / "deploy" / "prometheus" / "alerts.yaml")[
    "groups"
][0]["rules"]
TESTED = (ROOT / "deploy" / "prometheus" / "alerts.test.yaml").read_text(encoding="utf-8")
NAMED = [pytest.param(rule, id=rule["alert"]) for rule in RULES]
SUFFIXES = ("_bucket", "_sum", "_count")


def headings(level: str) -> dict[str, str]:
    """The headings of a level, by the anchor that leads to them."""
    found = re.findall(rf"^{level} (.+)$", RUNBOOK, re.MULTILINE)
    return {re.sub(r"[^a-z0-9]+", "-", one.lower()): one for one in found}


def commands() -> Iterator[str]:
    """Every command with its group, and every group."""

    def below(command: Any, name: str) -> Iterator[str]:
        for part, inner in getattr(command, "commands", {}).items():
            yield f"{name}{part}"
            yield from below(inner, f"{name}{part} ")

    return below(get_command(app), "")


@pytest.mark.parametrize("rule", NAMED)
def test_an_alarm_says_what_it_means_and_what_to_do(rule: dict[str, Any]) -> None:
    """Each has a summary, a meaning, a next step, a severity, and a section that exists."""
    told = rule["annotations"]
    assert set(told) == {"summary", "what_it_means", "what_to_do", "runbook_url"}
    assert rule["labels"]["severity"] in {"page", "ticket"}
    file, _, anchor = told["runbook_url"].partition("#")
    assert (ROOT / file).is_file()
    assert anchor in headings("###")


@pytest.mark.parametrize("rule", NAMED)
def test_an_alarm_asks_for_metrics_that_exist(rule: dict[str, Any]) -> None:
    """Each name is a metric, and each label that is compared is one of it."""
    labels: dict[str, tuple[str, ...]] = {}
    for one in EVERY:
        for suffix in SUFFIXES if one.kind is Kind.HISTOGRAM else ("",):
            labels[one.name + suffix] = one.labels
    asked = re.findall(r"(erasure_\w+)(?:\{([^}]*)\})?", rule["expr"])
    assert asked
    for name, compared in asked:
        assert name in labels
        assert set(re.findall(r"(\w+)=", compared)) <= set(labels[name])


def test_every_alarm_is_tested_both_ways() -> None:
    """A test of Prometheus' own has each fire, and has each be silent."""
    for rule in RULES:
        assert f"{rule['alert']} fires" in TESTED
        assert f"{rule['alert']} is silent" in TESTED


def test_every_section_belongs_to_an_alarm_or_is_one_of_states() -> None:
    """The runbook has no section that nothing leads to."""
    led = {rule["annotations"]["runbook_url"].partition("#")[2] for rule in RULES}
    assert set(headings("###")) == led | {"a-store", "a-case", "a-sweep"}


def test_whatever_status_tells_leads_to_a_section() -> None:
    """And each section is led to; that the ledger is away, the error says itself."""
    assert set(SECTIONS.values()) | {"ledger-away"} == set(headings("###"))


def test_every_state_has_a_row() -> None:
    """Each state of a store, a case and a sweep is explained."""
    rows = set(re.findall(r"^\| ([a-z, ]+) \|", RUNBOOK, re.MULTILINE))
    assert {state.value for state in (*State, *Rest, *CaseState, *SweepState)} <= rows


def test_the_commands_of_the_runbook_and_the_alarms_exist() -> None:
    """Whatever somebody is told to type at night is a command."""
    every = set(commands())
    texts = [RUNBOOK, *(rule["annotations"]["what_to_do"] for rule in RULES)]
    named = {one for text in texts for one in re.findall(r"`erasure ([a-z-]+(?: [a-z]+)?)", text)}
    assert named
    assert {one for one in named if one not in every and one.split()[0] not in every} == set()
    groups = {one.split()[0] for one in every if " " in one}
    assert {one for one in named if one not in every and one.split()[0] in groups} <= {"case"}
