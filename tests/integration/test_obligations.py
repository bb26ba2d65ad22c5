"""What was retained is looked at again on its day, by itself, and goes when nothing keeps it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from unittest.mock import patch

import pytest_asyncio
import sqlalchemy as sa

import worker.redrive
from tests.support.driving import accept, drive, on_day, settle
from tests.support.nordlys import Person, consent, customer, erasure, traces, withdrawal
from tests.support.world import Event, World, id_of
from topics import names
from worker import hold
from worker.context import Context
from worker.ledger import answers, cases, commands, obligations
from worker.ledger.cases import Case
from worker.look_again import look_again
from worker.observe.story import story
from worker.redrive import redrive
from worker.sealing import KEY_BYTES, Sealer

DOCUMENT = date(2026, 3, 10)
FREE = date(2032, 1, 1)
"""Five years after the end of the year of the document (bokføringsloven § 13)."""
THE_DAY_BEFORE = FREE - timedelta(days=1)


@pytest_asyncio.fixture
async def context(world: World) -> AsyncIterator[Context]:
    """The worker's parts, in this process."""
    async with world.context() as made:
        yield made


async def _asked(world: World, context: Context, person: Person) -> Event:
    """Let a person ask for erasure, and whatever may go at once go."""
    await world.stores.add(person)
    request = erasure(person)
    await accept(context, request)
    await settle(context)
    return request


async def _later(context: Context, event: Event) -> list[Case]:
    async with context.ledger.begin() as connection:
        return await cases.followers(connection, id_of(event))


async def _outcomes(world: World, case: Case) -> dict[str, Any]:
    async with world.ledger.begin() as connection:
        found = await answers.receipts_of_case(connection, case.id)
    return {row["group"]: dict(row) for receipt in found for row in receipt.outcomes}


async def test_what_the_law_kept_goes_on_its_day(world: World, context: Context) -> None:
    """Invoices of 2026 go on 2032-01-01 without an event, not a day before, and are told of."""
    person = Person(invoices=[DOCUMENT], subscriptions=0)
    request = await _asked(world, context, person)
    # The account stays as a stub, emptied, as long as an invoice hangs below it.
    assert set(traces(await world.stores.dump(), person)) == {
        "billing.account",
        "billing.invoice",
        "billing.invoice_line",
    }
    assert (await drive(on_day(context, THE_DAY_BEFORE))).obligations == 0
    assert traces(await world.stores.dump(), person)["billing.invoice"] == 1

    assert (await drive(on_day(context, FREE))).obligations == 1
    assert traces(await world.stores.dump(), person) == {}
    (case,) = await _later(context, request)
    assert (case.state, case.follows, case.due_on) == ("closed", id_of(request), date(2032, 2, 2))
    assert (await _outcomes(world, case))["invoice.buyer_name+buyer_address"] == {
        "group": "invoice.buyer_name+buyer_address",
        "result": "erased",
        "rows": 1,
    }
    told = await story(context.ledger, context.policy, case.id, context.day())
    assert told is not None
    assert (told.follows, told.followed_by) == (id_of(request), ())
    told = await story(context.ledger, context.policy, id_of(request), context.day())
    assert told is not None
    assert (told.followed_by, told.obligations) == ((case.id,), ())
    first, second = await world.completions(request)
    assert "follows" not in first
    assert (second["follows"], second["case"]) == (str(id_of(request)), str(case.id))
    assert (await drive(on_day(context, FREE))).obligations == 0


async def test_the_earliest_date_counts(world: World, context: Context) -> None:
    """Of invoices of two years the older goes first; what then still stays is looked at again."""
    person = Person(invoices=[DOCUMENT, date(2024, 5, 1)], subscriptions=0)
    request = await _asked(world, context, person)
    await drive(on_day(context, date(2030, 1, 1)))
    assert traces(await world.stores.dump(), person)["billing.invoice"] == 1
    await drive(on_day(context, FREE))
    assert traces(await world.stores.dump(), person) == {}
    first, second = await _later(context, request)
    assert first.follows == second.follows == id_of(request)


