"""Events that would erase far more than usual stop before a store is told, and ask once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from tests.support.driving import accept, drive, settle
from tests.support.nordlys import Person, erasure, event, withdrawal
from tests.support.world import World, id_of
from topics import names
from worker.context import Context, NotPossible
from worker.core.retention import BrakeRule, RetentionRule
from worker.flood import approve
from worker.health import troubles
from worker.ledger import brakes, commands

WHO: dict[str, Any] = {"by": "Kari Nordmann", "because": "a campaign has ended"}


@pytest_asyncio.fixture
async def context(world: World) -> AsyncIterator[Context]:
    """The worker's parts, with a brake that asks above two people."""
    async with world.context() as made:
        rule = RetentionRule(brake=BrakeRule(people=2))
        yield replace(made, policy=made.policy.model_copy(update={"retention": rule}))


async def stores_told(context: Context) -> dict[str, int]:
    """How many people each store was told to erase, ever."""
    async with context.ledger.begin() as connection:
        return await brakes.erased_since(connection, context.now() - timedelta(days=999))


def later(context: Context, by: timedelta) -> Context:
    """The same parts at a later time."""
    then = context.now() + by
    return replace(context, now=lambda: then)


async def test_a_flood_waits_and_goes_on_when_it_is_approved(
    world: World, context: Context
) -> None:
    """In that store alone; the stop is published; nothing is lost, and it is asked once."""
    people = [Person(in_billing=False) for _ in range(4)]
    readers = [Person(in_crm=False, in_billing=False) for _ in range(100)]
    await world.stores.add(*people, *readers)
    requests = [erasure(person) for person in people]
    await accept(context, *requests)
    assert await stores_told(context) == {"newsletter": 4}
    assert len(await world.read(names.SUPPRESSIONS)) > 0
    await settle(context)
    assert {(await world.states())[id_of(one)] for one in requests} == {"open"}
    (trouble,) = await troubles(world.ledger, context.now())
    assert trouble.kind == "flood-asks"
    assert "would erase data of 4 of 4 people" in trouble.what
    assert trouble.todo.startswith("erasure retention approve flood:crm ")

    # Whatever comes meanwhile waits as well, and asks no second time.
    last = Person(in_billing=False)
    await world.stores.add(last)
    requests.append(erasure(last))
    await accept(later(context, timedelta(minutes=1)), requests[-1])
    await drive(later(context, timedelta(hours=30)))
    assert (await stores_told(context)).get("crm") is None
    assert len(await troubles(world.ledger, context.now())) == 1

    await approve(context, "crm", **WHO)
    with pytest.raises(NotPossible, match="do not ask"):
        await approve(context, "crm", **WHO)
    await drive(later(context, timedelta(hours=1)))
    assert (await stores_told(context))["crm"] == 5
    assert {(await world.states())[id_of(one)] for one in requests} == {"closed"}
    assert (await world.stores.dump())["crm.customer"] == []
    assert await troubles(world.ledger, context.now()) == []


async def test_an_approval_lasts_for_a_day(world: World, context: Context) -> None:
    """Within it nothing asks; after it a flood asks again."""
    people = [Person(in_billing=False, subscriptions=0) for _ in range(9)]
    await world.stores.add(*people)
    await accept(context, *map(erasure, people[:3]))
    await approve(context, "crm", **WHO)
    await drive(later(context, timedelta(hours=2)))
    await accept(later(context, timedelta(hours=23)), *map(erasure, people[3:6]))
    assert (await stores_told(context))["crm"] == 6
    await accept(later(context, timedelta(hours=25)), *map(erasure, people[6:]))
    assert (await stores_told(context))["crm"] == 6


async def test_few_never_ask_and_a_day_is_added_up(world: World, context: Context) -> None:
    """Two of two go; with the third within a day it asks, of the third alone."""
    people = [Person(in_billing=False, subscriptions=0) for _ in range(3)]
    await world.stores.add(*people)
    for person in people:
        await accept(context, erasure(person))
    assert await stores_told(context) == {"crm": 2}


async def test_what_only_restricts_is_not_braked(world: World, context: Context) -> None:
    """In the same batch as a flood, and nor is somebody whom the store does not know."""
    people = [Person(in_billing=False, subscriptions=0) for _ in range(4)]
    await world.stores.add(*people)
    restriction = event("restriction.requested", {"email": people[3].email})
    await accept(context, *map(erasure, people[:3]), restriction)
    async with context.ledger.begin() as connection:
        told = await commands.listed(connection)
    assert [one.case_ids for one in told if one.store == "crm"] == [(id_of(restriction),)]
    stranger = withdrawal(Person())
    await accept(context, stranger)
    assert (await world.states())[id_of(stranger)] == "closed"


async def test_the_usual_day_counts_as_well(world: World, context: Context) -> None:
    """Where all of the store might go by its share, three times the usual day is the limit."""
    rule = RetentionRule(brake=BrakeRule(people=2, share=1.0, times_usual=3))
    context = replace(context, policy=context.policy.model_copy(update={"retention": rule}))
    people = [Person(in_billing=False, subscriptions=0) for _ in range(9)]
    await world.stores.add(*people)
    await accept(context, erasure(people[0]))
    # One in the day before is usual, so three may go and a fourth may not.
    tomorrow = later(context, timedelta(days=1, hours=1))
    await accept(tomorrow, *map(erasure, people[1:4]))
    assert (await stores_told(tomorrow))["crm"] == 4
    await accept(tomorrow, erasure(people[4]))
    assert (await stores_told(tomorrow))["crm"] == 4
    found = await troubles(world.ledger, tomorrow.now())
    (one,) = [trouble for trouble in found if trouble.kind == "flood-asks"]
    assert "and 1 are usual" in one.what
