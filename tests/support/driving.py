"""The worker's steps one by one, in this process and at a time of the test's own."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time

from tests.support.world import Event
from topics.publishing import event_to_message
from topics.reading import Message
from worker.context import Context
from worker.erase import carry_out, tell
from worker.intake import take_in
from worker.ledger import commands, store_states
from worker.ledger.batches import Lane
from worker.ledger.store_states import StoreState
from worker.plan import plan_batch
from worker.redrive import Driven, redrive


def message(offset: int, event: Event) -> Message:
    """An event as it is read from its topic."""
    sent = event_to_message(event)
    return Message(sent.topic, 0, offset, sent.key, sent.value, sent.headers)


def on_day(context: Context, day: date) -> Context:
    """The same parts on another day, at noon."""
    noon = datetime.combine(day, time(12), UTC)
    return replace(context, now=lambda: noon)


async def accept(context: Context, *events: Event) -> None:
    """Take in events and plan them."""
    messages = [message(offset, event) for offset, event in enumerate(events)]
    for batch_id in await take_in(context, messages):
        await plan_batch(context, batch_id)


async def settle(context: Context) -> int:
    """Carry out every open command, and those that come of it; return how many there were."""
    done = 0
    while True:
        async with context.ledger.begin() as connection:
            ready = await commands.listed(connection, state="open")
        if not ready:
            return done
        for command in ready:
            settled = await carry_out(context, command.id)
            if settled is not None:
                await tell(context, settled)
            done += 1


async def drive(context: Context) -> Driven:
    """One round of redrive, which nobody else does meanwhile; then what came of it."""
    driven = await redrive(context, "the test")
    assert driven is not None
    await settle(context)
    return driven


async def serve(context: Context) -> None:
    """Say in the ledger that a worker serves every store, as one that runs does."""
    now = context.now()
    async with context.ledger.begin() as connection:
        await store_states.write(
            connection,
            "the test",
            [
                StoreState(store, lane, "the test", "serving", None, None, now, None, now)
                for store in context.connectors
                for lane in Lane
            ],
        )
