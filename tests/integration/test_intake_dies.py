"""A bug in intake ends the worker, so that a supervisor starts it again: it never falls silent."""

from __future__ import annotations

import asyncio
from unittest.mock import patch

import pytest

from tests.support.nordlys import Person, erasure
from tests.support.world import World
from worker.settings import BrokerSettings
from worker.streams import agents
from worker.streams.intake_worker import IntakeCrashed, run_intake
from worker.streams.planner import Planner


async def test_a_bug_in_intake_is_not_silent(world: World) -> None:
    """What is no fault of a part that is away leaves the agent, and with it the worker."""
    await world.publish(erasure(Person()))
    broker = BrokerSettings(bootstrap=world.bootstrap)
    async with world.context() as context:
        with (
            patch.object(agents, "take_in", side_effect=ZeroDivisionError),
            pytest.raises(IntakeCrashed, match="ZeroDivisionError"),
        ):
            async with asyncio.timeout(60):
                await run_intake(
                    context, broker, world.folder / "data", Planner(context), asyncio.Event()
                )
    assert await world.states() == {}
