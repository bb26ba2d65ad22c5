"""A retention trigger is a hint: the policy decides what goes, and the receipt says what stays."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
import sqlalchemy as sa

from connectors.faults import RetryLater
from tests.support.driving import accept, drive, message, on_day, settle
from tests.support.judging import assert_told_once
from tests.support.nordlys import Person, consent, customer, event, today, traces, withdrawal
from tests.support.sweeping import rule
from tests.support.world import Event, World
from topics import names
from worker import hold
from worker.context import Context
from worker.intake import take_in
from worker.ledger import commands

NOW = datetime.now(UTC)
TODAY = today()


@pytest_asyncio.fixture
async def context(world: World) -> AsyncIterator[Context]:
    """The worker's parts, in this process."""
    async with world.context() as made:
        yield made


def expired(person: Person, *stores: str, **more: Any) -> Event:
    """A trigger for one person, in some stores or all."""
    data: dict[str, Any] = {"stores": list(stores)} if stores else {}
    return event("retention.expired", {"email": person.email}, **data, **more)


def minutes(number: int) -> datetime:
    """Some minutes from now, or before."""
    return NOW + timedelta(minutes=number)


async def test_who_is_due_goes_and_who_is_not_stays(world: World) -> None:
    """Through Kafka: due, not yet due and partly; the completion and receipt of each say it."""
    due = Person(subscriptions=0)
    early = customer(subscriptions=0)
    partly = customer(subscriptions=0, invoices=[date(2010, 3, 10), TODAY])
    await world.stores.add(due, early, partly)
    before = traces(await world.stores.dump(), early)
    triggers = [expired(due), expired(early), expired(partly, "billing")]
    with world.worker() as worker:
        await world.publish(*triggers)
        await world.until_told(*triggers)
        await assert_told_once(world, triggers)
        assert await worker.stop() == 0
    left = traces(await world.stores.dump(), due)
    # Its notes rest on a consent that nobody took back: the customer's row stays for them.
    assert left == {"crm.customer": 1, "crm.contact_log": 1}
    assert traces(await world.stores.dump(), early) == before
    invoice = (await world.outcomes(triggers[1]))["billing/invoice.buyer_name+buyer_address"]
    assert (invoice["result"], invoice["until"]) == ("retained", f"{TODAY.year + 6}-01-01")
    assert invoice["grounds"] == ["bookkeeping"]
    assert {store for store, _ in await world.receipts(triggers[2])} == {"billing"}
    assert traces(await world.stores.dump(), partly)["billing.invoice"] == 1
    # It stops nothing, and nobody is told that anything may not be collected.
    assert await world.read(names.SUPPRESSIONS) == []
    assert await world.fetch(sa.text("SELECT * FROM suppressions")) == []


async def test_a_named_store_is_the_only_one_that_is_touched(
    world: World, context: Context
) -> None:
    """The customer system leads to billing; what is due in it stays until somebody asks there."""
    person = Person(subscriptions=0)
    await world.stores.add(person)
    before = await world.stores.dump()
    asked, other = expired(person, "billing"), expired(person, "newsletter")
    await accept(context, asked, other)
    await settle(context)
    after = await world.stores.dump()
    assert [await world.state(one) for one in (asked, other)] == ["closed", "closed"]
    assert not [table for table in traces(after, person) if table.startswith("billing")]
    assert after["crm.customer"] == before["crm.customer"]
    assert {store for store, _ in await world.receipts(other)} == {"newsletter"}
    rows = await world.fetch(sa.text("SELECT DISTINCT lane FROM commands"))
    assert [tuple(row) for row in rows] == [("sweeps",)]
    assert await world.fetch(sa.text("SELECT * FROM sought_pseudonyms")) == []


async def test_a_duplicate_changes_nothing(world: World, context: Context) -> None:
    """The same source and id is one case, and what came into the store meanwhile stays."""
    person = Person(subscriptions=0)
    await world.stores.add(person)
    one = expired(person, "billing")
    await accept(context, one, one)
    await settle(context)
    receipts = await world.receipts(one)
    await world.stores.add(person_again := Person(mark=person.mark, in_crm=False, subscriptions=0))
    await accept(context, one)
    assert await settle(context) == 0
    assert traces(await world.stores.dump(), person_again)["billing.invoice"] == 1
    assert await world.receipts(one) == receipts
    assert len(await world.states()) == 1


