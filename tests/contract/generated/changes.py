"""The same case with one thing changed: a ground more, a longer period, another order."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from tests.contract.generated.cases import Case, cases
from tests.contract.generated.layout import DAYS
from tests.contract.generated.policies import PERIODS, ROUNDINGS, STORE

Pair = tuple[Case, Case]


def _policy(case: Case) -> tuple[dict[str, Any], dict[str, Any]]:
    policy = deepcopy(dict(case.policy))
    return policy, policy["stores"][STORE]["tables"]


@st.composite
def with_a_ground_more(draw: st.DrawFn) -> Pair:
    """One field gets a ground of its own beside those it has.

    No event ends the new ground: else people would be erased in other company, and whose row
    goes first decides what another's row is still held by.
    """
    case = draw(cases())
    policy, tables = _policy(case)
    # Shared rows may only rest on what their links rest on too.
    name = draw(st.sampled_from([n for n in tables if n != "meeting"]))
    table = tables[name]
    kind = draw(st.sampled_from(["legal-obligation", "contract", "legal-claim"]))
    policy["grounds"]["more"] = {
        "kind": kind,
        "reference": "another law",
        "anchor": "other",
        "period": draw(st.sampled_from(PERIODS)),
        "rounding": draw(st.sampled_from(ROUNDINGS)),
    }
    column = draw(st.sampled_from(DAYS[:1] if name == "history" else DAYS))
    null = draw(st.sampled_from(["running", "unknown"]))
    table.setdefault("anchors", {})["other"] = {"column": column, "null": null}
    field = table["fields"][draw(st.sampled_from(sorted(table["fields"])))]
    field["grounds"] = [*field["grounds"], "more"]
    return case, replace(case, policy=policy)


@st.composite
def with_a_longer_period(draw: st.DrawFn) -> Pair:
    """One ground with an anchor keeps some days, months or years longer."""
    case = draw(cases().filter(lambda one: any("anchor" in g for g in _grounds(one))))
    policy, _ = _policy(case)
    dated = [ground for ground in policy["grounds"].values() if "anchor" in ground]
    ground = draw(st.sampled_from(dated))
    number, unit = int(ground["period"][:-1]), ground["period"][-1]
    ground["period"] = f"{number + draw(st.sampled_from([1, 2, 7]))}{unit}"
    return case, replace(case, policy=policy)


@st.composite
def in_another_order(draw: st.DrawFn) -> Pair:
    """Grounds, fields, tables, people, events and rows stand in another order where they may."""
    case = draw(cases())
    policy, tables = _policy(case)
    policy["grounds"] = _turned(draw, policy["grounds"])
    for table in tables.values():
        table["fields"] = _turned(draw, table["fields"])
        for field in table["fields"].values():
            field["grounds"] = draw(st.permutations(field["grounds"]))
    policy["stores"][STORE]["tables"] = _in_order(_turned(draw, tables))
    events = {p: draw(st.permutations(said)) for p, said in _turned(draw, case.events).items()}
    rows = {name: draw(st.permutations(found)) for name, found in case.rows.items()}
    return case, replace(case, policy=policy, events=events, rows=rows)


@st.composite
def of_one_person(draw: st.DrawFn) -> Case:
    """A case in which one person alone is to be erased."""
    case = draw(cases())
    person = draw(st.sampled_from(sorted(case.events)))
    return replace(case, events={person: case.events[person]})


def _grounds(case: Case) -> list[dict[str, Any]]:
    return list(case.policy["grounds"].values())


def _turned(draw: st.DrawFn, things: dict[Any, Any]) -> dict[Any, Any]:
    return {name: things[name] for name in draw(st.permutations(sorted(things)))}


def _in_order(tables: dict[str, Any]) -> dict[str, Any]:
    """Let each table follow those that it hangs below, points at or is linked through."""
    placed: dict[str, Any] = {}
    while len(placed) < len(tables):
        for name, table in tables.items():
            links = [table.get("parent"), table.get("shared_by"), *table.get("references", ())]
            if name not in placed and all(link["table"] in placed for link in links if link):
                placed[name] = table
    return placed
