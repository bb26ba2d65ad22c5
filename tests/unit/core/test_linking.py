"""Links of a store that lead nowhere or to the wrong rows are refused, with what to write."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pydantic import ValidationError

from connectors.mapping import Anchor, Evidence, Filter, NullAnchor, ParentLink, Pick
from tests.unit.core.policies import declared
from worker.core.policy import Policy

Change = Callable[[dict[str, Any]], object]
TOP = ("stores", "crm", "tables")


def crm(data: dict[str, Any]) -> dict[str, Any]:
    """The tables of the CRM."""
    tables: dict[str, Any] = data["stores"]["crm"]["tables"]
    return tables


def meeting(**more: Any) -> dict[str, Any]:
    """A table of rows that several people share."""
    field = {"category": "voluntary", "grounds": ["fraud-interest"], "action": "erase"}
    shared = {"table": "bill", "columns": {"no": "meeting_no"}}
    return {"key": ["no"], "shared_by": shared, "fields": {"minutes": field}, **more}


def refused(change: Change) -> list[tuple[tuple[Any, ...], str]]:
    """Change the small policy and return where it is wrong and why."""
    data = declared()
    change(data)
    with pytest.raises(ValidationError) as caught:
        Policy.model_validate(data)
    return [(error["loc"], error["msg"]) for error in caught.value.errors()]


def bill(**more: Any) -> Change:
    """Change the bills."""
    return lambda data: crm(data)["bill"].update(more)


def anchor(written: dict[str, Any]) -> Change:
    """Change the anchor of the bills' date."""
    return lambda data: crm(data)["bill"]["anchors"].update({"document-date": written})


def with_meeting(**more: Any) -> Change:
    """Add a shared table at the end."""
    return lambda data: crm(data).update(meeting=meeting(**more))


BELOW = {
    "parent": {"table": "meeting", "columns": {"no": "no"}},
    "key": ["n"],
    "fields": {
        "text": {"category": "voluntary", "grounds": ["service-interest"], "action": "erase"}
    },
}
REFUSED: dict[str, tuple[Change, tuple[Any, ...], str]] = {
    "restriction that says nothing": (
        bill(restrict={"column": "blocked", "value": 1, "lifted": 1}),
        (*TOP, "bill", "restrict"),
        "value and lifted are the same",
    ),
    "restriction of shared rows": (
        with_meeting(restrict={"column": "blocked", "value": 1, "lifted": 0}),
        (*TOP, "meeting", "restrict"),
        "belong to several people",
    ),
    "restriction that hides its rows": (
        bill(
            where={"state": ["on"]},
            restrict={"column": "state", "value": "off", "lifted": "on"},
        ),
        (*TOP, "bill", "restrict", "column"),
        "would not be found again",
    ),
    "restriction in a field": (
        bill(restrict={"column": "buyer", "value": "stop", "lifted": None}),
        (*TOP, "bill", "fields", "buyer"),
        "used under restrict",
    ),
    "unknown table": (
        bill(references=[{"table": "persn", "columns": {"a": "no"}}]),
        (*TOP, "bill", "references", 0, "table"),
        "did you mean 'person'?",
    ),
    "declared after": (
        lambda data: crm(data)["person"].update(
            references=[{"table": "bill", "columns": {"last": "bill_no"}}]
        ),
        (*TOP, "person", "references", 0, "table"),
        "must be declared before it",
    ),
    "no link": (
        anchor({"newest": "sent", "in": "reminder", "null": "unknown"}),
        (*TOP, "bill", "anchors", "document-date"),
        "no table of this store is called 'reminder'",
    ),
    "not tied": (
        lambda data: (
            crm(data).update(other={**crm(data)["bill"], "anchors": crm(data)["bill"]["anchors"]}),
            anchor({"newest": "sent", "in": "other", "null": "unknown"})(data),
        ),
        (*TOP, "bill", "anchors", "document-date"),
        "nothing says how rows of 'other' belong to rows of 'bill'",
    ),
    "shared with identifiers": (
        with_meeting(identifiers={"email": "mail"}),
        (*TOP, "meeting", "identifiers"),
        "drop identifiers",
    ),
    "shared before its links": (
        with_meeting(shared_by={"table": "later", "columns": {"no": "no"}}),
        (*TOP, "meeting", "shared_by", "table"),
        "no table of this store is called 'later'",
    ),
    "links that stay": (
        lambda data: (with_meeting()(data), crm(data)["bill"].update(row="stays")),
        (*TOP, "meeting", "shared_by", "table"),
        "would never go",
    ),
    "below a shared row": (
        lambda data: (with_meeting()(data), crm(data).update(point=BELOW)),
        (*TOP, "point", "parent"),
        "nothing can hang below",
    ),
    "evidence not mapped": (
        lambda data: data["grounds"]["survey-consent"].update(evidence="column"),
        (*TOP, "person"),
        "add evidence: {survey-consent:",
    ),
    "evidence of nothing": (
        bill(evidence={"survey-consent": {"column": "agreed", "value": True}}),
        (*TOP, "bill", "evidence", "survey-consent"),
        "no field of this table rests on",
    ),
    "evidence of no ground": (
        bill(evidence={"survey-consnt": {"column": "agreed", "value": True}}),
        (*TOP, "bill", "evidence", "survey-consnt"),
        "did you mean 'survey-consent'?",
    ),
    "evidence of an interest": (
        lambda data: data["grounds"]["service-interest"].update(evidence="ledger"),
        ("grounds", "service-interest"),
        "evidence is given of a consent",
    ),
    "a condition that is erased": (
        bill(where={"remark": "x"}),
        (*TOP, "bill", "fields", "remark"),
        "used under where",
    ),
}


@pytest.mark.parametrize("mistake", REFUSED)
def test_a_link_that_cannot_be_followed(mistake: str) -> None:
    """Each mistake is told once, at its place, with what to write instead."""
    change, place, words = REFUSED[mistake]
    found = refused(change)
    assert (place, True) in [(at, words in message) for at, message in found]


def test_declared_links_reach_the_connector() -> None:
    """What a policy says of dates, links, filters and evidence is what the connector is given."""
    data = declared()
    data["grounds"]["survey-consent"]["evidence"] = "column"
    tables = crm(data)
    tables["person"]["evidence"] = {"survey-consent": {"column": "agreed", "value": [1, None]}}
    tables["person"]["anchors"]["contract-end"] = {
        "later_of": [
            {"column": "ended", "null": "running"},
            {"newest": "issued", "in": "bill", "null": "unknown"},
        ]
    }
    tables["bill"]["where"] = {"kind": {"not": ["draft"]}}
    tables["bill"]["anchors"]["contract-end"] = {"column": "issued", "null": "unknown"}
    with_meeting()(data)
    mapping = Policy.model_validate(data).mapping("crm")
    person, bills, meetings = mapping.tables
    uses = {use.ground: use for group in person.groups for use in group.grounds}
    contract = uses["contract"]
    assert contract.anchor == Anchor("ended", False, NullAnchor.RUNNING)
    link = ParentLink("bill", (("no", "person_no"),))
    assert contract.others == (Anchor("issued", False, NullAnchor.UNKNOWN, link, Pick.NEWEST),)
    assert uses["survey-consent"].evidence == Evidence(Filter("agreed", (1, None)))
    assert bills.where == (Filter("kind", ("draft",), negated=True),)
    assert meetings.shared_by == ParentLink("bill", (("no", "meeting_no"),))
