"""What ends intake ends the worker, so that a supervisor starts it again: it never falls silent."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from unittest.mock import patch

import pytest
from aiokafka import TopicPartition

from tests.support.nordlys import Person, erasure
from tests.support.world import World
from topics.places import Marks
from worker.settings import BrokerSettings
from worker.streams import agents
from worker.streams.intake_worker import IntakeCrashed, run_intake
from worker.streams.planner import Planner


async def intake(world: World) -> None:
    """Take in what was published, until it crashes."""
    broker = BrokerSettings(bootstrap=world.bootstrap)
    async with world.context() as context, asyncio.timeout(60):
        await run_intake(context, broker, world.folder / "data", Planner(context), asyncio.Event())


async def test_a_bug_in_intake_is_not_silent(world: World) -> None:
    """What is no fault of a part that is away leaves the agent, and with it the worker."""
    await world.publish(erasure(Person()))
    with (
        patch.object(agents, "take_in", side_effect=ZeroDivisionError),
        pytest.raises(IntakeCrashed, match="ZeroDivisionError"),
    ):
        await intake(world)
    assert await world.states() == {}


async def test_another_message_where_one_was_read_ends_it(world: World) -> None:
    """A broker that lost what it held gives the same places anew: nothing of it is taken in."""
    await world.publish(erasure(Person()))
    read: Callable[[Marks, TopicPartition, int, int], None] = Marks.read

    def again(marks: Marks, partition: TopicPartition, offset: int, timestamp: int) -> None:
        read(marks, partition, offset, timestamp - 1)
        read(marks, partition, offset, timestamp)

    with patch.object(Marks, "read", again), pytest.raises(IntakeCrashed, match="Replaced"):
        await intake(world)
    assert await world.states() == {}
