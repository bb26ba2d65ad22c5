"""Messages out: what they hold, their keys, and what they must never hold."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest

from tests.unit.topics.making import event, message, rejection_of, structured
from topics import messages, writing
from topics.rejections import Reason, Rejected

CASE = UUID("5f0c6cbe-9d1f-5d55-8d3a-0a8f1f0b8d11")
SETTLED = datetime(2026, 3, 10, 13, 0, tzinfo=timezone(timedelta(hours=1)))
PSEUDONYM = bytes(range(32))
OUTCOMES: list[dict[str, Any]] = [
    {"group": "customer.contact", "result": "erased", "rows": 1},
    {
        "group": "invoice.person",
        "result": "retained",
        "rows": 2,
        "grounds": ["bookkeeping"],
        "until": "2032-01-01",
        "interrupted": False,
    },
]


def test_a_command_carries_its_id_and_nothing_else() -> None:
    """A command is keyed by its id, holds only that, and is read back."""
    key, value = writing.command(17)
    assert key == b"17"
    assert json.loads(value or b"") == {"command": 17}
    assert writing.read_command(writing.command_message(17)) == 17
    messages.Command.model_validate_json(value or b"")


@pytest.mark.parametrize(
    "foreign", [b"", b"17", b"{}", b'{"command": "17"}', b'{"command": true}', b'{"command": 0}']
)
def test_a_foreign_message_is_no_command(foreign: bytes) -> None:
    """What is no command of ours is said to be none, and is not repeated."""
    with pytest.raises(ValueError, match="not a command of ours"):
        writing.read_command(foreign)


def test_a_suppression_is_the_whole_state_of_a_pseudonym() -> None:
    """It is keyed by the pseudonym in hexadecimal and says since when each purpose is stopped."""
    key, value = writing.suppression(PSEUDONYM, {"survey": SETTLED, "newsletter": SETTLED})
    assert key == PSEUDONYM.hex().encode()
    assert json.loads(value or b"") == {
        "pseudonym": PSEUDONYM.hex(),
        "stopped": {"newsletter": "2026-03-10T12:00:00Z", "survey": "2026-03-10T12:00:00Z"},
    }
    messages.Suppression.model_validate_json(value or b"")


def test_nothing_stopped_is_a_tombstone() -> None:
    """When nothing is stopped any more, compaction may forget the pseudonym."""
    assert writing.suppression(PSEUDONYM, {}) == (PSEUDONYM.hex().encode(), None)


def test_a_plain_identifier_is_no_pseudonym() -> None:
    """An identifier given by mistake for a pseudonym is not published."""
    with pytest.raises(ValueError, match="32 bytes"):
        writing.suppression(b"kari@example.no", {"survey": SETTLED})


TERMS = {
    "kind": "legal-obligation",
    "reference": "bokføringsloven § 13",
    "anchor": "document-date",
    "period": "5y",
    "rounding": "end-of-year",
    "text": {"en": "The law requires it."},
}


@pytest.mark.parametrize("command", [17, None])
def test_receipts_hold_each_case(command: int | None) -> None:
    """The cases that one transaction settled stand in one message, keyed by answer and store."""
    key, value = writing.receipts(
        answer=3,
        command=command,
        store="crm",
        policy=None,
        settled_at=SETTLED,
        cases=[(CASE, OUTCOMES), (UUID(int=1), [{"group": "*", "result": "absent"}])],
        grounds={"bookkeeping": TERMS},
    )
    assert key == b"3|crm"
    members = json.loads(value or b"")
    assert members["settled_at"] == "2026-03-10T12:00:00Z"
    assert members["verified"] is True
    assert ("command" in members) is (command is not None)
    batch = messages.Receipts.model_validate_json(value or b"")
    assert [one.case for one in batch.cases] == [CASE, UUID(int=1)]
    assert batch.cases[0].outcomes[1].until == date(2032, 1, 1)
    assert batch.cases[1].outcomes[0].result == "absent"
    assert batch.grounds["bookkeeping"].model_dump() == TERMS


@pytest.mark.parametrize(
    ("state", "reason", "stores"),
    [
        ("closed", None, {"crm": OUTCOMES}),
        ("superseded", {"why": "newer-consent"}, None),
        ("rejected", {"why": "ambiguous-identity", "store": "crm"}, None),
    ],
)
def test_a_completion_is_found_by_the_event_of_upstream(
    state: str, reason: Any, stores: Any
) -> None:
    """It is keyed by source and id of the event, and leaves out what does not apply."""
    key, value = writing.completion(
        source="/crm",
        event_id="e-1",
        kind="privacy.consent.withdrawn.v1",
        case_id=CASE,
        state=state,
        due_on=date(2026, 4, 10),
        closed_at=SETTLED,
        reason=reason,
        stores=stores,
    )
    assert key == b"/crm|e-1" == writing.event_key("/crm", "e-1")
    members = json.loads(value or b"")
    assert members["event"]["type"] == "privacy.consent.withdrawn.v1"
    assert members["due_on"] == "2026-04-10"
    assert ("reason" in members) is (reason is not None)
    assert ("stores" in members) is (stores is not None)
    messages.Completion.model_validate_json(value or b"")


def test_a_completion_tells_a_code_and_never_who_decided() -> None:
    """Of a reason the code and the stores are told; names, free text and all else stay behind."""
    reason = {
        "why": "ambiguous-identity",
        "store": "crm",
        "people": 2,
        "by": ["email"],
        "rejected_by": "Kari Nordmann",
        "rejected_because": "she called us",
    }
    _, value = writing.completion(
        source="/crm",
        event_id="e-1",
        kind="privacy.erasure.requested.v1",
        case_id=CASE,
        state="rejected",
        due_on=date(2026, 4, 10),
        closed_at=SETTLED,
        reason=reason,
    )
    told = messages.Completion.model_validate_json(value or b"").reason
    assert told == messages.CaseReason(why="ambiguous-identity", store="crm")
    assert b"Kari" not in (value or b"")
    assert b"called" not in (value or b"")


ENDED: dict[str, Any] = {
    "source": "/cron",
    "event_id": "night",
    "sweep_id": 7,
    "store": "billing",
    "as_of": date(2026, 3, 10),
    "policy": "2026-02",
    "ended_at": SETTLED,
    "counts": {"invoice.buyer": {"erased": 12, "anonymised": 1}},
    "receipts": 9,
}


def test_a_sweep_that_is_done_is_told_to_the_event_that_asked() -> None:
    """It says what went, who was left out and the proof; a rule's table only where one is named."""
    proof = {"rows": 0, "of": 40, "left_out": {"held": 1}, "counted_at": "2026-03-10T12:00:00Z"}
    key, value = writing.sweep_completion(
        **ENDED, state="done", table=None, ground=None, left_out={"held": 1}, proof=proof
    )
    assert key == writing.event_key("/cron", "night")
    members = json.loads(value or b"")
    assert members["event"]["type"] == "privacy.retention.expired.v1"
    assert members["counts"] == ENDED["counts"]
    assert members["left_out"] == {"held": 1}
    assert members["proof"] == {"rows": 0, "counted_at": "2026-03-10T12:00:00Z"}
    assert members.keys().isdisjoint({"table", "ground", "reason", "case"})
    messages.SweepCompletion.model_validate_json(value or b"")