async def test_what_was_withdrawn_is_honoured_by_whatever_name(
    world: World, context: Context
) -> None:
    """A consent withdrawn by customer number keeps nothing when the trigger names the e-mail."""
    person = customer(contract_ended=TODAY, subscriptions=0, invoices=[], contacts=[])
    await world.stores.add(person)
    numbered = {"customer_id": person.customer_no}
    withdrawn = event("consent.withdrawn", numbered, purposes=["newsletter"], time=minutes(-9))
    await accept(context, withdrawn)
    await settle(context)
    # The contract of today kept the address then. It is over tomorrow.
    assert (await world.outcomes(withdrawn))["crm/customer.email"]["result"] == "retained"
    later = on_day(context, TODAY + timedelta(days=2))
    one = expired(person, "crm")
    await accept(later, one)
    await settle(later)
    assert (await world.outcomes(one))["crm/customer.email"]["result"] == "erased"


async def test_a_newer_consent_counts_also_on_the_way(world: World, context: Context) -> None:
    """Given before, or when the command lies ready: what rests on it stays, and the case closes."""
    before, meanwhile = Person(contract_ended=TODAY), Person(contract_ended=TODAY)
    await world.stores.add(before, meanwhile)
    for person in (before, meanwhile):
        numbered = {"customer_id": person.customer_no}
        await accept(
            context, event("consent.withdrawn", numbered, purposes=["newsletter"], time=minutes(-9))
        )
        await settle(context)
    await accept(context, consent(before, time=minutes(-5)))
    later = on_day(context, TODAY + timedelta(days=2))
    triggers = [expired(before, "crm"), expired(meanwhile, "crm")]
    await accept(later, *triggers)
    await accept(later, consent(meanwhile, time=minutes(-5)))
    await settle(later)
    for one in triggers:
        assert await world.state(one) == "closed"
        kept = (await world.outcomes(one))["crm/customer.email"]
        assert (kept["result"], kept["grounds"]) == ("retained", ["newsletter-consent"])


async def test_a_held_person_waits_for_the_release(world: World, context: Context) -> None:
    """Held before, or when the command lies ready: nothing goes until the hold is released."""
    before, meanwhile = Person(subscriptions=0), Person(subscriptions=0)
    await world.stores.add(before, meanwhile)
    order: dict[str, Any] = {"by": "Kari Nordmann", "reason": "a claim", "review_on": TODAY}
    first = await hold.place_on_subject(context, {"customer_id": before.customer_no}, **order)
    triggers = [expired(before, "billing"), expired(meanwhile, "billing")]
    await accept(context, *triggers)
    second = await hold.place_on_subject(context, {"customer_id": meanwhile.customer_no}, **order)
    await settle(context)
    assert [await world.state(one) for one in triggers] == ["held", "held"]
    assert traces(await world.stores.dump(), meanwhile)["billing.invoice"] == 1
    for placed in (first, second):
        await hold.release(context, placed.hold, by="Kari Nordmann")
    await settle(context)
    assert [await world.state(one) for one in triggers] == ["closed", "closed"]
    for person, one in zip((before, meanwhile), triggers, strict=True):
        assert "billing.invoice" not in traces(await world.stores.dump(), person)
        # The release does not widen it to stores that nobody named.
        assert {store for store, _ in await world.receipts(one)} == {"billing"}


async def test_a_restricted_person_waits_for_the_lifting(world: World, context: Context) -> None:
    """What expires is not erased while a restriction stands (art. 18), whenever it was asked."""
    before, meanwhile = Person(subscriptions=0), Person(subscriptions=0)
    await world.stores.add(before, meanwhile)
    numbered = [{"customer_id": one.customer_no} for one in (before, meanwhile)]
    await accept(context, event("restriction.requested", numbered[0], time=minutes(-9)))
    triggers = [expired(before, "billing"), expired(meanwhile, "billing")]
    await accept(context, *triggers)
    await accept(context, event("restriction.requested", numbered[1], time=minutes(-9)))
    await settle(context)
    assert [await world.state(one) for one in triggers] == ["held", "held"]
    for person in (before, meanwhile):
        assert traces(await world.stores.dump(), person)["billing.invoice"] == 1
    await accept(context, *(event("restriction.lifted", one, time=minutes(-1)) for one in numbered))
    await settle(context)
    assert [await world.state(one) for one in triggers] == ["closed", "closed"]
    for person in (before, meanwhile):
        assert "billing.invoice" not in traces(await world.stores.dump(), person)


