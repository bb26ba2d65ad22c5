"""The dashboards of deploy/grafana are what their code makes, and ask for what there is."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from deploy.grafana.dashboards import DASHBOARDS, FOLDER, build
from worker.observe.metrics import EVERY

SUFFIXES = "_bucket|_sum|_count"


def panels(name: str) -> list[dict[str, Any]]:
    """The panels of a dashboard as its file has them, without the rows between them."""
    found = json.loads((FOLDER / name).read_text(encoding="utf-8"))["panels"]
    return [one for one in found if one["type"] != "row"]


@pytest.mark.parametrize("name", DASHBOARDS)
def test_a_file_is_what_the_code_makes(name: str) -> None:
    """Whoever changes the code runs it: ``python deploy/grafana/dashboards.py``."""
    assert (FOLDER / name).read_text(encoding="utf-8") == build(*DASHBOARDS[name])


@pytest.mark.parametrize("name", DASHBOARDS)
def test_panels_ask_for_metrics_and_labels_that_exist(name: str) -> None:
    """A metric that gets another name takes its panel along."""
    known = {one.name: {*one.labels, "le"} for one in EVERY}
    for panel in panels(name):
        for target in panel["targets"]:
            asked = re.findall(r"erasure_[a-z_]+", target["expr"])
            bare = {re.sub(rf"({SUFFIXES})$", "", one) for one in asked}
            assert bare
            assert bare <= set(known), panel["title"]
            used = re.findall(r"by \(([^)]*)\)", target["expr"])
            labels = {label.strip() for one in used for label in one.split(",")}
            labels |= set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))
            assert labels <= set.union(*(known[one] for one in bare)), panel["title"]


@pytest.mark.parametrize("name", DASHBOARDS)
def test_a_panel_says_what_it_shows_and_none_lies_on_another(name: str) -> None:
    """Each has a title, a sentence and a place of its own on the grid of 24."""
    taken: set[tuple[int, int]] = set()
    for panel in panels(name):
        assert panel["title"]
        assert panel["description"].endswith(".")
        at = panel["gridPos"]
        own = {(at["x"] + x, at["y"] + y) for x in range(at["w"]) for y in range(at["h"])}
        assert max(x for x, _ in own) < 24
        assert not own & taken, panel["title"]
        taken |= own
