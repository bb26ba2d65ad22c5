"""A policy that would lose a date before its ground is over, or a row for ever, is refused."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from connectors.mapping import Anchor, NullAnchor, ParentLink, Pick
from tests.unit.core.policies import declared
from worker.core.policy import Policy

ISSUED = {"column": "issued", "null": "unknown"}
NEWEST = {"newest": "issued", "in": "bill", "null": "unknown"}
OLDEST = {"oldest": "issued", "in": "bill", "null": "unknown"}
ENDED = {"column": "ended", "null": "running"}


def field(*grounds: str) -> dict[str, Any]:
    """A field that is erased."""
    return {"category": "voluntary", "grounds": list(grounds), "action": "erase"}


def tables(person: Any, bill: Any, **more: Any) -> dict[str, Any]:
    """People whose books run from some date, and their bills with their own; further tables."""
    data = declared()
    data["stores"]["crm"]["tables"] = {
        "person": {
            "key": ["no"],
            "identifiers": {"email": "email"},
            "anchors": {"document-date": person},
            "fields": {"name": field("books")},
        },
        "bill": {
            "key": ["bill_no"],
            "parent": {"table": "person", "columns": {"person_no": "no"}},
            "anchors": {"document-date": bill},
            "fields": {"buyer": field("books"), "remark": field("survey-consent")},
        },
        **more,
    }
    return data


def refused(data: dict[str, Any]) -> dict[tuple[Any, ...], str]:
    """Return where in the store's tables a policy is wrong, and why."""
    with pytest.raises(ValidationError) as caught:
        Policy.model_validate(data)
    return {error["loc"][3:]: error["msg"] for error in caught.value.errors()}


@pytest.mark.parametrize("anchor", [NEWEST, {"later_of": [ENDED, NEWEST]}])
@pytest.mark.parametrize("bill", [ISSUED, {"later_of": [ENDED, ISSUED]}])
def test_the_newest_of_rows_that_live_as_long(anchor: Any, bill: Any) -> None:
    """A row may run from the newest that hangs on it, where that one stays by the same ground."""
    Policy.model_validate(tables(anchor, bill))


@pytest.mark.parametrize(
    "bill",
    [
        {"column": "paid", "null": "unknown"},
        {"column": "issued", "of": "parent", "null": "unknown"},
        {"earlier_of": [ISSUED, ENDED]},
    ],
)
def test_the_newest_of_rows_with_another_date(bill: Any) -> None:
    """Rows that may go by another date would take the ground's date along: the way out is told."""
    place = ("person", "anchors", "document-date")
    assert (
        "give a field of 'bill' that ground too, run from its 'issued'"
        in (refused(tables(NEWEST, bill))[place])
    )


def test_the_newest_of_rows_without_the_ground() -> None:
    """Rows that rest on something else go by themselves, and the date with them."""
    data = tables(NEWEST, ISSUED)
    data["stores"]["crm"]["tables"]["bill"]["fields"]["buyer"] = field("survey-consent")
    assert ("person", "anchors", "document-date") in refused(data)


def test_a_consent_that_each_row_records_for_itself() -> None:
    """The same consent may stand in one row and not in the other: neither lives by the other."""
    data = tables(NEWEST, ISSUED)
    consent = {"anchor": "document-date", "period": "1y", "evidence": "column"}
    data["grounds"]["survey-consent"] |= consent
    person, bill = data["stores"]["crm"]["tables"].values()
    person["fields"]["name"] = field("survey-consent")
    person["evidence"] = {"survey-consent": {"column": "agreed", "value": True}}
    bill["evidence"] = {"survey-consent": {"column": "agreed", "value": True}}
    assert "'survey-consent' runs" in refused(data)["person", "anchors", "document-date"]


@pytest.mark.parametrize("anchor", [OLDEST, {"earlier_of": [ENDED, NEWEST]}])
def test_a_date_that_changes_as_rows_go(anchor: Any) -> None:
    """The oldest row goes first, and then another is the oldest: no ground can run from it."""
    place = ("person", "anchors", "document-date")
    assert "row: stays in 'bill'" in refused(tables(anchor, ISSUED))[place]
    data = tables(anchor, ISSUED)
    data["stores"]["crm"]["tables"]["bill"]["row"] = "stays"
    Policy.model_validate(data)


def test_rows_that_outlive_the_one_at_hand() -> None:
    """A row goes before its parent and before what it points at: those dates are safe."""
    for written in ({"oldest": "born", "in": "person", "null": "unknown"}, {"earlier_of": [ENDED]}):
        Policy.model_validate(tables(ISSUED, written))


