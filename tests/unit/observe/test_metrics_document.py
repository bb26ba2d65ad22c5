"""The reference of the metrics is made of the metrics; this test says how it reads."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from worker.observe.metrics import EVERY, Source

ROOT = Path(__file__).parents[3]
DOCUMENT = ROOT / "docs" / "metrics.md"
TEXT = DOCUMENT.read_text(encoding="utf-8")


def table(source: Source) -> str:
    """The metrics of a source as the document has them."""
    rows = ["| name | kind | unit | labels | meaning |", "|---|---|---|---|---|"]
    for one in EVERY:
        if one.source is source:
            labels = ", ".join(f"`{label}`" for label in one.labels)
            rows.append(f"| `{one.name}` | {one.kind} | {one.unit} | {labels} | {one.help} |")
    return "\n".join(rows)


@pytest.mark.parametrize("source", Source)
def test_every_metric_stands_in_the_reference(source: Source) -> None:
    """Name, kind, unit, labels and meaning, in the words that Prometheus is told."""
    made = table(source)
    assert "||" not in made.replace("| |", "")
    assert made in TEXT, f"put this into {DOCUMENT.relative_to(ROOT)}:\n{made}"


def test_every_label_is_explained_and_no_other() -> None:
    """What a label tells apart, and which values it has."""
    explained = set(re.findall(r"^- `([a-z]+)`", TEXT, re.MULTILINE))
    assert explained == {label for one in EVERY for label in one.labels}


def test_what_is_asked_for_by_way_of_example_exists() -> None:
    """The examples name metrics that there are."""
    named = set(re.findall(r"erasure_[a-z_]+", TEXT))
    known = {f"{one.name}{end}" for one in EVERY for end in ("", "_bucket", "_count", "_sum")}
    assert named <= known
