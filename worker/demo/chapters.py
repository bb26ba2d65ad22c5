"""The first six chapters: one person, or one message, at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from rich.markup import escape

from topics import names
from topics.events import EventKind
from worker.core.terms import Terms, ground_sentence
from worker.demo import tables
from worker.demo.failing import DemoFailed
from worker.demo.outbound import Receipt
from worker.demo.people import Person
from worker.demo.stage import Stage
from worker.demo.upstream import Said

NEWSLETTER: Final = ("newsletter",)
_CANARY: Final = "canary"
"""Stands in every unreadable message; must not come out again."""
_UNREADABLE: Final = (
    (names.CONSENT, b'{"specversion": "1.0", "canary"'),
    (
        names.CONSENT,
        b'{"specversion": "1.0", "source": "/nordlys/demo", "id": "bad-address", "time":'
        b' "2026-01-01T12:00:00Z", "type": "privacy.consent.withdrawn.v1", "data": {"subject":'
        b' {"email": "canary at example.no"}, "purposes": ["newsletter"]}}',
    ),
    (
        names.REQUESTS,
        b'{"specversion": "1.0", "source": "/nordlys/demo", "id": "future-type", "time":'
        b' "2026-01-01T12:00:00Z", "type": "privacy.erasure.requested.v9", "data": {"subject":'
        b' {"email": "canary@example.no"}}}',
    ),
)


async def withdrawal(stage: Stage, person: Person) -> None:
    """A subscriber withdraws."""
    stage.narrator.chapter(
        "A newsletter subscriber withdraws consent",
        f"{person.name} reads the newsletter and is nothing else to the company. The preference "
        "centre publishes that the consent is withdrawn, and names an e-mail address. All three "
        "stores are asked who that is; only the newsletter knows.",
    )
    said = _said("withdrawal", EventKind.CONSENT_WITHDRAWN, {"email": person.email}, NEWSLETTER)
    await stage.carry_out(person, said)
    key = stage.suppression(person)
    stopped = stage.outbound.suppressions(key)[-1]
    stage.narrator.say(
        f"erasure.suppressions: pseudonym {key.decode()[:16]}… must not be written to any more, "
        f"for {', '.join(stopped['stopped']) if stopped else 'nothing'}. That was published "
        "before any store was read."
    )


async def erasure(stage: Stage, person: Person) -> Said:
    """A customer asks for erasure. Returns the event, for somebody will send it again."""
    stage.narrator.chapter(
        "A customer with a running contract asks for erasure",
        f"{person.name} asks to be erased, and is named by a customer number only. The number "
        "leads to the e-mail address in the customer system, and that to the newsletter. A "
        "running contract and the Bookkeeping Act outlive the request: what they need stays, "
        "the rest goes.",
    )
    subject = {"customer_id": str(person.customer_no)}
    said = _said("erasure", EventKind.ERASURE_REQUESTED, subject, channel="e-mail")
    _, receipts = await stage.carry_out(person, said)
    newest = max(one.issued_on for one in person.invoices if one.issued_on)
    until, because = _because(receipts, "invoice", newest)
    slips, _ = _because(receipts, "packing_slip", newest)
    stage.narrator.say(
        f"The invoice of {newest} is kept until [bold]{until}[/] because of {escape(because)} The "
        f"packing slip is secondary material and may go on [bold]{slips}[/]. On each of these days "
        "the worker looks again by itself. The invoice from nine years ago was due long since and "
        "went at once. The customer system keeps what the contract needs, for as long as it runs."
    )
    return said


async def objection(stage: Stage, person: Person) -> None:
    """Somebody objects to marketing."""
    stage.narrator.chapter(
        "A former customer objects to marketing",
        f"The contract of {person.name} ended on {person.contract_ended_on}, and for a year after "
        "that the company may write with offers, unless the person objects. An objection ends "
        "direct marketing whatever it stood on, and with the contract over nothing else keeps the "
        "address. The note was given for another purpose and stays, as do the fresh invoices.",
    )
    said = _said(
        "objection", EventKind.MARKETING_OBJECTED, {"email": person.email}, channel="telephone"
    )
    await stage.carry_out(person, said)


async def duplicate(stage: Stage, said: Said) -> None:
    """The same event once more."""
    stage.narrator.chapter(
        "The same event twice",
        "Networks repeat themselves. The request for erasure of chapter 2 is published twice "
        "more, once in each mode of CloudEvents; its source and id are known, so nothing happens.",
    )
    before = await stage.cases()
    places = [await stage.upstream.publish(said, mode) for mode in ("structured", "binary")]

    async def acknowledged() -> bool:
        return all([await stage.upstream.acknowledged(place) for place in places])

    await stage.until(acknowledged, "both copies to be acknowledged", lambda: None)
    after, told = await stage.cases(), len(stage.outbound.completions(said))
    if (before, told) != (after, 1):
        raise DemoFailed("a repeated event made a second case; that is a fault in the worker")
    stage.narrator.say(
        f"Both were read and acknowledged. Cases in the ledger: {before} before, {after} after; "
        f"completions of this event: {told}."
    )


async def unreadable(stage: Stage) -> None:
    """Events nobody can read."""
    stage.narrator.chapter(
        "Events nobody can read",
        "Half a JSON document, a withdrawal for something that is no e-mail address, and a type "
        "that nobody knows. Each gives one message with the reason and the place, never the "
        "content; the stream goes on.",
    )
    for topic, value in _UNREADABLE:
        await stage.upstream.publish_raw(topic, value)

    async def rejected() -> bool:
        return len(stage.outbound.rejections) >= len(_UNREADABLE)

    await stage.until(rejected, "the rejections", lambda: None)
    if any(_CANARY.encode() in raw for raw, _ in stage.outbound.rejections):
        raise DemoFailed("a rejection quotes its message; that is a fault in the worker")
    stage.narrator.show(tables.rejections(told for _, told in stage.outbound.rejections))
    stage.narrator.say(
        f"Each of the three messages held the word “{_CANARY}”; none of the rejections does."
    )


async def consent_again(stage: Stage, person: Person) -> None:
    """The subscriber of the first chapter comes back, and an old withdrawal comes late."""
    stage.narrator.chapter(
        "A consent given again",
        f"{person.name} of chapter 1 signs up for the newsletter once more. The consent is newer "
        "than the withdrawal, so the stop is lifted.",
    )
    stage.stores.subscribe(person)
    given = _said("consent", EventKind.CONSENT_GIVEN, {"email": person.email}, NEWSLETTER)
    await stage.upstream.publish(given)
    key = stage.suppression(person)

    async def lifted() -> bool:
        told = stage.outbound.suppressions(key)
        return bool(told) and told[-1] is None and bool(stage.outbound.completions(given))

    await stage.until(lifted, "the stop to be lifted", lambda: None)
    stage.narrator.say(
        f"erasure.suppressions: pseudonym {key.decode()[:16]}… now has a tombstone (a message "
        "without a value): compaction forgets it. The person may be written to again."
    )
    stage.narrator.say(
        "A second withdrawal, from an hour before, was stuck somewhere and arrives only now. "
        "The newest word counts, not the last to arrive:"
    )
    subscribers = stage.stores.subscribers(person)
    before = await stage.stores.look(person, subscribers)
    earlier = datetime.now(UTC) - timedelta(hours=1)
    subject = {"email": person.email}
    late = _said("late-withdrawal", EventKind.CONSENT_WITHDRAWN, subject, NEWSLETTER)
    late = replace(late, time=earlier)
    await stage.upstream.publish(late)
    await stage.acted(late)
    completion = stage.outbound.completions(late)[0]
    await stage.show_rows(person, before, subscribers)
    stage.narrator.say(
        f"erasure.completed: [bold]{completion['state']}[/], because of a "
        f"{_why(completion)}. Nothing was erased."
    )


def _said(
    id: str,
    kind: EventKind,
    subject: dict[str, str],
    purposes: tuple[str, ...] = (),
    channel: str = "preference-centre",
) -> Said:
    """An event that happens now, and at the same moment when it is published again."""
    return Said(id, kind, subject, purposes, channel, datetime.now(UTC))


def _because(receipts: Sequence[Receipt], table: str, document: date) -> tuple[date, str]:
    """Until when rows of a table are kept, and why: by the one ground that its receipt names."""
    for receipt in receipts:
        for outcome in receipt.outcomes:
            if outcome["group"].startswith(f"{table}.") and outcome.get("until"):
                until = date.fromisoformat(outcome["until"])
                (ground,) = outcome["grounds"]
                terms = Terms(**receipt.grounds[ground])
                return until, ground_sentence(ground, terms, counted_from=document, until=until)
    raise DemoFailed(f"no receipt says until when rows of {table} are kept")


def _why(completion: dict[str, Any]) -> str:
    return str(completion.get("reason", {}).get("why", "")).replace("-", " ")
