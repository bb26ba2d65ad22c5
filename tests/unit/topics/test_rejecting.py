"""Bad input: each kind has its reason, nothing of the payload, and whose it was where readable."""

from __future__ import annotations

import json
import traceback
from datetime import timedelta
from typing import Any

import pytest

from tests.unit.topics.making import (
    NOW,
    binary,
    data,
    event,
    message,
    rejection_of,
    retention,
    structured,
)
from topics.reading import Message
from topics.rejections import Reason

CANARY = "canary-7731"
ORIGIN = ("/preference-centre", "e-1")
NOBODY = (None, None)
SOMEBODY = {"email": "canary-7731@example.no"}


def nested(depth: int) -> object:
    """Lists within lists."""
    inner: object = 1
    for _ in range(depth):
        inner = [inner]
    return inner


def raw(**changes: Any) -> bytes:
    """A structured event as bytes."""
    return json.dumps(event(**changes)).encode()


def with_data(**changes: Any) -> Message:
    """A structured event whose data are changed."""
    return structured(event(data=data(**changes)))


BAD: list[tuple[str, Message, tuple[str | None, str | None]]] = [
    ("tombstone", message(None), NOBODY),
    ("tombstone", message(None, (("ce_id", b"e-1"), ("ce_source", b"/a"))), ("/a", "e-1")),
    ("too-large", message(raw() + b" " * 65_536), NOBODY),
    ("too-large", binary(event(), ce_x=b"x" * 65_536), ORIGIN),
    ("too-large", structured(event(id="x" * 513)), ("/preference-centre", None)),
    ("too-large", binary(event(source="x" * 513)), (None, "e-1")),
    ("not-json", message(b""), NOBODY),
    ("not-json", message(b"canary-7731 {"), NOBODY),
    ("not-json", message(b"\xff\xfe" + raw()), NOBODY),
    ("not-json", message(raw().decode().encode("utf-16")), NOBODY),
    ("not-json", message(raw()[:-1]), NOBODY),
    ("not-json", message(b'{"a": NaN}'), NOBODY),
    ("not-json", message(b'{"a": ' + b"9" * 5000 + b"]"), NOBODY),
    ("not-json", message(b'{"a": "\t"}'), NOBODY),
    ("not-json", message(b"{canary", binary(event()).headers), ORIGIN),
    ("too-deep", structured(event(extension=nested(32))), ORIGIN),
    ("too-deep", message(b"[" * 60_000), NOBODY),
    ("too-deep", message(b'{"a":' * 12_000), NOBODY),
    ("too-deep", message(b"[" * 500 + b"]" * 500), NOBODY),
    ("too-deep", binary(event(data=nested(33))), ORIGIN),
    ("bad-text", with_data(subject={"customer_id": "a\x00b"}), ORIGIN),
    ("bad-text", with_data(subject={"customer_id": "a\ud800b"}), ORIGIN),
    ("bad-text", with_data(**{"a\x00": "b"}), ORIGIN),
    ("bad-text", structured(event(id="e\x00")), ("/preference-centre", None)),
    ("bad-text", structured(event(source="\udfff")), (None, "e-1")),
    ("bad-text", message(raw().replace(b"e-1", b"e\x00")), ("/preference-centre", None)),
    ("bad-text", message(raw().replace(b"Kari", b"\xed\xa0\x80")), ORIGIN),
    ("bad-text", binary(event(), ce_id=b"\xff"), ("/preference-centre", None)),
    ("bad-text", binary(event(), ce_trace=b"a\x00"), ORIGIN),
    ("bad-text", binary(event(data=data(purposes=["\x00"]))), ORIGIN),
    ("not-cloudevents", message(b"[]"), NOBODY),
    ("not-cloudevents", message(b"null"), NOBODY),
    ("not-cloudevents", message(b'{"hello": "canary-7731"}'), NOBODY),
    ("not-cloudevents", structured(event(specversion="0.3")), ORIGIN),
    ("not-cloudevents", structured(event(specversion=None)), ORIGIN),
    ("not-cloudevents", structured(event(id=None)), ("/preference-centre", None)),
    ("not-cloudevents", structured(event(id="")), ("/preference-centre", None)),
    ("not-cloudevents", structured(event(id=7)), ("/preference-centre", None)),
    ("not-cloudevents", structured(event(source=None)), (None, "e-1")),
    ("not-cloudevents", structured(event(type=None)), ORIGIN),
    ("not-cloudevents", structured(event(type=["privacy"])), ORIGIN),
    ("not-cloudevents", structured(event(subject="")), ORIGIN),
    ("not-cloudevents", structured(event(**{f"Bad-{CANARY}": "x"})), ORIGIN),
    ("not-cloudevents", structured(event(data_base64="e30=")), ORIGIN),
    ("not-cloudevents", binary(event(), ce_id=None), ("/preference-centre", None)),
    ("not-cloudevents", binary(event(), ce_data=b"x"), ORIGIN),
    ("not-cloudevents", binary(event(), **{"content-type": b"\xff"}), ORIGIN),
    (
        "not-cloudevents",
        message(raw(), (("content-type", b"application/cloudevents+avro"),)),
        NOBODY,
    ),
    ("unsupported-type", structured(event(type=f"privacy.{CANARY}.v1")), ORIGIN),
    ("unsupported-type", structured(event(type="privacy.x.v1", time=None, data=None)), ORIGIN),
    ("no-time", structured(event(time=None)), ORIGIN),
    ("no-time", binary({k: v for k, v in event().items() if k != "time"}), ORIGIN),
    ("bad-time", structured(event(time="2026-03-10T10:00:00")), ORIGIN),
    ("bad-time", structured(event(time="2026-03-10")), ORIGIN),
    ("bad-time", structured(event(time="2026-02-30T10:00:00Z")), ORIGIN),
    ("bad-time", structured(event(time="0001-01-01T00:00:00+14:00")), ORIGIN),
    ("bad-time", structured(event(time=1_773_000_000)), ORIGIN),
    ("bad-time", binary(event(time="yesterday")), ORIGIN),
    ("bad-time", with_data(requested_at="2026-03-10T10:00:00"), ORIGIN),
    ("bad-time", with_data(requested_at=1_773_000_000), ORIGIN),
    ("future-time", structured(event(time=(NOW + timedelta(minutes=61)).isoformat())), ORIGIN),
    ("future-time", structured(event(time="9999-12-31T23:59:59Z")), ORIGIN),
    ("future-time", with_data(requested_at="2026-03-10T13:00:01Z"), ORIGIN),
    ("bad-data", structured(event(data=None)), ORIGIN),
    ("bad-data", binary(event(data=None)), ORIGIN),
    ("bad-data", structured(event(data="text")), ORIGIN),
    ("bad-data", structured(event(data=[1])), ORIGIN),
    ("bad-data", structured({**event(data=None), "data_base64": "no base64"}), ORIGIN),
    ("bad-data", structured(event(datacontenttype="text/plain")), ORIGIN),
    ("bad-data", binary(event(), **{"content-type": b"text/xml"}), ORIGIN),
    ("bad-data", with_data(purposes=None), ORIGIN),
    ("bad-data", with_data(purposes=[]), ORIGIN),
    ("bad-data", with_data(purposes="newsletter"), ORIGIN),
    ("bad-data", with_data(channel="pigeon"), ORIGIN),
    ("bad-data", with_data(**{CANARY: "x"}), ORIGIN),
    ("bad-data", structured(event(type="privacy.erasure.requested.v1")), ORIGIN),
    ("no-subject", with_data(subject=None), ORIGIN),
    ("no-subject", with_data(subject={}), ORIGIN),
    ("no-subject", with_data(subject="kari@example.no"), ORIGIN),
    ("unknown-identifier", with_data(subject={CANARY: "x"}), ORIGIN),
    ("bad-identifier", with_data(subject={"email": "canary-7731"}), ORIGIN),
    ("bad-identifier", with_data(subject={"email": ""}), ORIGIN),
    ("bad-identifier", with_data(subject={"customer_id": 10023}), ORIGIN),
    ("bad-identifier", with_data(subject={"customer_id": None}), ORIGIN),
    ("bad-identifier", with_data(subject={"customer_id": "  "}), ORIGIN),
    ("bad-identifier", with_data(subject={"phone": "canary-7731"}), ORIGIN),
    ("unknown-purpose", with_data(purposes=["newsletter", CANARY]), ORIGIN),
    ("bad-data", structured(retention()), ORIGIN),
    ("bad-data", structured(retention(stores=["crm"])), ORIGIN),
    ("bad-data", structured(retention(table="customer")), ORIGIN),
    ("bad-data", structured(retention(subject=SOMEBODY, store="crm")), ORIGIN),
    ("bad-data", structured(retention(subject=SOMEBODY, table="customer")), ORIGIN),
    ("bad-data", structured(retention(subject=SOMEBODY, as_of="2026-03-01")), ORIGIN),
    ("bad-data", structured(retention(store="crm", stores=["billing"])), ORIGIN),
    ("bad-data", structured(retention(subject=SOMEBODY, stores=[])), ORIGIN),
    ("bad-data", structured(retention(subject=SOMEBODY, stores="crm")), ORIGIN),
    ("bad-data", structured(retention(subject=None, store="crm")), ORIGIN),
    ("bad-data", structured(retention(store="crm", rule=CANARY)), ORIGIN),
    ("bad-data", structured(retention(store=7)), ORIGIN),
    ("bad-time", structured(retention(store="crm", as_of="2026-02-30")), ORIGIN),
    ("bad-time", structured(retention(store="crm", as_of="20260301")), ORIGIN),
    ("bad-time", structured(retention(store="crm", as_of="2026-03-01T00:00:00Z")), ORIGIN),
    ("bad-time", structured(retention(store="crm", as_of=20260301)), ORIGIN),
    ("no-subject", structured(retention(subject={})), ORIGIN),
    ("bad-identifier", structured(retention(subject={"email": CANARY})), ORIGIN),
    ("unknown-identifier", structured(retention(subject={CANARY: "x"})), ORIGIN),
    ("unknown-store", structured(retention(store=CANARY)), ORIGIN),
    ("unknown-store", structured(retention(subject=SOMEBODY, stores=["crm", CANARY])), ORIGIN),
    ("unknown-rule", structured(retention(store="crm", table=CANARY)), ORIGIN),
    ("unknown-rule", structured(retention(store="crm", table="invoice")), ORIGIN),
    ("unknown-rule", structured(retention(store="crm", ground=CANARY)), ORIGIN),
    ("unknown-rule", structured(retention(store="crm", ground="bookkeeping")), ORIGIN),
    (
        "unknown-rule",
        structured(retention(store="crm", table="customer", ground="interest")),
        ORIGIN,
    ),
    ("future-date", structured(retention(store="crm", as_of="2026-03-11")), ORIGIN),
]


@pytest.mark.parametrize(
    ("reason", "bad", "origin"),
    [pytest.param(*case, id=f"{number}-{case[0]}") for number, case in enumerate(BAD)],
)
def test_bad_input_is_rejected_with_its_reason(
    reason: str, bad: Message, origin: tuple[str | None, str | None]
) -> None:
    """Each bad message gets its own reason, names its origin, and repeats nothing it held."""
    rejected = rejection_of(bad)
    assert rejected.reason == reason
    assert (rejected.source, rejected.id) == origin
    assert rejected.detail
    assert "canary" not in "".join(traceback.format_exception(rejected))


def test_every_reason_is_tested() -> None:
    """No reason of the closed set is without an example above."""
    assert {reason for reason, _, _ in BAD} == {reason.value for reason in Reason}


def test_a_rejection_leads_to_no_exception_that_knows_the_payload() -> None:
    """Nothing that is chained to a rejection holds the input."""
    for _, bad, _ in BAD:
        rejected = rejection_of(bad)
        assert rejected.__cause__ is None
        assert rejected.__context__ is None
