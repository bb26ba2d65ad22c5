"""What a policy answers, and what it compiles to."""

from __future__ import annotations

import hashlib
from datetime import date
from typing import Any

import pytest
from pydantic import ValidationError

from connectors.mapping import (
    Anchor,
    Field,
    FieldGroup,
    GroundUse,
    IdentifierColumn,
    NullAnchor,
    ParentLink,
    Table,
)
from tests.unit.core.policies import NORDLYS, declared, small
from topics.events import EventKind
from worker.core.policy import Policy
from worker.policy_file import load, parse

CONTRACT = GroundUse("contract", False, Anchor("ended", False, NullAnchor.RUNNING))


def test_root_compiles() -> None:
    """A root table becomes its identifiers and one group for each set of grounds."""
    assert small().mapping("crm").root == Table(
        name="person",
        relation="person",
        schema=None,
        key=("no",),
        parent=None,
        groups=(
            FieldGroup("person.name", (Field("name", "name", "slettet"),), (CONTRACT,)),
            FieldGroup(
                "person.email+phone",
                (Field("email", "email", None), Field("phone", "phone", None)),
                (CONTRACT, GroundUse("news-consent", True, None)),
            ),
            FieldGroup(
                "person.notes",
                (Field("notes", "voluntary", None),),
                (
                    GroundUse("service-interest", True, None),
                    GroundUse("survey-consent", True, None),
                ),
            ),
        ),
        identifiers=(
            IdentifierColumn("customer_id", "no", False, True),
            IdentifierColumn("email", "email", True, True),
            IdentifierColumn("phone", "phone", False, False),
        ),
    )


def test_child_compiles() -> None:
    """A child keeps its link, and an anchor of the parent is marked as such."""
    child = small().mapping("crm").tables[1]
    assert child.parent == ParentLink("person", (("person_no", "no"),))
    assert child.groups[0].grounds == (
        GroundUse("books", False, Anchor("issued", False, NullAnchor.UNKNOWN)),
        GroundUse("contract", False, Anchor("ended", True, NullAnchor.RUNNING)),
    )
    assert child.groups[1].grounds[1] == GroundUse("fraud-interest", False, None)


def test_names_in_the_database() -> None:
    """Relation, schema, rows that stay and rows per person are carried over."""
    data = declared()
    table = data["stores"]["crm"]["tables"]["bill"]
    table |= {"relation": "Bills", "schema": "old", "row": "stays"}
    bill = Policy.model_validate(data).mapping("crm").tables[1]
    assert (bill.relation, bill.schema, bill.row_stays) == ("Bills", "old", True)
    assert small().mapping("letters").root.rows_per_person == "many"


def test_order_of_grounds_does_not_matter() -> None:
    """Fields whose grounds are the same in another order are one group, in an equal mapping."""
    data = declared()
    data["stores"]["crm"]["tables"]["person"]["fields"]["email"]["grounds"].reverse()
    assert Policy.model_validate(data).mapping("crm") == small().mapping("crm")


def test_mapping_is_made_once() -> None:
    """A store's mapping is the same object each time, so that statements can be built on it."""
    policy = small()
    assert policy.mapping("crm") is policy.mapping("crm")
    assert policy.read_from(b"x").mapping("crm") is policy.mapping("crm")


def test_revocable() -> None:
    """Consents and interests that do not override can be ended; duties and contracts cannot."""
    policy = small()
    assert policy.revocable("crm") == ("news-consent", "service-interest", "survey-consent")
    assert policy.revocable("letters") == ("news-consent", "offers-interest")
    assert list(policy.revocable_grounds("letters")) == ["news-consent", "offers-interest"]


def test_cutoffs() -> None:
    """Each ground of the store that has an anchor has its cut-off for the day."""
    assert small().cutoffs("crm", date(2032, 1, 1)) == {
        "books": date(2026, 12, 31),
        "contract": date(2031, 12, 31),
    }
    assert small().cutoffs("letters", date(2032, 1, 1)) == {}


def test_until() -> None:
    """The policy's period and rounding say until when a ground lives."""
    assert small().until("books", date(2026, 3, 10)) == date(2032, 1, 1)
    assert small().until("contract", date(2026, 3, 10)) == date(2026, 3, 11)


