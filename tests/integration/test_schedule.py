"""The policy's schedule: one run at a time, begun once, in the order of its stores."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest_asyncio

from tests.support.sweeping import carry
from tests.support.world import World
from worker.context import Context
from worker.core.retention import RetentionRule
from worker.ledger import sweeps
from worker.ledger.sweeps import Sweep
from worker.schedule import LEASE_TTL, begin_due

EVENING = datetime(2026, 11, 25, 20, tzinfo=UTC)
RULE = RetentionRule.model_validate(
    {"schedules": {"night": {"cron": "30 2 * * *", "stores": ["billing", "crm"]}}}
)


@pytest_asyncio.fixture
async def context(world: World) -> AsyncIterator[Context]:
    """The worker's parts, with a schedule of two stores."""
    async with world.context() as made:
        policy = made.policy.model_copy(update={"retention": RULE})
        yield replace(made, policy=policy, now=lambda: EVENING)


def at(context: Context, moment: datetime) -> Context:
    """The same parts at another time."""
    return replace(context, now=lambda: moment)


async def written(context: Context) -> list[Sweep]:
    """The sweeps in the ledger, the oldest first."""
    async with context.ledger.begin() as connection:
        return sorted(await sweeps.listed(connection), key=lambda sweep: sweep.id)


async def test_two_workers_begin_a_run_once(world: World, context: Context) -> None:
    """It is seen first from now on; then a night's run is begun by one of two, in its order."""
    assert await begin_due(context, "one") == 0
    morning = at(context, EVENING + timedelta(hours=9))
    await asyncio.gather(begin_due(morning, "one"), begin_due(morning, "two"))
    assert await begin_due(at(context, EVENING + timedelta(hours=10)), "two") == 0
    first, second = await written(context)
    assert [(s.store, s.trigger) for s in (first, second)] == [
        ("billing", "schedule"),
        ("crm", "schedule"),
    ]
    assert second.after_id == first.id
    # The second waits for the first to end.
    assert (await carry(morning, second.id)).state == "waiting"
    assert (await carry(morning, first.id)).state == "done"
    assert (await carry(morning, second.id)).state == "done"


async def test_missed_nights_are_caught_up_by_one(world: World, context: Context) -> None:
    """Three nights without a worker are one run; whoever takes over begins none anew."""
    await begin_due(context, "one")
    later = EVENING + timedelta(days=3)
    assert await begin_due(at(context, later), "one") == 2
    taken_over = at(context, later + 2 * LEASE_TTL)
    assert await begin_due(taken_over, "two") == 0
    assert len(await written(context)) == 2
