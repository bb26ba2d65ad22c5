"""Stores that are away, rest, grow or have no worker: caused, followed by the book, and over."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from tests.runbook.following import follow, status, typed, until_told, until_well
from tests.runbook.measured import alone, number, pass_time, running, scrape
from tests.support.nordlys import POLICY, Person, erasure
from tests.support.world import World
from worker.cli.exits import Exit

MEND = "CREATE INDEX customer_email_any_case ON crm.customer (lower(email))"

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def state_of(world: World, store: str) -> str:
    """What ``erasure stores list`` says of a store."""
    said = await typed(world, "erasure stores list")
    (line,) = (line for line in said.out.splitlines() if line.startswith(store))
    return line.split()[1]


async def test_store_down(night: World) -> None:
    """The CRM is shut: the check names it; once it is back, or rests for planned work, all is well.

    Nobody is woken by a store that was drained before it was shut.
    """
    first, second = Person(), Person()
    await night.stores.add(first, second)
    request, later = erasure(first), erasure(second)

    async def away() -> bool:
        seen = await scrape(night)
        return number(seen, "Store down", "erasure_store_away", store="crm") == 1

    async with running(night):
        await until_well(night)
        with follow(night, "Store down") as words, follow(night, "A store: away"):
            await night.gates["crm"].shut()
            await night.publish(request)
            await night.until(away, "the metric shows it")
            said = await until_told(night, "store-away", "Store down")
            assert "crm is away (" in said
            said = await words.type("check", expect=Exit.WRONG)
            assert "error    store crm: it does not answer" in said
            assert "error    store billing" not in said
            await night.gates["crm"].open()
            await night.until_told(request)
            await until_well(night)

            with follow(night, "A store: draining"), follow(night, "A store: paused") as rest:
                words.start("stores drain", STORE="crm")

                async def drains() -> bool:
                    return await state_of(night, "crm") == "draining"

                await night.until(drains, "the list says that it is being drained")
                await pass_time(night, timedelta(seconds=10))
                await night.until_log("crm is drained: nobody is at work in it")
                assert await state_of(night, "crm") == "paused"
                await night.gates["crm"].shut()
                await night.publish(later)
                await night.until_states(later, state="open")
                assert set(await status(night)) == {"store-paused"}
                assert not await away()
                await night.gates["crm"].open()
                assert "crm goes on" in await words.type("stores resume", STORE="crm")
                await night.until_told(later)
                await until_well(night)

                # As the row of the table says it, of one that was paused and not drained.
                with follow(night, "A store: stopping"), follow(night, "A store: served") as list_:
                    pause = "erasure stores pause billing --by Kari --reason 'a release'"
                    assert (await typed(night, pause)).code == Exit.OK
                    assert await state_of(night, "billing") == "stopping"
                    assert "store-paused" in await status(night)
                    await pass_time(night, timedelta(seconds=10))
                    assert await state_of(night, "billing") == "paused"
                    await rest.type("stores resume", STORE="billing")
                    assert "served" in await list_.type("stores list")
        await until_well(night)


async def test_lag_growing(night: World) -> None:
    """The CRM has people before it, rests, and has no worker: each is found and answered."""
    person = Person()
    await night.stores.add(person)
    request = erasure(person)
    await alone(night)
    with (
        follow(night, "Lag growing") as words,
        night.worker(only="intake,billing,newsletter") as worker,
    ):
        await night.publish(request)

        async def before_it() -> bool:
            (people, _) = json.loads((await typed(night, "erasure lag --store crm --json")).out)
            return bool(people["lag_people"] == 1)

        await night.until(before_it, "the CRM has somebody before it")
        pause = "erasure stores pause crm --by Kari --reason 'a release'"
        assert (await typed(night, pause)).code == Exit.OK
        await pass_time(night, timedelta(minutes=31))
        await until_told(night, "lag-growing", "Lag growing")
        seen = await scrape(night)
        drain = number(seen, "Lag growing", "erasure_store_drain_seconds", store="crm")
        assert drain == float("inf")
        assert number(seen, "Lag growing", "erasure_store_lag_people", store="crm") == 1
        said = await words.type("lag --store", STORE="crm")
        assert "paused" in said
        assert "never" in said
        said = await words.type("status", expect=Exit.ALARM)
        assert "crm is paused by Kari: a release" in said
        await words.type("stores resume", STORE="crm")
        assert "store-paused" not in await status(night)

        await night.stores.run("crm", "DROP INDEX crm.customer_email_any_case")
        said = await words.type("policy check", FILE=POLICY)
        assert "CREATE INDEX" in said
        await night.stores.run("crm", MEND)

        with words.start("run --only", STORE="crm") as another:
            await night.until_told(request)
            await until_well(night)
            assert await another.stop() == 0
        assert await worker.stop() == 0


async def test_a_store_without_a_worker(night: World) -> None:
    """Others are served: status names the store and the command that serves it."""
    person = Person()
    await night.stores.add(person)
    request = erasure(person)
    await alone(night)
    with (
        follow(night, "A store: unserved") as words,
        follow(night, "A store: serving"),
        night.worker(only="intake,billing,newsletter") as worker,
    ):
        await night.publish(request)
        said = await until_told(night, "store-unserved", "A store")
        assert "no worker serves crm" in said
        assert "erasure run --only crm" in said
        assert "unserved" in said
        with words.start("run --only", STORE="crm") as another:
            await night.until_told(request)
            await until_well(night)
            assert "serving" in (await typed(night, "erasure status")).out
            assert await another.stop() == 0
        assert await worker.stop() == 0
