"""Sweeps that wait: for an answer, an operator, the hours, a lease. Why they wait is not lost."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest_asyncio

from tests.support.nordlys import Person
from tests.support.sweeping import asked, carry
from tests.support.world import World
from worker import retention_operate as operate
from worker.context import Context
from worker.core.retention import RetentionRule
from worker.ledger import sweep_history

NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)


@pytest_asyncio.fixture
async def context(world: World) -> AsyncIterator[Context]:
    """The worker's parts, in this process."""
    async with world.context() as made:
        yield made


def declared(context: Context, **retention: Any) -> Context:
    """The same parts under a policy that says this of retention."""
    rule = RetentionRule.model_validate(retention)
    return replace(context, policy=context.policy.model_copy(update={"retention": rule}))


def asking(context: Context) -> Context:
    """The same parts with a brake that asks for more than one person."""
    return declared(context, brake={"share": "1%", "times_usual": 3, "people": 1})


def by_night(context: Context, now: datetime) -> Context:
    """The same parts at a time, under quiet hours by day."""
    return replace(declared(context, quiet_hours=["07:00-22:00"]), now=lambda: now)


async def test_closed_hours_hide_no_other_reason(world: World, context: Context) -> None:
    """A sweep that asks, and one that is paused, say so when their ids come again by day."""
    await world.stores.add(*(Person() for _ in range(4)))
    braked, paused = await asked(context, "billing"), await asked(context, "crm")
    assert (await carry(asking(context), braked)).state == "braked"
    await operate.pause(context, paused, by="Kari", because="a release tonight")
    for sweep_id, why in ((braked, "brake"), (paused, "paused")):
        found = await carry(by_night(context, NOON), sweep_id)
        assert (found.state, (found.reason or {})["why"]) == (why.replace("brake", "braked"), why)


async def test_a_sweep_waits_for_its_hours_and_goes_on(world: World, context: Context) -> None:
    """By day it does not begin; when they close midway it waits where it is; then it ends."""
    await world.stores.add(*(Person() for _ in range(3)))
    sweep_id = await asked(context, "billing")
    first = await carry(by_night(context, NOON), sweep_id)
    assert (first.state, first.rows, (first.reason or {})["why"]) == ("waiting", 0, "hours")
    night = first.due_at
    looks: list[int] = []

    def closing() -> datetime:
        looks.append(1)
        return night if len(looks) < 7 else NOON + timedelta(days=1)

    middle = await carry(replace(by_night(context, night), now=closing), sweep_id)
    assert (middle.state, (middle.reason or {})["why"]) == ("waiting", "hours")
    last = await carry(by_night(context, middle.due_at), sweep_id)
    assert (last.state, last.rows) == ("done", 9)


async def test_a_sweep_that_cannot_run_holds_up_no_other(world: World, context: Context) -> None:
    """Whoever is given the id of a paused or queued one leaves the store to the next."""
    await world.stores.add(Person())
    going, paused = await asked(context, "billing"), await asked(context, "billing")
    queued = await asked(context, "billing", after=going)
    await operate.pause(context, paused, by="Kari", because="later")
    for sweep_id in (paused, queued):
        await carry(context, sweep_id, "one")
    assert (await carry(context, going, "two")).state == "done"


async def test_what_was_approved_is_asked_again_under_another_policy(
    world: World, context: Context
) -> None:
    """Somebody approved what a sweep said it would erase then, by the policy of then."""
    await world.stores.add(*(Person() for _ in range(4)))
    strict = asking(context)
    sweep_id = await asked(strict, "billing")
    assert (await carry(strict, sweep_id)).state == "braked"
    await operate.approve(context, sweep_id, by="Kari", because="four people")
    await world.stores.add(*(Person() for _ in range(40)))
    other = replace(strict, policy=strict.policy.model_copy(update={"version": "another"}))
    found = await carry(other, sweep_id)
    assert (found.state, (found.estimate or {})["people"]) == ("braked", 44)
    assert (found.rows, found.approved_by) == (0, None)


async def test_what_is_usual_counts_each_person_once(world: World, context: Context) -> None:
    """Somebody who lost data in three tables is one of the people that a sweep usually takes."""
    await world.stores.add(*(Person() for _ in range(10)))
    done = await carry(context, await asked(context, "billing"))
    async with context.ledger.begin() as connection:
        usual = await sweep_history.usual_people(connection, done)
    assert (done.receipts, usual) == (20, 10)  # a line goes with its invoice
