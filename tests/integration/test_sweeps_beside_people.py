"""A sweep that takes long delays nobody: what a person asks is done while it runs."""

from __future__ import annotations

from datetime import date

import pytest_asyncio

from tests.support.nordlys import POLICY, Person, erasure, traces
from tests.support.sweeping import asked, standing
from tests.support.world import World
from worker.core.lifecycle import SweepState
from worker.ledger import sweeps
from worker.sweeps import publish

ROWS_A_SECOND = 5


@pytest_asyncio.fixture
async def slow(world: World) -> World:
    """A world whose billing may be swept by a few rows a second, and by everybody's."""
    world.may_erase(10_000)
    file = world.folder / "policy.yaml"
    declared = (file if file.exists() else POLICY).read_text(encoding="utf-8")
    billing = "  billing:\n    connector: billing\n"
    assert billing in declared
    limited = declared.replace(
        billing, f"{billing}    sweep: {{rows_per_second: {ROWS_A_SECOND}}}\n"
    )
    file.write_text(limited, encoding="utf-8")
    return world


async def test_a_person_does_not_wait_for_a_sweep(slow: World) -> None:
    """It is done to its end in a store whose sweep has long to go, and a pause lets go of that."""
    crowd = [
        Person(in_crm=False, subscriptions=0, invoices=[date(2010, 3, 10)] * 20) for _ in range(40)
    ]
    person = Person(invoices=[])
    await slow.stores.add(person)
    async with slow.context() as context:
        with slow.worker():
            await slow.stores.add(*crowd)
            sweep_id = await asked(context, "billing")
            await publish(context, [("billing", sweep_id)])

            async def under_way() -> bool:
                return (await standing(context, sweep_id)).chunks > 0

            await slow.until(under_way, "the sweep is under way")
            request = erasure(person)
            await slow.publish(request)
            await slow.until_states(request)
            assert traces(await slow.stores.dump(), person) == {}
            assert (await standing(context, sweep_id)).state == "running"
            async with context.ledger.begin() as connection:
                assert await sweeps.move(
                    connection,
                    sweep_id,
                    [SweepState.RUNNING],
                    SweepState.PAUSED,
                    now=context.now(),
                )

            async def let_go() -> bool:
                return (await standing(context, sweep_id)).span is None

            await slow.until(let_go, "the chunk in hand is settled")
            rows = (await standing(context, sweep_id)).rows
            assert 0 < rows < len(crowd) * 20 * 2, "the sweep was at its end"