async def test_each_period_has_its_day(world: World, context: Context) -> None:
    """Of one sale the packing slip goes on 2030-07-01, the invoice on 2032-01-01 (§ 13)."""
    person = Person(invoices=[DOCUMENT], slips=[DOCUMENT], subscriptions=0)
    await _asked(world, context, person)
    for day, left in (
        (date(2030, 6, 30), {"billing.packing_slip", "billing.invoice", "billing.invoice_line"}),
        (date(2030, 7, 1), {"billing.invoice", "billing.invoice_line"}),
        (THE_DAY_BEFORE, {"billing.invoice", "billing.invoice_line"}),
        (FREE, set()),
    ):
        await drive(on_day(context, day))
        found = set(traces(await world.stores.dump(), person)) - {"billing.account"}
        assert found == left, day


async def test_an_obligation_keeps_nothing_but_the_stores_key(
    world: World, context: Context
) -> None:
    """Neither the identifiers nor the key stand in it in the clear, and it goes when it is due."""
    person = Person(invoices=[DOCUMENT])
    await _asked(world, context, person)
    (row,) = await world.fetch(sa.text("SELECT * FROM obligations"))
    assert row.store == "billing"
    assert row.look_on == FREE
    said = repr(tuple(row)).lower()
    assert not [mark for mark in person.marks if mark in said]
    async with context.ledger.begin() as connection:
        assert await obligations.keys_in_use(connection) == {context.sealer.current: 1}
    await drive(on_day(context, FREE))
    (row,) = await world.fetch(sa.text("SELECT payload, batch_id FROM obligations"))
    assert row.payload is None
    assert row.batch_id is not None


async def test_no_date_is_no_obligation(world: World, context: Context) -> None:
    """A running contract has no day yet, and what went at once leaves nothing to look at."""
    await _asked(world, context, Person())
    running = customer(invoices=[], subscriptions=1, contacts=[])
    await world.stores.add(running)
    await accept(context, withdrawal(running))
    await settle(context)
    assert await world.fetch(sa.text("SELECT * FROM obligations")) == []


async def test_a_consent_given_meanwhile_counts(world: World, context: Context) -> None:
    """On the day it counts which consents live then, not those of the first decision."""
    # The interest in following up lasts two years from the contact, and an objection ends it not.
    person = customer(contacts=[date(2026, 6, 1)], invoices=[], subscriptions=0)
    await world.stores.add(person)
    await accept(context, withdrawal(person, "contact"))
    await settle(context)
    await accept(context, consent(person, "contact"))
    driven = on_day(context, date(2028, 6, 2))
    assert (await drive(driven)).obligations == 1
    assert traces(await world.stores.dump(), person)["crm.contact_log"] == 1


async def test_a_consent_given_on_the_day_does_not_take_it_away(
    world: World, context: Context
) -> None:
    """A withdrawal that is looked at again is not superseded: the invoices are due all the same."""
    person = customer(invoices=[DOCUMENT], contacts=[])
    await world.stores.add(person)
    withdrawn = withdrawal(person)
    await accept(context, withdrawn)
    await settle(context)
    later = on_day(context, FREE)
    await redrive(later, "the test")
    await accept(context, consent(person))
    await settle(later)
    assert "billing.invoice" not in traces(await world.stores.dump(), person)
    (case,) = await _later(context, withdrawn)
    assert case.state == "closed"


async def test_a_hold_finds_a_look_that_is_on_its_way(world: World, context: Context) -> None:
    """Placed when the command lies ready, by an identifier no case recorded, it still holds."""
    person = Person(invoices=[DOCUMENT])
    request = await _asked(world, context, person)
    later = on_day(context, FREE)
    await redrive(later, "the test")
    (case,) = await _later(context, request)
    placed = await hold.place_on_subject(
        later,
        {"customer_id": person.customer_no},
        by="Kari Nordmann",
        reason="a claim is before the court",
        review_on=FREE,
    )
    assert placed.cases == (case.id,)
    await settle(later)
    assert traces(await world.stores.dump(), person)["billing.invoice"] == 1
    await hold.release(later, placed.hold, by="Kari Nordmann")
    await settle(later)
    assert traces(await world.stores.dump(), person) == {}


