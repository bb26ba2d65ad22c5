"""Restriction of processing (GDPR art. 18): stores say so, nothing is erased, newest wins."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
import sqlalchemy as sa

from tests.support.driving import accept, message, settle
from tests.support.judging import assert_told_once
from tests.support.nordlys import Person, customer, erasure, event, today, traces
from tests.support.world import Event, World
from topics import names
from worker import hold
from worker.context import Context
from worker.erase import carry_out
from worker.intake import take_in
from worker.ledger import commands

NOW = datetime.now(UTC)


@pytest_asyncio.fixture
async def context(world: World) -> AsyncIterator[Context]:
    """The worker's parts, in this process."""
    async with world.context() as made:
        yield made


def restricted(person: Person, minutes: int = 0) -> Event:
    """A request that processing be restricted, some minutes from now (a little, or before)."""
    return event(
        "restriction.requested", {"email": person.email}, time=NOW + timedelta(minutes=minutes)
    )


def lifted(person: Person, minutes: int = 0) -> Event:
    """The lifting of a restriction."""
    return event(
        "restriction.lifted", {"email": person.email}, time=NOW + timedelta(minutes=minutes)
    )


async def marks(world: World, person: Person) -> tuple[Any, Any]:
    """How the customer system and billing say whether the person is restricted."""
    dump = await world.stores.dump()
    (crm,) = [row for row in dump["crm.customer"] if person.customer_no in row]
    (billing,) = [row for row in dump["billing.account"] if person.customer_no in row]
    return crm[-1], billing[-1]


async def test_a_restriction_is_written_told_and_lifted(world: World) -> None:
    """Through Kafka: each store says so, one that cannot is named, and nobody else is marked."""
    person, other = customer(), customer()
    await world.stores.add(person, other)
    before = traces(await world.stores.dump(), person)
    request = restricted(person)
    with world.worker() as worker:
        await world.publish(request)
        await world.until_told(request)
        assert await marks(world, person) == (True, "restricted")
        assert await marks(world, other) == (False, "open")
        assert traces(await world.stores.dump(), person) == before
        outcomes = await world.outcomes(request)
        assert outcomes["crm/customer.email"] == {
            "group": "customer.email",
            "result": "restricted",
            "rows": 1,
        }
        assert outcomes["crm/contact_log.message"]["result"] == "restricted"
        assert outcomes["billing/invoice_line.delivered_to"]["result"] == "restricted"
        refused = outcomes["newsletter/subscriber.email+name"]
        assert (refused["result"], refused["why"]) == ("refused", "cannot-restrict")
        (told,) = await world.completions(request)
        assert told["reason"] == {"why": "cannot-restrict", "stores": ["newsletter"]}
        # A restriction is no withdrawal: nothing is suppressed, and no state is published.
        assert await world.read(names.SUPPRESSIONS) == []

        back = lifted(person, minutes=1)
        await world.publish(back)
        await world.until_told(back)
        assert await marks(world, person) == (False, "open")
        assert (await world.outcomes(back))["billing/account.bank_account"]["result"] == "lifted"
        await assert_told_once(world, [request, back])
        assert await worker.stop() == 0


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize("lifting_first", [True, False])
async def test_newest_wins_whatever_order_they_come_in(
    world: World, context: Context, together: bool, lifting_first: bool
) -> None:
    """The older of a request and a lifting ends as superseded and changes nothing."""
    person, again = customer(), customer()
    await world.stores.add(person, again)
    on, off = restricted(person, -10), lifted(person, -5)
    off_again, on_again = lifted(again, -10), restricted(again, -5)
    events = [off, on, on_again, off_again] if lifting_first else [on, off, off_again, on_again]
    if together:
        await accept(context, *events)
        await settle(context)
    else:
        for one in events:
            await accept(context, one)
            await settle(context)
    assert await marks(world, person) == (False, "open")
    assert await marks(world, again) == (True, "restricted")
    assert [await world.state(one) for one in (off, on_again)] == ["closed", "closed"]
    if lifting_first or together:
        assert [await world.state(one) for one in (on, off_again)] == ["superseded", "superseded"]