def test_a_date_in_a_column_that_is_erased() -> None:
    """A linked row that stays must keep the date by which another lives."""
    data = tables(NEWEST, ISSUED)
    bill = data["stores"]["crm"]["tables"]["bill"]
    bill["fields"]["issued"] = field("survey-consent")
    found = refused(data)
    assert "'issued' is the" in found["bill", "fields", "issued"]
    bill["anchors"] = {"document-date": {**ISSUED, "column": "paid"}}
    found = refused(data)
    assert "anchor of linked rows" in found["bill", "fields", "issued"]


def test_a_proof_that_is_erased() -> None:
    """The column that proves the children's consent stays as long as the row."""
    data = tables(ISSUED, ISSUED)
    data["grounds"]["survey-consent"]["evidence"] = "column"
    person, bill = data["stores"]["crm"]["tables"].values()
    person["fields"]["agreed"] = field("news-consent")
    proof = {"column": "agreed", "value": True, "of": "parent"}
    bill["evidence"] = {"survey-consent": proof}
    assert "children's evidence" in refused(data)["person", "fields", "agreed"]


def test_a_column_that_others_point_at() -> None:
    """A row that is held must keep the column by which it is held, even with one ground alone."""
    up = {"table": "person", "columns": {"person_no": "no"}}
    street = {"key": ["no"], "parent": up, "anchors": {"document-date": ISSUED}}
    street["fields"] = {"code": field("books")}
    data = tables(ISSUED, ISSUED)
    crm = data["stores"]["crm"]["tables"]
    crm["street"] = street
    crm["bill"] = crm.pop("bill")
    Policy.model_validate(data)
    crm["bill"]["references"] = [{"table": "street", "columns": {"street_code": "code"}}]
    assert "link of other rows" in refused(data)["street", "fields", "code"]


def test_a_history_looks_at_itself() -> None:
    """What is cleaned last cannot ask rows that may be gone for a date or a consent."""
    up = {"table": "person", "columns": {"person_no": "no"}}
    old = {"key": ["id"], "parent": up, "history": True, "anchors": {"document-date": ISSUED}}
    old["fields"] = {"name": field("books")}
    Policy.model_validate(tables(ISSUED, ISSUED, old=old))
    for written in ({"newest": "born", "in": "person"}, {"column": "born", "of": "parent"}):
        old["anchors"] = {"document-date": {**written, "null": "unknown"}}
        found = refused(tables(ISSUED, ISSUED, old=old))
        assert "name a column of the history itself" in found["old", "anchors", "document-date"]
    del old["anchors"]
    old["fields"] = {"name": field("survey-consent")}
    old["evidence"] = {"survey-consent": {"column": "agreed", "value": True, "of": "parent"}}
    data = tables(ISSUED, ISSUED, old=old)
    data["grounds"]["survey-consent"]["evidence"] = "column"
    data["stores"]["crm"]["tables"]["bill"]["evidence"] = {
        "survey-consent": {"column": "agreed", "value": True}
    }
    assert "write of: row" in refused(data)["old", "evidence", "survey-consent", "of"]


def account(*grounds: str, **more: Any) -> dict[str, Any]:
    """An account that the people of several bills share."""
    shared = {"table": "bill", "columns": {"no": "account_no"}}
    return {"key": ["no"], "shared_by": shared, "fields": {"bank": field(*grounds)}, **more}


def test_a_shared_row_that_its_links_keep() -> None:
    """A link that rests on the same ground, dated by the shared row, is there as long as it."""
    Policy.model_validate(tables(ISSUED, ISSUED, account=account("survey-consent")))
    of_account = {"newest": "closed", "in": "account", "null": "unknown"}
    closed = {"document-date": {"column": "closed", "null": "running"}}
    policy = Policy.model_validate(
        tables(ISSUED, of_account, account=account("books", anchors=closed))
    )
    bill = policy.mapping("crm").tables[1]
    link = ParentLink("account", (("account_no", "no"),))
    expected = Anchor("closed", False, NullAnchor.UNKNOWN, link, Pick.NEWEST)
    assert bill.groups[0].grounds[0].anchor == expected


@pytest.mark.parametrize(
    ("shared", "bill"),
    [
        (account("news-consent"), ISSUED),
        (account("books", anchors={"document-date": ENDED}), ISSUED),
        (
            account("books", anchors={"document-date": {"later_of": [ENDED]}}),
            {"newest": "ended", "in": "account", "null": "unknown"},
        ),
        (
            account("books", anchors={"document-date": ENDED}),
            {"newest": "closed", "in": "account", "null": "unknown"},
        ),
    ],
)
def test_a_shared_row_that_nobody_would_find_again(shared: Any, bill: Any) -> None:
    """Links that may go first would leave the shared row to itself for ever."""
    found = refused(tables(ISSUED, bill, account=shared))
    assert "nobody would find again" in found["account", "shared_by"]
