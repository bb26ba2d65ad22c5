"""Good events in both modes of CloudEvents."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest

from tests.unit.topics.making import (
    NOW,
    VOCABULARY,
    accept,
    binary,
    data,
    event,
    message,
    structured,
)
from topics.events import ACTING, Channel, Event, EventKind, Vocabulary
from topics.reading import read
from topics.subject import Subject

FULL = event(data=data(channel="e-mail", requested_at="2026-03-09T08:00:00.5Z"))
EXPECTED = Event(
    kind=EventKind.CONSENT_WITHDRAWN,
    source="/preference-centre",
    id="e-1",
    time=datetime(2026, 3, 10, 9, 0, tzinfo=UTC),
    subject=Subject.of({"email": "kari@example.no"}),
    purposes=("newsletter",),
    channel=Channel.EMAIL,
    requested_at=datetime(2026, 3, 9, 8, 0, 0, 500_000, tzinfo=UTC),
)


def test_a_structured_event_is_read() -> None:
    """An event in the JSON format gives normalised identifiers and times in UTC."""
    assert accept(structured(FULL)) == EXPECTED


def test_a_binary_event_is_read() -> None:
    """The same event with its attributes in ce_ headers is the same event."""
    assert accept(binary(FULL)) == EXPECTED


def test_binary_is_the_mode_without_a_content_type_too() -> None:
    """A ce_ header is enough to know the mode; data are JSON when nothing else is said."""
    assert accept(binary(FULL, **{"content-type": None})) == EXPECTED


def test_structured_is_the_mode_without_any_header() -> None:
    """A bare JSON event, as from a console producer, is read."""
    assert accept(message(json.dumps(FULL).encode(), ())) == EXPECTED


def test_structured_wins_when_attributes_stand_in_headers_as_well() -> None:
    """The content type says the mode: ce_ headers beside a structured event are only a copy."""
    headers = (("Content-Type", b"Application/CloudEvents+JSON"), ("ce_id", b"other"))
    assert accept(message(json.dumps(FULL).encode(), headers)) == EXPECTED


def test_headers_of_others_are_none_of_our_business() -> None:
    """Tracing headers that are not text, or empty, do no harm; neither does the key."""
    extra = {"traceparent": b"\xff\xfe", "x-null": None, "CE_Traceid": b"17"}
    assert accept(binary(FULL, **extra)) == EXPECTED


def test_data_as_base64_is_read() -> None:
    """JSON data that come as data_base64 are the same data."""
    packed = base64.b64encode(json.dumps(FULL["data"]).encode()).decode()
    assert accept(structured({**event(data=None), "data_base64": packed})) == EXPECTED


def test_null_attributes_are_unset_and_extensions_are_allowed() -> None:
    """The JSON format lets a null stand for an unset attribute; extensions do not matter."""
    odd = {**FULL, "dataschema": None, "traceid": "a-1", "subject": "newsletter/7"}
    assert accept(message(json.dumps(odd).encode())) == EXPECTED


@pytest.mark.parametrize("kind", sorted(ACTING))
def test_each_acting_kind_is_read(kind: str) -> None:
    """The kinds that act come through with what they name; only consents name purposes."""
    consent = "consent" in kind
    read_back = accept(
        structured(event(type=kind, data=data(purposes=["survey"] * consent or None)))
    )
    assert read_back.kind == kind
    assert read_back.purposes == (("survey",) if consent else ())


def test_purposes_are_named_once_and_subjects_ordered() -> None:
    """A purpose named twice counts once, and equal people are equal whatever the order."""
    people = [{"phone": "91234567", "email": "a@example.no"}, {"email": "A@example.no"}]
    people[1]["phone"] = "+47 91 23 45 67"
    both = [
        accept(
            structured(event(data=data(subject=who, purposes=["survey", "newsletter", "survey"])))
        )
        for who in people
    ]
    assert both[0].purposes == ("survey", "newsletter")
    assert both[0].subject == both[1].subject


def test_an_escaped_backslash_before_u0000_is_no_nul() -> None:
    """Text that only looks like an escaped NUL is text."""
    raw = json.dumps(event(data=data(subject={"customer_id": r"a\u0000b"}))).encode()
    assert b"\\u0000" in raw
    assert accept(message(raw)).subject.plain() == {"customer_id": r"a\u0000b"}


def test_an_hour_ahead_is_still_accepted() -> None:
    """Clocks differ: exactly an hour in the future is no fault."""
    ahead = (NOW + timedelta(hours=1)).isoformat()
    assert accept(structured(event(time=ahead))).time == NOW + timedelta(hours=1)


def test_64_kib_and_depth_32_are_still_accepted() -> None:
    """The limits themselves are within the limits."""
    deep: object = "x"
    for _ in range(31):
        deep = [deep]
    raw = json.dumps(event(extension=deep)).encode()
    size = 65_536 - sum(len(name) + len(value) for name, value in _HEADERS)
    assert accept(message(raw + b" " * (size - len(raw)), _HEADERS)).id == "e-1"


_HEADERS = (("content-type", b"application/cloudevents+json"),)


def test_our_own_mistakes_are_not_blamed_on_the_message() -> None:
    """A clock without a zone or a policy with unknown words raises ValueError, not Rejected."""
    naive = NOW.replace(tzinfo=None)
    with pytest.raises(ValueError, match="time zone"):
        read(structured(event()), VOCABULARY, naive)
    with pytest.raises(ValueError, match="unknown country"):
        Vocabulary({}, frozenset(), "Norway", {}, "UTC")
    with pytest.raises(ValueError, match="unknown form"):
        Vocabulary({"email": "mail"}, frozenset(), "NO", {}, "UTC")  # type: ignore[dict-item] # a mistake
    with pytest.raises(ValueError, match="unknown time zone"):
        Vocabulary({}, frozenset(), "NO", {}, "Europe/Olso")


def test_a_message_and_an_event_show_no_identifier() -> None:
    """Neither the message nor the event it becomes shows the person in a log."""
    one = structured(FULL)
    assert "ari@" not in repr(one)
    assert "ari@" not in repr(accept(one))