async def test_of_two_at_the_same_time_the_restriction_stands(
    world: World, context: Context
) -> None:
    """A tie protects the person."""
    person = customer()
    await world.stores.add(person)
    await accept(context, restricted(person), lifted(person))
    await settle(context)
    assert await marks(world, person) == (True, "restricted")


async def test_a_command_of_a_superseded_request_does_no_harm(
    world: World, context: Context
) -> None:
    """A command that was on its way when the lifting came writes what was said last."""
    person = customer()
    await world.stores.add(person)
    on, off = restricted(person, -10), lifted(person, -5)
    await accept(context, on)
    async with context.ledger.begin() as connection:
        late = [command.id for command in await commands.listed(connection, state="open")]
    await accept(context, off)
    assert await world.state(on) == "superseded"
    async with context.ledger.begin() as connection:
        ready = [command.id for command in await commands.listed(connection, state="open")]
    for command_id in [*(one for one in ready if one not in late), *late]:
        await carry_out(context, command_id)
    assert await marks(world, person) == (False, "open")
    assert await world.receipts(on) == []


async def test_a_lifting_that_comes_while_a_store_is_being_written(
    world: World, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Something newer is said before the attempt settles: it does what is wanted now."""
    person = customer()
    await world.stores.add(person)
    on, off = restricted(person, -10), lifted(person, -5)
    await accept(context, on)
    async with context.ledger.begin() as connection:
        ready = await commands.listed(connection, state="open")
    (crm,) = [command.id for command in ready if command.store == "crm"]
    connector = context.connectors["crm"]
    write = connector.restrict
    said = False

    async def overtaken(keys: Any, *, lifted: bool) -> Any:
        nonlocal said
        done = await write(keys, lifted=lifted)
        if not said:
            said = True
            await take_in(context, [message(1, off)])
        return done

    monkeypatch.setattr(connector, "restrict", overtaken)
    await carry_out(context, crm)
    assert (await marks(world, person))[0] is False


async def test_a_hold_is_no_hindrance(world: World, context: Context) -> None:
    """A hold is against erasing: a restriction is written for whoever is held."""
    person = customer()
    await world.stores.add(person)
    await hold.place_on_subject(
        context,
        {"customer_id": person.customer_no},
        by="Kari Nordmann",
        reason="a claim is before the court",
        review_on=today(),
    )
    await accept(context, restricted(person))
    await settle(context)
    assert await marks(world, person) == (True, "restricted")


async def test_a_swallowed_restriction_is_a_failure(world: World, context: Context) -> None:
    """A trigger that keeps the old value makes a dead letter, never a receipt (rule 3)."""
    person = customer()
    await world.stores.add(person)
    await world.stores.run(
        "crm",
        "CREATE FUNCTION keep() RETURNS trigger AS 'BEGIN NEW.restricted := OLD.restricted; "
        "RETURN NEW; END' LANGUAGE plpgsql; "
        "CREATE TRIGGER keep BEFORE UPDATE ON crm.customer FOR EACH ROW EXECUTE FUNCTION keep()",
    )
    request = restricted(person)
    await accept(context, request)
    await settle(context)
    assert await world.state(request) == "open"
    rows = await world.fetch(sa.text("SELECT store, fault FROM commands WHERE state = 'dead'"))
    assert [tuple(row) for row in rows] == [("crm", "not-restricted")]
    assert "crm" not in {store for store, _ in await world.receipts(request)}


async def test_nobody_is_absent(world: World, context: Context) -> None:
    """Of somebody whom no store knows nothing is refused: there is nothing to restrict."""
    request = restricted(Person())
    await accept(context, request)
    await settle(context)
    assert await world.state(request) == "closed"
    assert {key.split("/")[1] for key in await world.outcomes(request)} == {"*"}


async def test_a_restricted_person_may_still_ask_for_erasure(
    world: World, context: Context
) -> None:
    """Whoever asks for erasure afterwards is erased: a restriction is their own wish of before."""
    person = Person()
    await world.stores.add(person)
    await accept(context, restricted(person, -10), erasure(person))
    await settle(context)
    assert traces(await world.stores.dump(), person) == {}
