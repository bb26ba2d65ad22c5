"""Retention triggers: one subject or a rule, judged by the words of the policy."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from tests.unit.topics.making import (
    VOCABULARY,
    accept,
    accept_trigger,
    rejection_of,
    retention,
    structured,
)
from topics.events import EventKind, Trigger
from topics.publishing import Mode, event_to_message
from topics.reading import Message, read
from topics.rejections import Rejected

KARI = {"email": "Kari@Example.no"}


def test_a_trigger_for_one_subject_is_an_event() -> None:
    """It names a person as any event does, ends nothing, and says in which stores to look."""
    one = accept(structured(retention(subject=KARI, stores=["crm", "billing", "crm"])))
    assert one.kind is EventKind.RETENTION_EXPIRED
    assert one.subject.plain() == {"email": "kari@example.no"}
    assert one.stores == ("billing", "crm")
    assert (one.purposes, one.channel, one.requested_at) == ((), None, None)


def test_without_stores_all_are_meant() -> None:
    """A trigger that names no store limits nothing."""
    assert accept(structured(retention(subject=KARI))).stores == ()


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"store": "crm"}, ("crm", None, None, None)),
        ({"store": "crm", "table": "customer"}, ("crm", "customer", None, None)),
        ({"store": "crm", "ground": "interest"}, ("crm", None, "interest", None)),
        (
            {"store": "crm", "table": "customer", "ground": "contract", "as_of": "2026-03-10"},
            ("crm", "customer", "contract", date(2026, 3, 10)),
        ),
    ],
)
def test_a_trigger_for_a_rule_is_about_nobody(
    given: dict[str, Any], expected: tuple[Any, Any, Any, Any]
) -> None:
    """A rule names a store, and at the most a table and a ground of it and a day not to come."""
    at = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)
    assert accept_trigger(structured(retention(**given))) == Trigger(
        "/preference-centre", "e-1", at, *expected
    )


def test_today_is_today_in_the_policys_time_zone() -> None:
    """Half an hour before midnight in UTC it is tomorrow in Oslo, and that day has begun."""
    late = datetime(2026, 3, 10, 23, 30, tzinfo=UTC)
    message = structured(retention(store="crm", as_of="2026-03-11"))
    assert isinstance(read(message, VOCABULARY, late), Trigger)
    with pytest.raises(Rejected, match="future-date"):
        read(message, VOCABULARY, late.replace(hour=22))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "neither subject nor store is given: give data.subject"),
        ({"subject": KARI, "store": "crm"}, "subject does not go with store"),
        ({"store": "crm", "stores": ["crm"]}, "stores goes with subject"),
        ({"store": "shop"}, "it declares billing, crm"),
        ({"store": "crm", "table": "invoice"}, "for this store; it declares contact_log, customer"),
        (
            {"store": "crm", "table": "customer", "ground": "interest"},
            "for this table; it declares contract",
        ),
        ({"store": "crm", "as_of": "2027-01-01"}, "give today or a day before, or leave it out"),
    ],
)
def test_a_rejection_says_what_to_do(given: dict[str, Any], said: str) -> None:
    """Whoever published it reads what the policy has, or which of the two forms to give."""
    assert said in rejection_of(structured(retention(**given))).detail


@pytest.mark.parametrize("mode", ["structured", "binary"])
def test_both_forms_are_published_and_read_back(mode: Mode) -> None:
    """What the helper makes of either form, our own reader understands, in either mode."""
    for data in ({"subject": KARI, "stores": ["crm"]}, {"store": "crm", "as_of": "2026-03-01"}):
        sent = event_to_message(retention(**data), mode)
        assert sent.topic == "privacy.retention"
        arrived = Message(sent.topic, 0, 0, sent.key, sent.value, sent.headers)
        assert read(arrived, VOCABULARY, datetime(2026, 3, 10, 12, tzinfo=UTC)).id == "e-1"
