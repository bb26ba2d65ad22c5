"""Anchors for drawn tables: own dates, the parent's, the newest or oldest of linked rows, several.

A date in rows that are erased before the row it counts for may go with them. A policy may use
such a date only where the other row lives as long by the same ground, or never goes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

from tests.contract.generated.choosing import choose, number
from tests.contract.generated.layout import DAYS

Declared = dict[str, Any]
Tables = dict[str, Declared]


def add_anchors(draw: st.DrawFn, name: str, tables: Tables, grounds: Declared) -> None:
    """Map the anchors that a table's grounds need. The tables after it are mapped already."""
    table = tables[name]
    needed: dict[str, list[str]] = {}
    for ground in sorted({g for field in table["fields"].values() for g in field["grounds"]}):
        if "anchor" in grounds[ground]:
            needed.setdefault(grounds[ground]["anchor"], []).append(ground)
    for anchor, users in needed.items():
        rule = _anchor(draw, name, tables, grounds, anchor, users)
        table.setdefault("anchors", {})[anchor] = rule


def _anchor(
    draw: st.DrawFn, name: str, tables: Tables, grounds: Declared, anchor: str, users: list[str]
) -> Declared:
    table = tables[name]
    own = [{"column": day} for day in (DAYS[:1] if table.get("history") else DAYS)]
    shared = tables.get("meeting")
    if name == "meeting" or table.get("history"):
        return _date(draw, own)
    if shared and shared["shared_by"]["table"] == name and anchor in shared.get("anchors", {}):
        return _date(draw, [*_picks("meeting", shared["anchors"][anchor]["column"])])
    steady = [*own, *_steady(name, tables)]
    alike = [*_alike(name, tables, grounds, anchor, users)]
    form = choose(draw, ("one", "one", "later_of", "earlier_of"))
    if form == "one":
        return _date(draw, steady + alike)
    dates = steady + alike if form == "later_of" else steady
    return {form: [_date(draw, dates) for _ in range(draw(number(1, 3)))]}


def _date(draw: st.DrawFn, choices: list[Declared]) -> Declared:
    return {**choose(draw, choices), "null": choose(draw, ("running", "unknown"))}


def _picks(other: str, column: str) -> Iterator[Declared]:
    for pick in ("newest", "oldest"):
        yield {pick: column, "in": other}


def _steady(name: str, tables: Tables) -> Iterator[Declared]:
    """Dates in other rows that are there as long as the row at hand."""
    table = tables[name]
    others = [link["table"] for link in table.get("references", ())]
    if "parent" in table:
        yield from ({"column": day, "of": "parent"} for day in DAYS)
        others.append(table["parent"]["table"])
    others += [below for below in _below(name, tables) if tables[below].get("row") == "stays"]
    for other in others:
        for day in DAYS:
            yield from _picks(other, day)


def _alike(
    name: str, tables: Tables, grounds: Declared, anchor: str, users: list[str]
) -> Iterator[Declared]:
    """The newest date of rows below that live as long by the same grounds, dated by it."""
    for below in _below(name, tables):
        table = tables[below]
        used = {ground for field in table["fields"].values() for ground in field["grounds"]}
        if any(g not in used or grounds[g].get("evidence") == "column" for g in users):
            continue
        mapped = table["anchors"][anchor]
        for date in mapped.get("later_of", [] if "earlier_of" in mapped else [mapped]):
            if "column" in date and date.get("of", "row") == "row":
                yield {"newest": date["column"], "in": below}


def _below(name: str, tables: Tables) -> list[str]:
    """Tables whose rows hang below a table's or point at them."""
    found = []
    for other, table in tables.items():
        links = [*table.get("references", ()), *([table["parent"]] if "parent" in table else [])]
        if not table.get("history") and any(link["table"] == name for link in links):
            found.append(other)
    return found
