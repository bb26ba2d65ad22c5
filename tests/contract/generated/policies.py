"""Policies as a YAML file would hold them, drawn at random: every kind of ground, anchor and link.

What is drawn can be loaded: each policy that `Policy.model_validate` refuses is a mistake here or
there. The tables are those of :mod:`tests.contract.generated.layout`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from hypothesis import strategies as st

from tests.contract.generated.anchors import add_anchors
from tests.contract.generated.choosing import choose, number, rarely, shuffled
from tests.contract.generated.layout import FIELDS

STORE = "crm"
PURPOSES = {"news": {"direct_marketing": True}, "service": {}, "survey": {}}
PERIODS = ("0d", "1d", "30d", "90d", "1m", "6m", "42m", "1y", "4y", "5y")
ROUNDINGS = ("none", "end-of-month", "end-of-year", "end-of-fiscal-year")
KINDS = ("consent", "contract", "legal-obligation", "legitimate-interest", "legal-claim")
Declared = dict[str, Any]
Tables = dict[str, Declared]


X_ONLY: Final = ("x", ["x"], {"in": ["x"]}, {"not": ["y", "z", None]})
Y_ONLY: Final = ("y", ["y", None], {"in": [None]}, {"not": ["x"]})
"""Two sets of conditions that no row fulfils together: one about ``x``, one about ``y``."""
AGREED: Final = (1, [1], [1, 2], [True], {"not": [0]}, [1, None])


def draw_policy(draw: st.DrawFn) -> Declared:
    """A whole policy with one store."""
    grounds = {f"g{n}": _ground(draw) for n in range(draw(number(2, 5)))}
    tables = _linked_tables(draw)
    for name, table in list(tables.items()):
        if name == "history":
            table["fields"] = _fields(draw, FIELDS[:1], grounds, overwrites=("x",))
        elif name != "meeting":
            table["fields"] = _fields(draw, FIELDS, grounds)
    _add_meeting(draw, tables, grounds)
    for name in reversed(tables):
        add_anchors(draw, name, tables, grounds)
        _add_evidence(draw, tables[name], grounds)
    return {
        "version": "generated",
        "company": "Example AS",
        "country": "NO",
        "time_zone": "Europe/Oslo",
        "fiscal_year_starts": choose(draw, (1, 7, 4, 12)),
        "identifiers": {"customer_id": {"form": "text", "strong": True}},
        "purposes": PURPOSES,
        "grounds": grounds,
        "stores": {STORE: {"connector": "sql", "tables": tables}},
    }


def _ground(draw: st.DrawFn) -> Declared:
    kind = choose(draw, KINDS)
    ground: Declared = {"kind": kind, "reference": "some law"}
    if kind in ("consent", "legitimate-interest"):
        ground["purpose"] = choose(draw, sorted(PURPOSES))
    elif draw(rarely(4)):
        ground["purpose"] = choose(draw, ("service", "survey"))
    if kind == "consent":
        ground["evidence"] = choose(draw, ("ledger", "column"))
    if kind == "legitimate-interest" and ground["purpose"] != "news":
        ground["overriding"] = choose(draw, (False, True))
    if not draw(rarely(2 if kind in ("consent", "legitimate-interest") else 12)):
        ground["anchor"] = choose(draw, ("start", "end"))
        ground["period"] = choose(draw, PERIODS)
        ground["rounding"] = choose(draw, ROUNDINGS)
    return ground


def _linked_tables(draw: st.DrawFn) -> Tables:
    """A root, up to three tables below or beside each other, one of them perhaps meant twice."""
    tables: Tables = {"person": {"key": ["id"], "identifiers": {"customer_id": "id"}}}
    if draw(rarely(6)):
        tables["person"]["where"] = {"kind": choose(draw, X_ONLY)}
    for relation in shuffled(draw, ("a", "b", "c"), choose(draw, (2, 1, 3, 0))):
        above = list(tables)
        tables[relation] = _below(draw, above)
        if draw(rarely(5)):
            tables[relation]["where"] = {"kind": choose(draw, X_ONLY)}
            twin = {**_below(draw, above), "relation": relation}
            twin["where"] = {"kind": choose(draw, Y_ONLY)}
            tables[relation + "2"] = twin
    links = [n for n, t in tables.items() if "parent" in t and t["parent"]["table"] == "person"]
    if draw(rarely(3)) and links:
        link = choose(draw, links)
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
            at = {"table": choose(draw, pointing), "columns": {"id": "ptr"}}
            tables[name]["detach"] = [at]
    return tables


def _below(draw: st.DrawFn, above: Sequence[str]) -> Declared:
    parent = choose(draw, above)
    table: Declared = {
        "key": ["id"],
        "parent": {"table": parent, "columns": {"parent_id": "id"}},
    }
    if draw(rarely(5)):
        table["row"] = "stays"
    others = [name for name in above if name != parent]
    if draw(rarely(2)) and others:
        pointed = choose(draw, others)
        table["references"] = [{"table": pointed, "columns": {"ref_id": "id"}}]
    return table


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
    each = sorted(names)
    sets = [
        shuffled(draw, each, choose(draw, (1, draw(number(1, most)))))
        for _ in range(draw(number(1, 3)))
    ]
    for column in shuffled(draw, columns, draw(number(1, len(columns)))):
        grounds = shuffled(draw, choose(draw, sets))
        field: Declared = {"category": "voluntary", "grounds": grounds, "action": "erase"}
        if draw(rarely(2)):
            field |= {"action": "anonymise", "overwrite": choose(draw, overwrites)}
        name = column
        if draw(rarely(4)):
            name, field["column"] = f"the-{column}", column
        fields[name] = field
    return fields


def _add_meeting(draw: st.DrawFn, tables: Tables, grounds: Declared) -> None:
    """Give a shared table fields that rest on grounds of its link, or take it out again."""
    if "meeting" not in tables:
        return
    link = tables[tables["meeting"]["shared_by"]["table"]]
    used = {g for field in link["fields"].values() for g in field["grounds"]}
    may = sorted(g for g in used if grounds[g].get("evidence") != "column")
    if not may:
        del tables["meeting"]
        return
    tables["meeting"]["fields"] = _fields(draw, FIELDS, may, most=2)


def _add_evidence(draw: st.DrawFn, table: Declared, grounds: Declared) -> None:
    used = {ground for field in table["fields"].values() for ground in field["grounds"]}
    for ground in sorted(g for g in used if grounds[g].get("evidence") == "column"):
        rule = {"column": "agreed", "value": choose(draw, AGREED)}
        if "parent" in table and not table.get("history"):
            rule["of"] = choose(draw, ("row", "parent"))
        table.setdefault("evidence", {})[ground] = rule
