"""Policies as a YAML file would hold them, drawn at random: every kind of ground, anchor and link.

What is drawn can be loaded: each policy that `Policy.model_validate` refuses is a mistake here or
there. The tables are those of :mod:`tests.contract.generated.layout`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from hypothesis import strategies as st

from tests.contract.generated.anchors import anchors
from tests.contract.generated.layout import FIELDS

STORE = "crm"
PURPOSES = {"news": {"direct_marketing": True}, "service": {}, "survey": {}}
PERIODS = ("0d", "1d", "30d", "90d", "1m", "6m", "42m", "1y", "4y", "5y")
ROUNDINGS = ("none", "end-of-month", "end-of-year", "end-of-fiscal-year")
KINDS = ("consent", "contract", "legal-obligation", "legitimate-interest", "legal-claim")
Declared = dict[str, Any]
Tables = dict[str, Declared]


def rarely(one_in: int) -> st.SearchStrategy[bool]:
    """True once in so many; shrinks to False."""
    return st.integers(0, one_in - 1).map(lambda n: n == one_in - 1)


@st.composite
def policies(draw: st.DrawFn) -> Declared:
    """A whole policy with one store."""
    grounds = {f"g{n}": draw(_ground()) for n in range(draw(st.integers(2, 5)))}
    tables = draw(_linked_tables())
    for name, table in list(tables.items()):
        if name == "history":
            table["fields"] = draw(_fields(FIELDS[:1], grounds, overwrites=("x",)))
        elif name != "meeting":
            table["fields"] = draw(_fields(FIELDS, grounds))
    draw(_meeting(tables, grounds))
    for name in reversed(tables):
        draw(anchors(name, tables, grounds))
        draw(_evidence(tables[name], grounds))
    return {
        "version": "generated",
        "company": "Example AS",
        "country": "NO",
        "time_zone": "Europe/Oslo",
        "fiscal_year_starts": draw(st.sampled_from([1, 7, 4, 12])),
        "identifiers": {"customer_id": {"form": "text", "strong": True}},
        "purposes": PURPOSES,
        "grounds": grounds,
        "stores": {STORE: {"connector": "sql", "tables": tables}},
    }


@st.composite
def _ground(draw: st.DrawFn) -> Declared:
    kind = draw(st.sampled_from(KINDS))
    ground: Declared = {"kind": kind, "reference": "some law"}
    if kind in ("consent", "legitimate-interest"):
        ground["purpose"] = draw(st.sampled_from(sorted(PURPOSES)))
    elif draw(rarely(4)):
        ground["purpose"] = draw(st.sampled_from(["service", "survey"]))
    if kind == "consent":
        ground["evidence"] = draw(st.sampled_from(["ledger", "column"]))
    if kind == "legitimate-interest" and ground["purpose"] != "news":
        ground["overriding"] = draw(st.booleans())
    if not draw(rarely(2 if kind in ("consent", "legitimate-interest") else 12)):
        ground["anchor"] = draw(st.sampled_from(["start", "end"]))
        ground["period"] = draw(st.sampled_from(PERIODS))
        ground["rounding"] = draw(st.sampled_from(ROUNDINGS))
    return ground


@st.composite
def _linked_tables(draw: st.DrawFn) -> Tables:
    """A root, up to three tables below or beside each other, one of them perhaps meant twice."""
    tables: Tables = {"person": {"key": ["id"], "identifiers": {"customer_id": "id"}}}
    if draw(rarely(6)):
        tables["person"]["where"] = {"kind": draw(_conditions("x"))}
    for relation in draw(st.permutations(["a", "b", "c"]))[: draw(st.sampled_from([2, 1, 3, 0]))]:
        above = list(tables)
        tables[relation] = draw(_below(above))
        if draw(rarely(5)):
            tables[relation]["where"] = {"kind": draw(_conditions("x"))}
            twin = {**draw(_below(above)), "relation": relation}
            twin["where"] = {"kind": draw(_conditions("y"))}
            tables[relation + "2"] = twin
    links = [n for n, t in tables.items() if "parent" in t and t["parent"]["table"] == "person"]
    if draw(rarely(3)) and links:
        link = draw(st.sampled_from(links))
        tables[link].pop("references", None)
        tables[link].pop("row", None)
        shared = {"table": link, "columns": {"id": "ref_id"}}
        tables["meeting"] = {"key": ["id"], "shared_by": shared}
    if draw(rarely(4)):
        up = {"table": "person", "columns": {"parent_id": "id"}}
        tables["history"] = {"key": ["id"], "parent": up, "history": True}
    # A pointer in a person's row would have its triggers tell of it; that is another story.
    pointing = [name for name in tables if name not in ("meeting", "history", "person")]
    for name in ["person", *pointing]:
        if draw(rarely(6)) and pointing:
            at = {"table": draw(st.sampled_from(pointing)), "columns": {"id": "ptr"}}
            tables[name]["detach"] = [at]
    return tables


def _conditions(kind: str) -> st.SearchStrategy[object]:
    """Two sets of conditions that no row fulfils together: one about ``x``, one about ``y``."""
    if kind == "x":
        return st.sampled_from(["x", ["x"], {"in": ["x"]}, {"not": ["y", "z", None]}])
    return st.sampled_from(["y", ["y", None], {"in": [None]}, {"not": ["x"]}])


@st.composite
def _below(draw: st.DrawFn, above: list[str]) -> Declared:
    parent = draw(st.sampled_from(above))
    table: Declared = {
        "key": ["id"],
        "parent": {"table": parent, "columns": {"parent_id": "id"}},
    }
    if draw(rarely(5)):
        table["row"] = "stays"
    others = [name for name in above if name != parent]
    if draw(rarely(2)) and others:
        pointed = draw(st.sampled_from(others))
        table["references"] = [{"table": pointed, "columns": {"ref_id": "id"}}]
    return table


@st.composite
def _fields(
    draw: st.DrawFn,
    columns: tuple[str, ...],
    names: Iterable[str],
    *,
    most: int = 3,
    overwrites: tuple[str, ...] = ("x", "no-{key}"),
) -> Declared:
    """One to four fields with one to three grounds each, some called otherwise than the column."""
    fields: Declared = {}
    one = st.sampled_from(sorted(names))
    few = st.lists(one, min_size=1, max_size=1)
    several = st.one_of(few, st.lists(one, min_size=1, max_size=most, unique=True))
    sets = draw(st.lists(several, min_size=1, max_size=3))
    for column in draw(st.permutations(columns))[: draw(st.integers(1, len(columns)))]:
        grounds = draw(st.permutations(draw(st.sampled_from(sets))))
        field: Declared = {"category": "voluntary", "grounds": grounds, "action": "erase"}
        if draw(rarely(2)):
            field |= {"action": "anonymise", "overwrite": draw(st.sampled_from(overwrites))}
        name = column
        if draw(rarely(4)):
            name, field["column"] = f"the-{column}", column
        fields[name] = field
    return fields


@st.composite
def _meeting(draw: st.DrawFn, tables: Tables, grounds: Declared) -> None:
    """Give a shared table fields that rest on grounds of its link, or take it out again."""
    if "meeting" not in tables:
        return
    link = tables[tables["meeting"]["shared_by"]["table"]]
    used = {g for field in link["fields"].values() for g in field["grounds"]}
    may = sorted(g for g in used if grounds[g].get("evidence") != "column")
    if not may:
        del tables["meeting"]
        return
    tables["meeting"]["fields"] = draw(_fields(FIELDS, may, most=2))


@st.composite
def _evidence(draw: st.DrawFn, table: Declared, grounds: Declared) -> None:
    used = {ground for field in table["fields"].values() for ground in field["grounds"]}
    for ground in sorted(g for g in used if grounds[g].get("evidence") == "column"):
        values = st.sampled_from([1, [1], [1, 2], [True], {"not": [0]}, [1, None]])
        rule = {"column": "agreed", "value": draw(values)}
        if "parent" in table and not table.get("history"):
            rule["of"] = draw(st.sampled_from(["row", "parent"]))
        table.setdefault("evidence", {})[ground] = rule