def test_until_needs_a_period() -> None:
    """A ground without a period has no date to give, and says so."""
    with pytest.raises(ValueError, match="'news-consent' has no period"):
        small().until("news-consent", date(2026, 3, 10))


@pytest.mark.parametrize(
    ("kind", "purposes", "stopped"),
    [
        (EventKind.CONSENT_WITHDRAWN, ("survey", "news", "survey"), ("news", "survey")),
        (EventKind.MARKETING_OBJECTED, (), ("news", "offers")),
        (EventKind.ERASURE_REQUESTED, (), ("news", "offers", "service", "survey")),
        (EventKind.CONSENT_GIVEN, ("news",), ()),
    ],
)
def test_stopped_purposes(
    kind: EventKind, purposes: tuple[str, ...], stopped: tuple[str, ...]
) -> None:
    """A withdrawal stops its own purposes, an objection marketing, a request all it can end."""
    assert small().stopped_purposes(kind, purposes) == stopped


def test_vocabulary() -> None:
    """Events may use the policy's identifiers and purposes, and its country's telephones."""
    words = small().vocabulary()
    assert dict(words.identifiers) == {"customer_id": "text", "email": "email", "phone": "phone"}
    assert words.purposes == {"news", "offers", "service", "fraud", "survey"}
    assert words.country == "NO"


def test_frozen() -> None:
    """A policy that is being carried out cannot be changed."""
    with pytest.raises(ValidationError):
        small().version = "2"  # type: ignore[misc] # what the test is about


def test_digest() -> None:
    """A policy from a file carries the SHA-256 of that file; one without a file carries none."""
    content = NORDLYS.read_bytes()
    assert load(NORDLYS).digest == hashlib.sha256(content).hexdigest()
    assert parse(content + b"\n", "p").digest != load(NORDLYS).digest
    assert small().digest == ""


@pytest.mark.parametrize("bare", [b"country: NO\n", b'country: "NO"\n'])
def test_norway_is_a_country(bare: bytes) -> None:
    """``country: NO`` means Norway, with and without quotes, and a date-like version is text."""
    content = NORDLYS.read_bytes().replace(b'country: "NO" ', bare)
    content = content.replace(b'version: "2026-11-25"', b"version: 2026-11-25")
    policy = parse(content, "p")
    assert (policy.country, policy.version) == ("NO", "2026-11-25")


def test_null_may_stand_bare() -> None:
    """``null: running`` is read as what it says, quoted or not."""
    content = NORDLYS.read_bytes()
    assert parse(content.replace(b'"null"', b"null"), "p").mapping("crm") == load(NORDLYS).mapping(
        "crm"
    )


def test_key_may_be_a_field_of_a_row_that_goes_whole() -> None:
    """Where a row is only ever deleted, personal data in its key need not be left out."""
    data = declared()
    table = data["stores"]["letters"]["tables"]["subscriber"]
    table["key"] = ["email"]
    assert Policy.model_validate(data).mapping("letters").root.key == ("email",)
    for change in ({"row": "stays"}, {"fields": {**table["fields"], "name": _other()}}):
        spoilt = declared()
        spoilt["stores"]["letters"]["tables"]["subscriber"] = {**table, **change}
        with pytest.raises(ValidationError, match="'email' is the key"):
            Policy.model_validate(spoilt)


def _other() -> dict[str, Any]:
    return {"category": "name", "grounds": ["news-consent"], "action": "erase"}


def test_table_without_fields() -> None:
    """A table without fields, whose rows nothing would keep, is refused."""
    data = declared()
    data["stores"]["crm"]["tables"]["bill"]["fields"] = {}
    with pytest.raises(ValidationError, match="no ground to be kept on"):
        Policy.model_validate(data)


@pytest.mark.parametrize("junk", [None, 7, [], {"stores": 3}, {"stores": {"a": {"tables": [1]}}}])
def test_any_input_is_refused_politely(junk: object) -> None:
    """Whatever stands for a policy, the answer is a validation error."""
    with pytest.raises(ValidationError):
        Policy.model_validate(junk)