@pytest.mark.parametrize(
    ("state", "reason", "told"),
    [
        (
            "failed",
            {"why": "not-gone", "rows": 3, "apart": {"constraint": 2}, "left_out": {}},
            {"why": "not-gone", "rows": 3, "apart": {"constraint": 2}},
        ),
        (
            "cancelled",
            {"why": "cancelled", "by": "Kari Nordmann", "because": "wrong policy"},
            {"why": "cancelled"},
        ),
    ],
)
def test_a_sweep_that_is_not_done_is_told_with_why_and_without_who(
    state: str, reason: Any, told: Any
) -> None:
    """Codes and counts are told; the name and the words of whoever cancelled it are not."""
    _, value = writing.sweep_completion(
        **ENDED, state=state, table="invoice", ground="contract", left_out={}, reason=reason
    )
    members = json.loads(value or b"")
    assert (members["state"], members["reason"]) == (state, told)
    assert (members["table"], members["ground"]) == ("invoice", "contract")
    assert members.keys().isdisjoint({"proof", "left_out"})
    messages.SweepCompletion.model_validate_json(value or b"")


def test_a_rejection_says_where_and_why_and_not_what() -> None:
    """It holds reason, place and origin of the message, and nothing of its payload."""
    bad = structured(event(data={"subject": {"email": "canary-7731"}, "purposes": ["survey"]}))
    key, value = writing.rejection(rejection_of(bad), bad)
    assert key == b"/preference-centre|e-1"
    told = messages.Rejection.model_validate_json(value or b"")
    assert told.reason is Reason.BAD_IDENTIFIER
    assert (told.topic, told.partition, told.offset) == ("privacy.consent", 2, 41)
    assert (told.source, told.id) == ("/preference-centre", "e-1")
    assert b"canary" not in (value or b"")


@pytest.mark.parametrize("origin", [(None, None), ("/a", None), (None, "e-1")])
def test_a_rejection_of_nobody_known_has_no_key(origin: tuple[str | None, str | None]) -> None:
    """Half an origin is told, but is no key."""
    key, value = writing.rejection(Rejected(Reason.NOT_JSON, "not JSON", *origin), message(b""))
    assert key is None
    members = json.loads(value or b"")
    assert (members["source"], members["id"]) == origin


def test_a_time_without_a_zone_is_our_mistake() -> None:
    """A naive time is not published as if it were UTC."""
    with pytest.raises(ValueError, match="time zone"):
        writing.suppression(PSEUDONYM, {"survey": datetime(2026, 3, 10)})
