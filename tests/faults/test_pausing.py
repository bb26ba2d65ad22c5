"""Operators let a store rest under a running worker, and nothing is lost by it."""

from __future__ import annotations

import asyncio

import sqlalchemy as sa
from typer.testing import CliRunner

from tests.faults.test_store_away import members, settled
from tests.support.judging import assert_gone_honestly, assert_told_once
from tests.support.nordlys import Person, erasure
from tests.support.world import World
from topics import names
from worker.cli.app import app
from worker.cli.exits import Exit
from worker.stores_operate import Rest, resting, resume_store

WHO = ("--by", "Kari Nordmann", "--reason", "restore test")


async def stores(world: World, *words: str) -> tuple[int, str]:
    """Type a command of ``erasure stores``."""
    answer = await asyncio.to_thread(
        CliRunner().invoke, app, ["stores", *words], env=world.settings
    )
    return answer.exit_code, answer.output


async def test_a_paused_store_waits_in_its_group_and_goes_on(gated: World) -> None:
    """The others finish, its consumer stays, one copy of each command lies on its topic."""
    people = [Person() for _ in range(6)]
    await gated.stores.add(*people)
    before = await gated.stores.dump()
    requests = [(person, erasure(person)) for person in people]
    events = [request for _, request in requests]
    with gated.worker(only="intake") as intake:
        await gated.publish(*events)

        async def planned() -> bool:
            rows = await gated.fetch(sa.text("SELECT count(DISTINCT store) FROM commands"))
            return int(rows[0][0]) == 3 and not await gated.unsaid()

        await gated.until(planned, "everything is planned")
        assert await intake.stop() == 0
    assert (await stores(gated, "pause", "crm", *WHO))[0] == Exit.OK
    with gated.worker() as worker:

        async def others_done() -> bool:
            return await settled(gated, "billing") == await settled(gated, "newsletter") == 6

        await gated.until(others_done, "the others have finished")
        await gated.until_log("store-rests")
        waiting = await members(gated, "erasure-crm")
        assert len(waiting) == 1
        assert await settled(gated, "crm") == 0
        published = len(await gated.read(names.commands("crm")))
        assert (await stores(gated, "resume", "crm", "--by", "Ola Nordmann"))[0] == Exit.OK
        await gated.until_told(*events)
        assert await members(gated, "erasure-crm") == waiting
        assert len(await gated.read(names.commands("crm"))) == published
        assert await worker.stop() == 0
    attempts = await gated.fetch(sa.text("SELECT attempts FROM commands WHERE store = 'crm'"))
    assert {row[0] for row in attempts} == {1}
    await assert_gone_honestly(gated, before, requests)
    await assert_told_once(gated, events)


async def test_a_drained_store_has_finished_what_was_in_hand(gated: World) -> None:
    """A command that is tried again holds the drain up; done, the store rests and takes no more."""
    first, second = Person(), Person()
    await gated.stores.add(first, second)
    requests = [erasure(first), erasure(second)]
    with gated.worker(only="intake") as intake:
        await gated.publish(requests[0])

        async def planned() -> bool:
            rows = await gated.fetch(sa.text("SELECT count(DISTINCT store) FROM commands"))
            return int(rows[0][0]) == 3 and not await gated.unsaid()

        await gated.until(planned, "everything is planned")
        assert await intake.stop() == 0
    await gated.gates["billing"].shut()
    with gated.worker() as worker:
        await gated.until_log("retry-later")
        assert (await stores(gated, "drain", "billing", "--no-wait", *WHO))[0] == Exit.OK
        await gated.until_log("store-rests")
        assert "draining" in (await stores(gated, "list"))[1]
        await gated.publish(requests[1])
        await gated.gates["billing"].open()

        async def drained() -> bool:
            return '"state": "paused"' in (await stores(gated, "list", "--json"))[1]

        await gated.until(drained, "the store is drained")
        assert await settled(gated, "billing") == 1

        async def others_done() -> bool:
            return await settled(gated, "newsletter") == 2

        await gated.until(others_done, "another store has finished")
        assert await settled(gated, "billing") == 1
        assert (await stores(gated, "resume", "billing", "--by", "Ola"))[0] == Exit.OK
        await gated.until_told(*requests)
        assert await worker.stop() == 0


async def test_draining_waits_until_nobody_is_at_work(gated: World) -> None:
    """The command ends when the store is drained, and says so; or when somebody resumes it."""
    code, said = await stores(gated, "drain", "crm", *WHO)
    assert (code, "crm is drained: nobody is at work in it" in said) == (Exit.OK, True)
    assert (await stores(gated, "resume", "crm", "--by", "Ola"))[0] == Exit.OK
    async with gated.context() as context:
        # A command line at a time: two would share one standard output.
        draining = asyncio.create_task(stores(gated, "drain", "crm", *WHO))

        async def begun() -> bool:
            return [one.rest for one in await resting(context)] == [Rest.DRAINING]

        await gated.until(begun, "it is being drained")
        await resume_store(context, "crm", by="Ola Nordmann")
        assert (await draining)[0] == Exit.WRONG


async def test_a_stop_is_heard_while_a_store_rests(gated: World) -> None:
    """A worker with commands in hand of a paused store ends when it is told to."""
    person = Person()
    await gated.stores.add(person)
    await gated.gates["crm"].shut()
    request = erasure(person)
    with gated.worker() as worker:
        await gated.publish(request)
        await gated.until_states(request, state="open")
        assert (await stores(gated, "pause", "crm", *WHO))[0] == Exit.OK
        await gated.until_log("store-rests")
        assert await worker.stop() == 0
    await gated.gates["crm"].open()
    assert (await stores(gated, "resume", "crm", "--by", "Ola"))[0] == Exit.OK
    with gated.worker() as worker:
        await gated.until_told(request)
        assert await worker.stop() == 0
