"""A store that an operator lets rest is neither read nor written, and nothing of it is lost."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest

from tests.support.driving import accept, drive, settle
from tests.support.nordlys import LONG_AGO, Person, erasure, traces
from tests.support.sweeping import carry
from tests.support.world import World
from topics import names
from worker import retention_operate
from worker.context import Context, NotPossible
from worker.erase import carry_out, tell
from worker.ledger import actions, commands, pauses
from worker.ledger.actions import Did, Origin
from worker.ledger.batches import Lane
from worker.pausing import StorePaused
from worker.redrive import redrive
from worker.retention_operate import run
from worker.stores_operate import HEARD, Rest, drain_store, pause_store, resting, resume_store
from worker.sweeping.runner import Runner

WHO: dict[str, Any] = {"by": "Kari Nordmann", "reason": "restore test"}
LATER = timedelta(minutes=10)


def later(context: Context, by: timedelta = LATER) -> Context:
    """The same parts, some time from now."""
    now = context.now
    return replace(context, now=lambda: now() + by)


async def rests(context: Context) -> dict[str, Rest]:
    """The stores that rest, and how far that is."""
    return {one.pause.store: one.rest for one in await resting(context)}


async def open_of(context: Context, store: str) -> list[int]:
    """Ids of the open commands of a store."""
    async with context.ledger.begin() as connection:
        return [one.id for one in await commands.listed(connection, state="open")
                if one.store == store]  # fmt: skip


async def test_a_command_of_a_paused_store_is_not_begun(world: World) -> None:
    """Not even the attempt is noted; other stores go on; resumed, the same command is done."""
    person = Person()
    await world.stores.add(person)
    request = erasure(person)
    async with world.context() as context:
        await accept(context, request)
        await pause_store(context, "crm", **WHO)
        (waiting,) = await open_of(context, "crm")
        with pytest.raises(StorePaused):
            await carry_out(context, waiting)
        async with context.ledger.begin() as connection:
            lines = {one.store: one for one in await commands.listed(connection)}
        assert (lines["crm"].attempts, lines["crm"].attempted_at) == (0, None)
        for store in ("billing", "newsletter"):
            settled = await carry_out(context, lines[store].id)
            assert settled is not None
            await tell(context, settled)
        assert await world.state(request) == "open"
        left = {place.split(".")[0] for place in traces(await world.stores.dump(), person)}
        assert left == {"crm"}
        await resume_store(context, "crm", by="Ola Nordmann")
        await settle(context)
        assert await world.state(request) == "closed"
    assert not traces(await world.stores.dump(), person)


async def test_redrive_piles_up_no_copies_behind_a_pause(world: World) -> None:
    """However long it lasts one copy lies on the topic; resumed, redrive waits its usual time."""
    person = Person()
    await world.stores.add(person)
    async with world.context() as context:
        await accept(context, erasure(person))
        await pause_store(context, "crm", **WHO)
        for hours in range(1, 5):
            await redrive(later(context, timedelta(hours=hours)), "the test")
        assert len(await world.read(names.commands("crm"))) == 1
        assert len(await world.read(names.commands("billing"))) > 1
        after = later(context, timedelta(hours=5))
        await resume_store(after, "crm", by="Ola Nordmann")
        await redrive(after, "the test")
        assert len(await world.read(names.commands("crm"))) == 1
        await redrive(later(after), "the test")
        assert len(await world.read(names.commands("crm"))) == 2


async def test_nobody_is_looked_up_in_a_paused_store(world: World) -> None:
    """What may be half a restored copy is not believed: nobody is called absent there."""
    person = Person()
    async with world.context() as context:
        await pause_store(context, "crm", **WHO)
        request = erasure(person)
        await accept(context, request)
        assert await world.state(request) == "open"
        assert "crm/*" not in await world.outcomes(request)
        await world.stores.add(person)  # The copy is whole now.
        await resume_store(context, "crm", by="Ola Nordmann")
        await drive(later(context))
        assert await world.state(request) == "closed"
    assert not traces(await world.stores.dump(), person)


async def test_a_sweep_stops_between_chunks_and_goes_on_from_there(world: World) -> None:
    """Paused in the middle it rests after the chunk in hand, and redrive leaves it alone."""
    await world.stores.add(*(Person(invoices=(LONG_AGO,)) for _ in range(3)))
    chunk, chunks = Runner.chunk, 0

    async with world.context() as context:
        sweep = await run(context, "billing", by="Kari Nordmann")

        async def pausing(runner: Runner) -> bool:
            nonlocal chunks
            chunks += 1
            went_on = await chunk(runner)
            if chunks == 1:
                await pause_store(context, "billing", **WHO)
                assert await rests(later(context, HEARD)) == {"billing": Rest.STOPPING}
            return went_on

        with patch.object(Runner, "chunk", pausing), patch("worker.sweeping.run.PAUSE_SECONDS", 0):
            found = await carry(context, sweep)
            assert (found.state.value, found.reason) == ("waiting", {"why": "store-paused"})
            found = await carry(context, sweep)
            assert (found.state.value, chunks) == ("waiting", 1)
            assert await rests(later(context, HEARD)) == {"billing": Rest.PAUSED}
            driven = await redrive(later(context), "the test")
            assert (driven and driven.sweeps) == 0
            await resume_store(context, "billing", by="Ola Nordmann")
            driven = await redrive(later(context, 2 * LATER), "the test")
            assert (driven and driven.sweeps) == 1
            found = await carry(context, sweep)
        assert (found.state.value, chunks > 1) == ("done", True)


async def test_a_drain_is_through_when_every_worker_has_finished(world: World) -> None:
    """Reports of work in hand hold it up while they are fresh; then nothing begins any more."""
    person = Person()
    await world.stores.add(person)
    async with world.context() as context:
        await accept(context, erasure(person))
        (command,) = await open_of(context, "crm")
        await drain_store(context, "crm", **WHO)
        heard = later(context, HEARD)
        async with context.ledger.begin() as connection:
            (pause,) = await pauses.standing(connection)
            await pauses.report(connection, pause.id, "one", Lane.PEOPLE, 2, heard.now())
            await pauses.report(connection, pause.id, "two", Lane.PEOPLE, 0, heard.now())
        assert await rests(context) == {"crm": Rest.DRAINING}
        assert await rests(heard) == {"crm": Rest.DRAINING}
        settled = await carry_out(context, command)  # It is in hand: it may still begin.
        assert settled is not None
        async with context.ledger.begin() as connection:
            await pauses.report(connection, pause.id, "one", Lane.PEOPLE, 0, heard.now())
        assert await rests(context) == {"crm": Rest.DRAINING}  # Others may not have heard of it.
        assert await rests(heard) == {"crm": Rest.PAUSED}
        await accept(context, erasure(Person()))
        assert await open_of(context, "crm") == []


async def test_a_worker_that_died_holds_up_no_drain(world: World) -> None:
    """What it said it had in hand counts for half a minute."""
    async with world.context() as context:
        await drain_store(context, "crm", **WHO)
        async with context.ledger.begin() as connection:
            (pause,) = await pauses.standing(connection)
            await pauses.report(connection, pause.id, "dead", Lane.PEOPLE, 1, context.now())
        assert await rests(later(context, pauses.FRESH / 2)) == {"crm": Rest.DRAINING}
        assert await rests(later(context, 2 * pauses.FRESH)) == {"crm": Rest.PAUSED}


async def test_an_attempt_that_nobody_ended_may_still_be_at_work(world: World) -> None:
    """For as long as a command may take at the most, a paused store is said to be stopping."""
    person = Person()
    await world.stores.add(person)
    async with world.context() as context:
        await accept(context, erasure(person))
        (command,) = await open_of(context, "crm")
        async with context.ledger.begin() as connection:
            now = context.now()
            assert await commands.take(connection, command, now=now, due_at=now) is not None
        await pause_store(context, "crm", **WHO)
        assert await rests(later(context, HEARD)) == {"crm": Rest.STOPPING}
        grace = context.timing.command_grace
        assert await rests(later(context, grace + timedelta(seconds=1))) == {"crm": Rest.PAUSED}


async def test_pausing_is_refused_where_it_means_nothing(world: World) -> None:
    """A store that is not there, that is paused already, that is not paused."""
    async with world.context() as context:
        for order in (pause_store, drain_store):
            with pytest.raises(NotPossible, match="there is no store 'shop'"):
                await order(context, "shop", **WHO)
        with pytest.raises(NotPossible, match="crm is not paused"):
            await resume_store(context, "crm", **WHO)
        await drain_store(context, "crm", **WHO)
        with pytest.raises(NotPossible, match="is being drained already, by Kari"):
            await drain_store(context, "crm", **WHO)
        await pause_store(context, "crm", **WHO)  # At once, after all.
        for order in (pause_store, drain_store):
            with pytest.raises(NotPossible, match="is paused already, by Kari"):
                await order(context, "crm", **WHO)
        await resume_store(context, "crm", **WHO)
        assert await rests(context) == {}


async def test_what_operators_do_is_recorded_with_who_and_why(world: World) -> None:
    """In the transaction that does it: what is refused leaves no record."""
    async with world.context() as context:
        with pytest.raises(NotPossible):
            await resume_store(context, "crm", **WHO)
        await pause_store(context, "crm", **WHO)
        await resume_store(context, "crm", by="Ola Nordmann", origin=Origin.PAGE)
        sweep = await run(context, "billing", by="Kari Nordmann")
        await retention_operate.pause(context, sweep, by="Kari Nordmann", because="closing")
        with pytest.raises(NotPossible):
            await retention_operate.pause(context, sweep, by="Kari Nordmann", because="again")
        await retention_operate.resume(context, sweep, by="Kari Nordmann")
        await retention_operate.cancel(context, sweep, by="Kari Nordmann", because="wrong")
        async with context.ledger.begin() as connection:
            found = await actions.listed(connection)
            of_store = await actions.listed(connection, targets=["store:crm"])
    assert [(one.what, one.target, one.by, one.reason, one.origin) for one in of_store] == [
        (Did.STORE_RESUMED, "store:crm", "Ola Nordmann", None, Origin.PAGE),
        (Did.STORE_PAUSED, "store:crm", "Kari Nordmann", "restore test", Origin.CLI),
    ]
    assert [(one.what, one.reason) for one in found if one.target == f"sweep:{sweep}"] == [
        (Did.SWEEP_CANCELLED, "wrong"),
        (Did.SWEEP_RESUMED, None),
        (Did.SWEEP_PAUSED, "closing"),
        (Did.SWEEP_ASKED, None),
    ]
