"""The seventh chapter: a thousand people at once."""

from __future__ import annotations

import time
from collections.abc import Sequence

from topics.events import EventKind
from worker.demo import tables
from worker.demo.chapters import NEWSLETTER
from worker.demo.people import Person
from worker.demo.stage import Stage
from worker.demo.upstream import Said


async def crowd(stage: Stage, people: Sequence[Person]) -> None:
    """Half of the subscribers withdraw, everybody else asks for erasure, all in one moment."""
    said = [_said(person) for person in people]
    asking = sum(event.kind is EventKind.ERASURE_REQUESTED for event in said)
    stage.narrator.chapter(
        f"{len(said):,} people at once",
        f"After a story in the news {len(said) - asking:,} people withdraw from the newsletter "
        f"and {asking:,} ask for erasure, in the same moment.",
    )
    before = await stage.stores.count()
    known = set(stage.outbound.receipts)
    done_before = stage.outbound.completed()
    began = time.monotonic()
    await stage.upstream.publish_many(said)
    published = time.monotonic() - began

    async def complete() -> bool:
        return stage.outbound.completed() - done_before >= len(said)

    with stage.narrator.bar("events done with", len(said)) as reached:
        await stage.until(
            complete,
            "all completions",
            lambda: reached(stage.outbound.completed() - done_before),
        )
    took = time.monotonic() - began

    ids = [stage.outbound.completions(event)[0]["case"] for event in said]

    async def proven() -> bool:
        return all(len(stage.outbound.receipts.get(id, ())) >= 3 for id in ids)

    await stage.until(proven, "all receipts", lambda: None)
    stage.narrator.show(tables.counts(before, await stage.stores.count()))
    told = [r for case, rs in stage.outbound.receipts.items() if case not in known for r in rs]
    stage.narrator.show(tables.tally(told))
    stage.narrator.say(
        f"All {len(said):,} events published in {published:.1f} s and done with in {took:.1f} s: "
        f"[bold]{len(said) / took:,.0f} people a second[/], {len(told):,} receipts, each read "
        "again in its store. Broker, databases, worker and demo shared this machine."
    )


def _said(person: Person) -> Said:
    id = f"crowd-{person.number}"
    if person.subscribed_on is not None and person.number % 2:
        kind = EventKind.CONSENT_WITHDRAWN
        return Said(id, kind, {"email": person.email}, NEWSLETTER, "newsletter")
    subject = {"customer_id": person.customer_no} if person.customer_no else {"email": person.email}
    return Said(id, EventKind.ERASURE_REQUESTED, subject, channel="contact-form")
