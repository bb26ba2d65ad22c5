"""Upstream asked for a sweep by an event: it is told how that ended, whoever dies on the way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from unittest.mock import AsyncMock, patch

import pytest
import pytest_asyncio

from connectors.faults import RetryLater
from connectors.sql.sweeper import Sweeper
from tests.support.driving import message
from tests.support.elsewhere import keeping_row
from tests.support.nordlys import Person, customer
from tests.support.sweeping import asked, carry, rule, standing, sweep
from tests.support.world import Event, World
from topics import messages, names
from worker import hold
from worker import retention_operate as operate
from worker.context import Context, PublishFailed
from worker.intake import take_in
from worker.ledger import sweep_steps, sweeps
from worker.ledger.database import LedgerAway
from worker.ledger.sweep_steps import Step
from worker.redrive import redrive
from worker.sweeping.run import run_sweep


@pytest_asyncio.fixture
async def context(world: World) -> AsyncIterator[Context]:
    """The worker's parts, in this process."""
    async with world.context() as made:
        yield made


async def begun(context: Context, trigger: Event) -> int:
    """Take in a trigger for a rule; the id of its sweep."""
    await take_in(context, [message(0, trigger)])
    async with context.ledger.begin() as connection:
        newest, *_ = await sweeps.listed(connection)
    assert newest.event_id == trigger["id"]
    return newest.id


async def redriven(context: Context) -> int:
    """How many ends of sweeps redrive tells, once others have had the time for it."""
    later = context.now() + timedelta(hours=1)
    driven = await redrive(replace(context, now=lambda: later), "the test")
    assert driven is not None
    return driven.sweeps_told


async def the_end(world: World, trigger: Event) -> Any:
    """The one thing that was said to upstream of a trigger."""
    (told,) = await world.completions(trigger)
    messages.SweepCompletion.model_validate_json(await _raw(world))
    return told


async def _raw(world: World) -> bytes:
    """The newest value on the topic of what is done with."""
    newest = max(await world.read(names.COMPLETED), key=lambda r: (r.json["sweep"], r.offset))
    return newest.value or b""


async def test_a_sweep_that_is_done(world: World) -> None:
    """Through Kafka, the event twice: one answer, with counts, receipts and the proof."""
    people = [Person() for _ in range(3)]
    await world.stores.add(*people, customer())
    trigger = rule(store="billing", table="invoice_line")
    with world.worker() as worker:
        await world.publish(trigger, trigger)

        async def answered() -> bool:
            return bool(await world.completions(trigger))

        await world.until(answered, "upstream is told that the sweep has ended")
        assert await worker.stop() == 0
    told = await the_end(world, trigger)
    assert (told["event"]["source"], told["event"]["id"]) == (trigger["source"], trigger["id"])
    assert (told["state"], told["store"], told["table"]) == ("done", "billing", "invoice_line")
    assert told["counts"] == {"invoice_line.delivered_to": {"erased": 3}}
    assert (told["receipts"], told["proof"]["rows"]) == (3, 0)
    async with world.context() as context:
        found = await standing(context, told["sweep"])
        assert found.told_at is not None
        assert await redriven(context) == 0
    raw = await _raw(world)
    for person in people:
        assert person.mark.encode() not in raw
        assert person.email.encode() not in raw


async def test_a_sweep_that_failed(world: World, context: Context) -> None:
    """What stayed is told by why and how many, and so is who was left out."""
    kept, held, other = Person(), Person(), Person()
    await world.stores.add(kept, held, other)
    await hold.place_on_subject(
        context,
        {"customer_id": held.customer_no},
        by="Kari",
        reason="a claim",
        review_on=context.day() + timedelta(days=9),
    )
    await world.stores.run(
        "billing",
        keeping_row(
            world.stores.dialect, "billing.invoice_line", f"OLD.delivered_to = '{kept.mark}'"
        ),
    )
    trigger = rule(store="billing", table="invoice_line")
    await carry(context, await begun(context, trigger))
    told = await the_end(world, trigger)
    assert told["state"] == "failed"
    assert told["reason"] == {"why": "not-gone", "rows": 1, "apart": {}}
    assert told["left_out"] == {"held": 1}
    assert told["counts"] == {"invoice_line.delivered_to": {"erased": 1}}
    assert "proof" not in told


