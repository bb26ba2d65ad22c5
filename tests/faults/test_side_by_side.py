"""Two workers at the same step at the same moment, held still where it hurts most."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

import pytest
import sqlalchemy as sa

import worker.erase
import worker.plan
import worker.resolve
from connectors.base import Effects, Work
from connectors.sql import SqlConnector
from tests.support.judging import assert_gone_honestly
from tests.support.nordlys import LONG_AGO, Person, consent, customer, erasure, traces, withdrawal
from tests.support.world import Event, World
from topics import names
from topics.publishing import event_to_message
from topics.reading import Message
from worker.context import Outgoing
from worker.erase import carry_out
from worker.intake import take_in
from worker.plan import plan_batch
from worker.streams.publish import KafkaPublisher

NOW = datetime.now(UTC)


def arrived(event: Event) -> list[Message]:
    """An event as intake gets it."""
    sent = event_to_message(event)
    return [Message(sent.topic, 0, 0, sent.key, sent.value, sent.headers)]


async def test_whoever_erased_nothing_beside_another_says_nothing(world: World) -> None:
    """Of two attempts at once, the one that came too late to count must not settle as absent."""
    person = Person()
    await world.stores.add(person)
    before = await world.stores.dump()
    request = erasure(person)
    begun, erased, settled = asyncio.Event(), asyncio.Event(), asyncio.Event()
    original = SqlConnector.erase

    async def erase(self: SqlConnector, work: Work) -> Effects:
        if not begun.is_set():
            begun.set()
            await erased.wait()
            return await original(self, work)
        effects = await original(self, work)
        if not erased.is_set():
            erased.set()
            await settled.wait()
        return effects

    async with world.context() as context:
        for batch_id in await take_in(context, arrived(request)):
            await plan_batch(context, batch_id)
        rows = await world.fetch(sa.text("SELECT id, store FROM commands"))
        commands = {row.store: row.id for row in rows}
        with patch.object(SqlConnector, "erase", erase):
            late = asyncio.create_task(carry_out(context, commands["crm"]))
            await begun.wait()
            early = asyncio.create_task(carry_out(context, commands["crm"]))
            await late
            settled.set()
            await early
        for store in ("billing", "newsletter"):
            await carry_out(context, commands[store])
    assert sorted(store for store, _ in await world.receipts(request)) == [
        "billing",
        "crm",
        "newsletter",
    ]
    await assert_gone_honestly(world, before, [(person, request)])


async def test_two_planners_of_one_batch_issue_its_commands_once(gated: World) -> None:
    """Both have looked everybody up, one store being away: only one of them writes commands."""
    person = Person()
    await gated.stores.add(person)
    # The CRM might lead anywhere: while it is away no store is planned for good.
    await gated.gates["crm"].shut()
    barrier = asyncio.Barrier(2)
    original = worker.resolve.resolve

    async def resolve(*args: Any) -> Any:
        resolution = await original(*args)
        await barrier.wait()
        return resolution

    async with gated.context() as context:
        (batch_id,) = await take_in(context, arrived(erasure(person)))
        with patch.object(worker.plan, "resolve", resolve):
            await asyncio.gather(plan_batch(context, batch_id), plan_batch(context, batch_id))
    rows = await gated.fetch(sa.text("SELECT store FROM commands ORDER BY store"))
    assert [row.store for row in rows] == ["newsletter"]


async def test_a_slow_publisher_does_not_overwrite_a_newer_stop(world: World) -> None:
    """A lift that is published after the stop that ended it: the topic ends with the stop."""
    person = customer()
    lifting, stopped = asyncio.Event(), asyncio.Event()
    original = KafkaPublisher.send

    async def send(self: KafkaPublisher, topic: str, messages: Sequence[Outgoing]) -> None:
        if topic == names.SUPPRESSIONS and not lifting.is_set():
            lifting.set()
            await stopped.wait()
        await original(self, topic, messages)

    async with world.context() as context:
        with patch.object(KafkaPublisher, "send", send):
            given = consent(person, time=NOW - timedelta(minutes=1))
            slow = asyncio.create_task(take_in(context, arrived(given)))
            await lifting.wait()
            await take_in(context, arrived(withdrawal(person, time=NOW)))
            stopped.set()
            await slow
    records = await world.read(names.SUPPRESSIONS)
    assert len({record.key for record in records}) == 1
    assert set(records[-1].json["stopped"]) == {"newsletter"}


@pytest.mark.parametrize("attempted", [False, True])
async def test_a_case_planned_anew_keeps_what_its_commands_knew(
    world: World, attempted: bool
) -> None:
    """The CRM's row, which led to billing, is gone: a newer consent must not lose billing by it.

    And what a command of the first plan erased without settling is not `absent` in the second.
    """
    person = Person(slips=[LONG_AGO])
    await world.stores.add(person)
    request = erasure(person, time=NOW - timedelta(minutes=1))
    async with world.context() as context:
        (batch_id,) = await take_in(context, arrived(request))
        await plan_batch(context, batch_id)
        rows = await world.fetch(sa.text("SELECT id, store FROM commands"))
        commands = {row.store: row.id for row in rows}
        await carry_out(context, commands["crm"])
        if attempted:
            with (
                patch.object(worker.erase, "_settle", side_effect=ZeroDivisionError),
                pytest.raises(ZeroDivisionError),
            ):
                await carry_out(context, commands["billing"])
        for again in await take_in(context, arrived(consent(person, time=NOW))):
            planned = await plan_batch(context, again)
            for issued in planned.commands if planned else []:
                await carry_out(context, issued.id)
    left = traces(await world.stores.dump(), person)
    assert {table for table in left if "subscri" not in table} == set()
    billing = [rows for store, rows in await world.receipts(request) if store == "billing"]
    results = [(row["result"], row.get("interrupted", False)) for rows in billing for row in rows]
    assert set(results) == {("erased", attempted)}


async def test_a_command_of_another_policy_version_is_planned_anew(world: World) -> None:
    """Its shape says nothing of newer grounds: it erases nothing, and the case is planned again."""
    person = Person()
    await world.stores.add(person)
    before = await world.stores.dump()
    request = erasure(person)
    async with world.context() as context:
        (batch_id,) = await take_in(context, arrived(request))
        await plan_batch(context, batch_id)
        old = await world.fetch(sa.text("SELECT id FROM commands"))
        newer = context.policy.model_copy(update={"version": "next"})
        later = dataclasses.replace(context, policy=newer)
        assert await carry_out(later, old[0].id) is None
        assert traces(await world.stores.dump(), person) == traces(before, person)
        for row in await world.fetch(sa.text("SELECT id FROM commands WHERE policy = 'next'")):
            await carry_out(later, row.id)
    assert {row.state for row in await world.fetch(sa.text("SELECT state FROM cases"))} == {
        "closed"
    }
    await assert_gone_honestly(world, before, [(person, request)])