async def test_a_held_person_waits_and_then_goes(world: World, context: Context) -> None:
    """A hold by another identifier of the person keeps the invoices beyond their day."""
    person, other = Person(invoices=[DOCUMENT]), Person(invoices=[DOCUMENT])
    request, free = await _asked(world, context, person), await _asked(world, context, other)
    placed = await hold.place_on_subject(
        context,
        {"customer_id": person.customer_no},
        by="Kari Nordmann",
        reason="a claim is before the court",
        review_on=DOCUMENT,
    )
    later = on_day(context, FREE)
    await drive(later)
    assert traces(await world.stores.dump(), other) == {}
    assert traces(await world.stores.dump(), person)["billing.invoice"] == 1
    ((case,), (gone,)) = await _later(context, request), await _later(context, free)
    assert (case.state, gone.state) == ("held", "closed")
    await hold.release(later, placed.hold, by="Kari Nordmann")
    await settle(later)
    assert traces(await world.stores.dump(), person) == {}
    (case,) = await _later(context, request)
    assert case.state == "closed"
    # Only the store that kept something was asked: nobody says that others had nobody.
    assert "*" not in await _outcomes(world, case)


async def test_two_workers_look_once(world: World, context: Context) -> None:
    """Whoever comes second finds that the look was begun."""
    await _asked(world, context, Person(invoices=[DOCUMENT]))
    later = on_day(context, FREE)
    async with context.ledger.begin() as connection:
        (due,) = await obligations.due(
            connection, FREE, 10, stores=["billing"], keys=context.sealer.key_ids
        )
    assert await look_again(later, due) is not None
    assert await look_again(later, due) is None


async def test_a_look_that_was_begun_is_carried_on(world: World, context: Context) -> None:
    """Killed between the look's first transaction and its plan, redrive plans it."""
    person = Person(invoices=[DOCUMENT])
    await _asked(world, context, person)
    later = on_day(context, FREE)
    async with context.ledger.begin() as connection:
        (due,) = await obligations.due(
            connection, FREE, 10, stores=["billing"], keys=context.sealer.key_ids
        )
    await look_again(later, due)
    await drive(on_day(context, FREE + timedelta(days=1)))
    assert traces(await world.stores.dump(), person) == {}


async def test_an_obligations_command_carries_ids_only(world: World, context: Context) -> None:
    """What is published for the look is the id of a command, as ever."""
    person = Person(invoices=[DOCUMENT])
    await _asked(world, context, person)
    await drive(on_day(context, FREE))
    async with context.ledger.begin() as connection:
        newest = max(command.id for command in await commands.listed(connection, state="settled"))
    said = [record.json for record in await world.read(names.sweeps("billing"))]
    assert {"command": newest} in said


async def test_a_missing_key_keeps_nobody_else_from_their_day(
    world: World, context: Context
) -> None:
    """What is sealed with a key that is gone waits for it; others go, however many wait before."""
    pseudonyms = b"p" * KEY_BYTES
    old = Sealer({"old": b"o" * KEY_BYTES}, "old", pseudonyms)
    new = Sealer({"new": b"n" * KEY_BYTES}, "new", pseudonyms)
    locked, free = Person(invoices=[DOCUMENT]), Person(invoices=[DOCUMENT])
    await _asked(world, replace(context, sealer=old), locked)
    await _asked(world, replace(context, sealer=new), free)
    with patch.object(worker.redrive, "LOOKS_AT_ONCE", 1):
        await drive(replace(on_day(context, FREE), sealer=new))
        assert traces(await world.stores.dump(), free) == {}
        assert traces(await world.stores.dump(), locked)["billing.invoice"] == 1
        await drive(replace(on_day(context, FREE), sealer=old))
    assert traces(await world.stores.dump(), locked) == {}
