"""Events and messages as upstream would send them, for the tests of this folder."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from hypothesis import HealthCheck, settings

from topics.events import Event, Trigger, Vocabulary
from topics.reading import Message, read
from topics.rejections import Rejected

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
VOCABULARY = Vocabulary(
    identifiers={"customer_id": "text", "email": "email", "phone": "phone"},
    purposes=frozenset({"newsletter", "survey"}),
    country="NO",
    stores={
        "crm": {"customer": frozenset({"contract"}), "contact_log": frozenset({"interest"})},
        "billing": {"invoice": frozenset({"bookkeeping"})},
    },
    time_zone="Europe/Oslo",
)
STRUCTURED = (("content-type", b"application/cloudevents+json; charset=UTF-8"),)

PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""For properties: a busy machine is no failure."""


def data(**changes: Any) -> dict[str, Any]:
    """Data of a withdrawal; a change to None leaves a member out."""
    members = {"subject": {"email": "Kari@Example.no"}, "purposes": ["newsletter"]} | changes
    return {name: value for name, value in members.items() if value is not None}


def retention(**members: Any) -> dict[str, Any]:
    """A retention trigger with these data."""
    return event(type="privacy.retention.expired.v1", data=members)


def event(**changes: Any) -> dict[str, Any]:
    """A withdrawal; a change to None leaves an attribute out."""
    attributes = {
        "specversion": "1.0",
        "id": "e-1",
        "source": "/preference-centre",
        "type": "privacy.consent.withdrawn.v1",
        "time": "2026-03-10T10:00:00+01:00",
        "data": data(),
    } | changes
    return {name: value for name, value in attributes.items() if value is not None}


def message(
    value: bytes | None, headers: tuple[tuple[str, bytes | None], ...] = STRUCTURED
) -> Message:
    """A message on the topic of consents, at offset 41 of partition 2."""
    return Message("privacy.consent", 2, 41, None, value, headers)


def structured(attributes: dict[str, Any]) -> Message:
    """An event in structured mode."""
    return message(json.dumps(attributes).encode())


def binary(attributes: dict[str, Any], **headers: bytes | None) -> Message:
    """An event in binary mode; ``headers`` are added (ce_ and all) or replace."""
    plain = {f"ce_{n}": str(v).encode() for n, v in attributes.items() if n != "data"}
    value = json.dumps(attributes["data"]).encode() if "data" in attributes else b""
    every = {"content-type": b"application/json"} | plain | headers
    return message(value, tuple(every.items()))


def accept(one: Message) -> Event:
    """The event in a message, with our policy and our clock."""
    found = read(one, VOCABULARY, NOW)
    assert isinstance(found, Event)
    return found


def accept_trigger(one: Message) -> Trigger:
    """The trigger for a rule in a message, with our policy and our clock."""
    found = read(one, VOCABULARY, NOW)
    assert isinstance(found, Trigger)
    return found


def rejection_of(one: Message) -> Rejected:
    """The rejection of a message; fails when it is accepted."""
    try:
        read(one, VOCABULARY, NOW)
    except Rejected as rejected:
        return rejected
    raise AssertionError("the message was accepted")
