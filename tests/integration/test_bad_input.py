"""What nobody can read is answered on ``erasure.rejected``, and the stream goes on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from tests.support.nordlys import SOURCE, Person, erasure, event, withdrawal, word
from tests.support.world import Record, World, id_of
from topics import names
from topics.publishing import event_to_message

pytestmark = pytest.mark.asyncio(loop_scope="module")

MARK = word()
"""Stands in every bad message below; it must come back in no answer."""
SUBJECT = {"email": f"{MARK}@example.no"}


def bad(**change: Any) -> bytes:
    """A request for erasure in which some members are other than they should be."""
    good = event("erasure.requested", SUBJECT, event_id="bad-1")
    return orjson.dumps({"specversion": "1.0", **good, **change})


def nested(depth: int) -> bytes:
    """A bomb: data nested so deep."""
    head = bad(data=None)[: -len(b"null}")]
    return head + b'{"subject":' + b'{"a":' * depth + b"1" + b"}" * depth + b"}}"


RETENTION = "privacy.retention.expired.v1"
FAR = (datetime.now(UTC) + timedelta(hours=2)).isoformat()

KNOWN = (SOURCE, "bad-1")
UNKNOWN = (None, None)
CASES: dict[str, tuple[bytes | None, str, tuple[str | None, str | None]]] = {
    "tombstone": (None, "tombstone", UNKNOWN),
    "empty": (b"", "not-json", UNKNOWN),
    "no JSON": (MARK.encode(), "not-json", UNKNOWN),
    "half of it": (bad()[:-9], "not-json", UNKNOWN),
    "JSON of another kind": (orjson.dumps([MARK]), "not-cloudevents", UNKNOWN),
    "no CloudEvent": (orjson.dumps({"subject": SUBJECT}), "not-cloudevents", UNKNOWN),
    "another version": (bad(specversion="0.3"), "not-cloudevents", KNOWN),
    "unknown type": (bad(type=f"privacy.{MARK}.v1"), "unsupported-type", KNOWN),
    "retention of nobody": (bad(type=RETENTION, data={"channel": MARK}), "bad-data", KNOWN),
    "retention of both kinds": (
        bad(type=RETENTION, data={"subject": SUBJECT, "store": "crm"}),
        "bad-data",
        KNOWN,
    ),
    "retention elsewhere": (bad(type=RETENTION, data={"store": MARK}), "unknown-store", KNOWN),
    "retention of somebody elsewhere": (
        bad(type=RETENTION, data={"subject": SUBJECT, "stores": ["crm", MARK]}),
        "unknown-store",
        KNOWN,
    ),
    "retention by no rule": (
        bad(type=RETENTION, data={"store": "crm", "table": "customer", "ground": MARK}),
        "unknown-rule",
        KNOWN,
    ),
    "retention to come": (
        bad(type=RETENTION, data={"store": "crm", "as_of": "9999-12-31"}),
        "future-date",
        KNOWN,
    ),
    "no subject": (bad(data={"channel": "telephone"}), "no-subject", KNOWN),
    "empty subject": (bad(data={"subject": {}}), "no-subject", KNOWN),
    "unknown identifier": (bad(data={"subject": {MARK: MARK}}), "unknown-identifier", KNOWN),
    "no e-mail": (bad(data={"subject": {"email": MARK}}), "bad-identifier", KNOWN),
    "no telephone": (bad(data={"subject": {"phone": MARK}}), "bad-identifier", KNOWN),
    "unknown purpose": (
        bad(type="privacy.consent.withdrawn.v1", data={"subject": SUBJECT, "purposes": [MARK]}),
        "unknown-purpose",
        KNOWN,
    ),
    "no purpose": (
        bad(type="privacy.consent.withdrawn.v1", data={"subject": SUBJECT}),
        "bad-data",
        KNOWN,
    ),
    "unknown member": (bad(data={"subject": SUBJECT, MARK: MARK}), "bad-data", KNOWN),
    "too large": (bad(data={"subject": SUBJECT, "channel": MARK * 5000}), "too-large", UNKNOWN),
    "from the future": (bad(time=FAR), "future-time", KNOWN),
    "no time": (bad(time=None), "no-time", KNOWN),
    "nesting bomb": (nested(60), "too-deep", KNOWN),
    "deeper than any stack": (nested(9_000), "too-deep", UNKNOWN),
    "NUL": (bad(data={"subject": {"customer_id": f"{MARK}\0"}}), "bad-text", KNOWN),
    "lone surrogate": (
        bad(data={"subject": {"customer_id": "\\"}}).replace(b"\\\\", b"\\ud800"),
        "bad-text",
        KNOWN,
    ),
}


@pytest.mark.parametrize("what", CASES)
async def test_bad_input_is_answered_with_its_reason_and_the_stream_goes_on(
    town: World, what: str
) -> None:
    """The answer says why and where, and whose it was; a good event behind it is carried out."""
    value, reason, (source, event_id) = CASES[what]
    partition, offset = await town.publish_raw(names.REQUESTS, value, partition=2, key=b"1")
    behind = erasure(Person())
    await town.publish(behind, partition=2)
    await town.until_told(behind)
    answer = await rejection(town, names.REQUESTS, partition, offset)
    assert answer.json["reason"] == reason
    assert (answer.json["source"], answer.json["id"]) == (source, event_id)
    assert set(answer.json) == {
        "reason", "detail", "topic", "partition", "offset", "source", "id"
    }  # fmt: skip
    assert answer.key == (f"{source}|{event_id}".encode() if source else None)
    assert MARK not in (answer.value or b"").decode()
    assert answer.headers == ()


BINARY: dict[str, tuple[Sequence[tuple[str, bytes]], bytes, str]] = {
    "no id": ((("ce_source", SOURCE.encode()), ("ce_type", b"x")), b"{}", "not-cloudevents"),
    "no UTF-8": ((("ce_id", b"\xff"),), b"{}", "bad-text"),
    "data is no JSON": ((), MARK.encode(), "not-json"),
    "no data": ((), b"", "bad-data"),
    "data is not JSON by its own word": ((("content-type", b"text/xml"),), b"{}", "bad-data"),
}


@pytest.mark.parametrize("what", BINARY)
async def test_bad_input_in_binary_mode_is_answered_too(town: World, what: str) -> None:
    """Attributes in headers are checked as strictly as those in JSON."""
    changes, value, reason = BINARY[what]
    good = event_to_message(event("erasure.requested", SUBJECT), "binary")
    headers = dict(good.headers) if what in ("data is no JSON", "no data") else {}
    if what == "data is not JSON by its own word":
        headers = dict(good.headers)
    headers |= {"ce_specversion": b"1.0", **dict(changes)}
    partition, offset = await town.publish_raw(
        names.REQUESTS, value, headers=list(headers.items()), partition=4
    )
    behind = erasure(Person())
    await town.publish(behind, partition=4)
    await town.until_told(behind)
    answer = await rejection(town, names.REQUESTS, partition, offset)
    assert answer.json["reason"] == reason
    assert MARK not in (answer.value or b"").decode()


async def test_a_thousand_bad_messages_stop_nothing(town: World) -> None:
    """Each of them is answered, and the one good event among them is carried out."""
    person = Person(contract_ended=None)
    await town.stores.add(person)
    good = withdrawal(person)
    offsets = set()
    for number in range(1000):
        where = await town.producer.send(names.CONSENT, str(number).encode(), partition=1)
        if number == 500:
            await town.publish(good, partition=1)
        if number == 999:
            await where
    await town.until_told(good)

    async def answered() -> bool:
        for record in await town.read(names.REJECTED):
            if record.json["topic"] == names.CONSENT and record.json["partition"] == 1:
                offsets.add(record.json["offset"])
        return len(offsets) >= 1000

    await town.until(answered, "a thousand rejections")
    assert await town.state(good) == "closed"


async def test_a_rejected_event_may_be_corrected_under_its_own_id(town: World) -> None:
    """A rejection leaves no trace in the ledger: the same id, corrected, is accepted."""
    person = Person(contract_ended=None)
    await town.stores.add(person)
    good = withdrawal(person)
    broken = {**good, "specversion": "1.0", "data": {**good["data"], "purposes": ["nonsense"]}}
    partition, offset = await town.publish_raw(names.CONSENT, orjson.dumps(broken))
    await rejection(town, names.CONSENT, partition, offset)
    assert id_of(good) not in await town.states()
    await town.publish(good)
    await town.until_told(good)


async def rejection(world: World, topic: str, partition: int, offset: int) -> Record:
    """The answer to the message at one place; exactly one."""
    found: list[Record] = []

    async def answered() -> bool:
        where = (topic, partition, offset)
        found[:] = [
            record
            for record in await world.read(names.REJECTED)
            if (record.json["topic"], record.json["partition"], record.json["offset"]) == where
        ]
        return bool(found)

    await world.until(answered, "a rejection")
    assert len(found) == 1
    return found[0]