async def test_two_people_found_are_parked(world: World, context: Context) -> None:
    """An identifier that leads to two people parks the case and erases nothing (rule 2)."""
    one, two = Person(subscriptions=0), Person(subscriptions=0)
    await world.stores.add(one, two)
    await world.stores.run(
        "crm", f"UPDATE crm.customer SET email = '{one.email}' WHERE customer_no = "
        f"'{two.customer_no}'"
    )  # fmt: skip
    before = await world.stores.dump()
    trigger = expired(one)
    await accept(context, trigger)
    await settle(context)
    assert await world.state(trigger) == "parked"
    assert await world.stores.dump() == before


async def test_a_store_that_is_away_is_waited_for(
    world: World, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may know an identifier under which something newer was said; when it is back, it goes."""
    person = Person()
    await world.stores.add(person)
    trigger = expired(person, "billing")
    with monkeypatch.context() as patched:

        async def away(_: Any) -> Any:
            raise RetryLater("no-answer", "the store is away")

        patched.setattr(context.connectors["newsletter"], "resolve", away)
        await accept(context, trigger)
        assert await settle(context) == 0
        assert await world.state(trigger) == "open"
    await drive(on_day(context, TODAY + timedelta(days=1)))
    assert await world.state(trigger) == "closed"
    assert "billing.invoice" not in traces(await world.stores.dump(), person)
    assert [store for store, _ in await world.receipts(trigger)] == ["billing"]


async def test_what_a_trigger_left_is_looked_at_on_its_day(world: World, context: Context) -> None:
    """A restriction under an address that billing does not have is found from billing's key."""
    person, other = customer(contract_ended=TODAY), customer(contract_ended=TODAY)
    await world.stores.add(person, other)
    triggers = [expired(person, "billing"), expired(other, "billing")]
    await accept(context, *triggers)
    await settle(context)
    for one in (person, other):
        assert traces(await world.stores.dump(), one)["billing.invoice"] == 1
    await accept(context, event("restriction.requested", {"email": person.email}))
    await drive(on_day(context, date(TODAY.year + 6, 1, 1)))
    assert traces(await world.stores.dump(), person)["billing.invoice"] == 1
    assert "billing.invoice" not in traces(await world.stores.dump(), other)


async def test_a_rule_becomes_one_sweep_however_often_it_comes(
    world: World, context: Context
) -> None:
    """A rejected trigger becomes none; other events of the same batch go on."""
    person = Person(contract_ended=None, contacts=[], invoices=[])
    await world.stores.add(person)
    one = rule(store="crm", table="contact_log", ground="service-interest", as_of="2026-11-01")
    plain, bad = rule(store="billing"), rule(store="crm", ground="bookkeeping")
    other = withdrawal(person)
    events = [one, one, bad, other, plain]
    for _ in range(2):
        await take_in(context, [message(at, each) for at, each in enumerate(events)])
    rows = await world.fetch(
        sa.text('SELECT store, "table", "ground", as_of, trigger, source, event_id FROM sweeps')
    )
    assert sorted(tuple(map(str, row)) for row in rows) == [
        ("billing", "None", "None", str(context.day()), "event", plain["source"], plain["id"]),
        ("crm", "contact_log", "service-interest", "2026-11-01", "event", one["source"], one["id"]),
    ]
    for store in ("crm", "billing"):
        assert len(await world.read(names.sweeps(store))) == 1
    rejections = await world.read(names.REJECTED)
    assert {record.json["reason"] for record in rejections} == {"unknown-rule"}
    assert list((await world.states()).values()) == ["open"]
    assert len(await commands_of(context)) == 0


async def commands_of(context: Context) -> list[Any]:
    """The commands that lie ready: a sweep is none."""
    async with context.ledger.begin() as connection:
        return list(await commands.listed(connection, state="open"))
