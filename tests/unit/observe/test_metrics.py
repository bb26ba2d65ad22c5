"""The list of metrics keeps Prometheus' conventions, and tells nobody."""

from __future__ import annotations

import re

import pytest

from worker.observe.metrics import EVERY, Kind, Measure

LABELS = {
    "store", "lane", "kind", "reason", "why", "pool", "group", "what", "clock", "state", "used",
    "version", "policy",
}  # fmt: skip
"""Every label there is: each has few values, and none is about a person."""


def test_each_name_stands_once() -> None:
    """No two metrics have one name, nor one that Prometheus would take for the other."""
    names = [one.name.removesuffix("_total") for one in EVERY]
    assert len(names) == len(set(names)) > 40


@pytest.mark.parametrize("measure", EVERY, ids=lambda one: one.name)
def test_a_metric_is_named_by_the_conventions(measure: Measure) -> None:
    """Prefix, unit as the last word, ``_total`` for counters alone, help in a sentence."""
    assert re.fullmatch(r"erasure_[a-z]+(_[a-z]+)*", measure.name)
    assert (measure.kind is Kind.COUNTER) is measure.name.endswith("_total")
    assert measure.unit == "" or measure.name.removesuffix("_total").endswith(f"_{measure.unit}")
    assert measure.help.endswith(".")
    assert measure.help[0].isupper() or measure.help[0].isdigit()
    assert set(measure.labels) <= LABELS
    assert (measure.kind is Kind.HISTOGRAM) is bool(measure.buckets)
    assert list(measure.buckets) == sorted(set(measure.buckets))