async def test_a_rule_that_is_no_more_in_the_policy(world: World, context: Context) -> None:
    """It ends as failed before it begins, and upstream hears why."""
    trigger = rule(store="billing", table="invoice_line")
    sweep_id = await begun(context, trigger)
    with patch("worker.sweeping.run.visited", side_effect=LookupError):
        await carry(context, sweep_id)
    told = await the_end(world, trigger)
    assert (told["state"], told["reason"]) == ("failed", {"why": "rule-not-in-policy"})
    assert told["counts"] == {}


async def test_a_sweep_that_is_cancelled(world: World, context: Context) -> None:
    """At once where no chunk is under way; who cancelled it and in which words is not told."""
    trigger = rule(store="crm")
    sweep_id = await begun(context, trigger)
    await operate.cancel(context, sweep_id, by="Kari", because="wrong policy")
    told = await the_end(world, trigger)
    assert (told["state"], told["reason"]) == ("cancelled", {"why": "cancelled"})


async def test_a_sweep_that_is_cancelled_at_work(world: World, context: Context) -> None:
    """Only when its last chunk is settled, with what that did."""
    await world.stores.add(Person())
    trigger = rule(store="billing")
    sweep_id = await begun(context, trigger)
    away = AsyncMock(side_effect=RetryLater("unavailable", "the store went away"))
    with patch.object(Sweeper, "left", away), pytest.raises(RetryLater):
        await carry(context, sweep_id)
    await operate.cancel(context, sweep_id, by="Kari", because="not today")
    assert await world.completions(trigger) == []
    await carry(context, sweep_id)
    told = await the_end(world, trigger)
    assert (told["state"], told["receipts"]) == ("cancelled", 1)


async def test_killed_before_it_was_told(world: World, context: Context) -> None:
    """The end stands in the ledger, the broker is away: redrive tells it, once and no more."""
    trigger = rule(store="billing")
    sweep_id = await begun(context, trigger)
    away = AsyncMock(side_effect=PublishFailed("the broker is away"))
    with (
        patch.object(type(context.publisher), "send", away),
        pytest.raises(PublishFailed),
    ):
        await run_sweep(context, sweep_id, "the test", asyncio.Event())
    found = await standing(context, sweep_id)
    assert (found.state, found.told_at) == ("done", None)
    assert await world.completions(trigger) == []
    assert await redriven(context) == 1
    assert (await the_end(world, trigger))["state"] == "done"
    assert await redriven(context) == 0
    assert len(await world.completions(trigger)) == 1


async def test_killed_before_it_was_noted_as_told(world: World, context: Context) -> None:
    """It is told again, with the very same words."""
    trigger = rule(store="billing")
    sweep_id = await begun(context, trigger)
    with (
        patch.object(sweeps, "told", AsyncMock(side_effect=LedgerAway("gone"))),
        pytest.raises(LedgerAway),
    ):
        await run_sweep(context, sweep_id, "the test", asyncio.Event())
    # Its message on Kafka is not acknowledged: it comes again.
    await carry(context, sweep_id)
    first, second = await world.completions(trigger)
    assert first == second
    assert await redriven(context) == 0


async def test_what_is_counted_late_is_told_anew(world: World, context: Context) -> None:
    """A runner slept through the end of its sweep and writes down what it had done: told again."""
    trigger = rule(store="billing")
    sweep_id = await begun(context, trigger)
    await carry(context, sweep_id)
    late = Step(0, None, None, "k", {"account.bank_account": {"erased": 2}}, 1.0)
    async with context.ledger.begin() as connection:
        await sweep_steps.step(connection, sweep_id, 0, late, context.now(), due_at=context.now())
    assert await redriven(context) == 1
    first, second = await world.completions(trigger)
    assert (first["counts"], second["counts"]) == ({}, late.counts)
    assert await redriven(context) == 0


async def test_nobody_is_told_who_did_not_ask_by_an_event(world: World, context: Context) -> None:
    """An operator sees the status; the topic stays empty, also after redrive."""
    await sweep(context, "billing")
    await operate.cancel(context, await asked(context, "crm"), by="Kari", because="not today")
    assert await redriven(context) == 0
    assert await world.read(names.COMPLETED) == []
