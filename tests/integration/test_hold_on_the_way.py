"""A hold that is placed when the commands are already written."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tests.support.driving import message
from tests.support.judging import assert_gone_honestly
from tests.support.nordlys import Person, about, erasure, today
from tests.support.world import World, id_of
from worker import hold
from worker.intake import take_in
from worker.ledger import commands
from worker.plan import plan_batch


async def test_a_hold_takes_a_case_out_of_commands(world: World) -> None:
    """A command that lies ready when the hold is placed leaves the person out; others go."""
    held, other = Person(), Person()
    await world.stores.add(held, other)
    before = await world.stores.dump()
    asked, free = erasure(held), erasure(other)
    async with world.context() as context:
        (batch,) = await take_in(context, [message(0, asked), message(1, free)])
        await plan_batch(context, batch)
        placed = await hold.place_on_case(
            context,
            id_of(asked),
            by="Kari Nordmann",
            reason="a claim is before the court",
            review_on=today() + timedelta(days=90),
        )
        assert (placed.cases, placed.attempted) == ((id_of(asked),), ())
        async with context.ledger.begin() as connection:
            ready = await commands.listed(connection, batch_id=batch)
        assert any(id_of(asked) in command.case_ids for command in ready)
    with world.worker() as worker:
        await world.until_told(free)
        await world.until_states(asked, state="held")
        assert about(await world.stores.dump(), [held]) == about(before, [held])
        async with world.context() as context:
            await hold.release(context, placed.hold, by="Kari Nordmann")
        await world.until_told(asked)
        await assert_gone_honestly(world, before, [(held, asked), (other, free)])
        assert await worker.stop() == 0


async def test_a_hold_that_comes_too_late_says_so(world: World) -> None:
    """Of a case that a store has taken in hand the hold tells that something may be gone."""
    taken, waiting = Person(), Person()
    await world.stores.add(taken, waiting)
    asked, behind = erasure(taken), erasure(waiting)
    order: dict[str, Any] = {"by": "Kari Nordmann", "reason": "a claim"}
    review_on = today()
    async with world.context() as context:
        for offset, event in enumerate((asked, behind)):
            (batch,) = await take_in(context, [message(offset, event)])
            await plan_batch(context, batch)
        async with context.ledger.begin() as connection:
            first = min(command.id for command in await commands.listed(connection))
            command = await commands.take(
                connection, first, now=context.now(), due_at=context.now()
            )
        assert command is not None
        assert command.case_ids == (id_of(asked),)
        for event, attempted in ((asked, (id_of(asked),)), (behind, ())):
            placed = await hold.place_on_case(context, id_of(event), **order, review_on=review_on)
            assert (placed.cases, placed.attempted) == ((id_of(event),), attempted)
