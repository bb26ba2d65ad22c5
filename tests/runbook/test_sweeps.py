"""Sweeps that stand still, wait, rest, end early or fail: caused, and by the book to their end."""

from __future__ import annotations

import asyncio
import signal
from datetime import timedelta

import pytest

from tests.faults.sweeping_process import running as runs
from tests.runbook.following import Following, follow, status, typed, until_told, until_well
from tests.runbook.measured import alone, number, of_ledger, pass_time, running
from tests.runbook.test_brakes import asked, told
from tests.support.lines import line
from tests.support.nordlys import Person
from tests.support.world import World
from worker.cli.exits import Exit

pytestmark = pytest.mark.asyncio(loop_scope="module")

STILL = "Sweep stands still"
WHO = "--by Kari --reason 'month-end closing'"


async def halted(world: World, sweep: int, step: str) -> None:
    """A worker begins a sweep and is killed after a step of it."""
    with runs(world.settings, sweep, "another worker", step, signal.SIGKILL) as process:
        await asyncio.to_thread(process.join)
        assert process.exitcode == -signal.SIGKILL


async def test_sweep_stands_still(night: World) -> None:
    """Its worker died and no other serves the store; then the store keeps it waiting for a lock."""
    await night.stores.add(*(Person() for _ in range(3)))
    with follow(night, STILL) as words, follow(night, "A sweep: running"):
        sweep = await asked(night, "billing")
        await halted(night, sweep, "swept")
        with night.worker(only="intake,crm,newsletter") as others:
            await pass_time(night, timedelta(minutes=15))
            said = await until_told(night, "sweep-still", STILL)
            assert f"sweep {sweep} of billing stands still: no worker moves it" in said
            seen = await of_ledger(night)
            assert number(seen, STILL, "erasure_sweeps", store="billing", state="running") == 1
            assert "is at work" in await words.type("retention status", SWEEP=sweep)
            assert "unserved" in await words.type("lag --store", STORE="billing")
            with words.start("run --only", STORE="billing") as worker:
                await told(night, sweep, "is done")
                await until_well(night)
                assert (await night.stores.dump())["billing.account"] == []
                await _held_up_by_a_lock(night, words)
                assert await worker.stop() == 0
            assert await others.stop() == 0


async def _held_up_by_a_lock(world: World, words: Following) -> None:
    """Somebody keeps a lock: status says that it is that; given back, the sweep ends by itself."""
    await world.stores.add(*(Person() for _ in range(3)))
    async with line(world.stores.billing) as its:
        await its.script("BEGIN; LOCK TABLE billing.invoice IN SHARE MODE")
        sweep = await asked(world, "billing")
        await until_told(world, "sweep-still", STILL)
        said = await words.type("status", expect=Exit.ALARM)
        assert f"sweep {sweep} of billing stands still (" in said
        assert "no worker moves it" not in said
        assert "store-away" not in await status(world)
        await its.script("COMMIT")
    await told(world, sweep, "is done")
    await until_well(world)


async def test_a_sweep_that_waits_and_one_that_rests(night: World) -> None:
    """For a store that rests, and by somebody's word; each says why and how it goes on."""
    await alone(night)
    with (
        follow(night, "A sweep: waiting") as waiting,
        follow(night, "A sweep: paused") as paused,
    ):
        await typed(night, f"erasure stores pause billing {WHO}")
        first, second = await asked(night, "billing"), await asked(night, "crm")
        await typed(night, f"erasure retention pause {second} {WHO}")
        async with running(night):
            said = await until_told(night, "sweep-paused", "A sweep")
            assert f"erasure retention resume {second} --by NAME" in said
            await told(night, first, "lets its store rest")
            said = await waiting.type("retention status", SWEEP=first)
            assert "waits for a worker, its hours or a sweep before it" in said
            # The other first: a sweep waits for stores that may know who has withdrawn.
            await typed(night, "erasure stores resume billing --by Kari")
            await told(night, first, "is done")
            await paused.type("retention resume", SWEEP=second)
            await told(night, second, "is done")
            await until_well(night)


async def test_a_sweep_that_is_being_cancelled(night: World) -> None:
    """Cancelled while a chunk was under way whose worker died: another settles it, and it ends."""
    await night.stores.add(*(Person() for _ in range(3)))
    await alone(night)
    with follow(night, "A sweep: cancelling"):
        sweep = await asked(night, "crm")
        await halted(night, sweep, "swept")
        assert (await typed(night, f"erasure retention cancel {sweep} {WHO}")).code == Exit.OK
        said = await typed(night, f"erasure retention status {sweep}")
        assert "is being cancelled, as soon as its last chunk is settled" in said.out
        await pass_time(night, timedelta(minutes=3))
        async with running(night):
            await told(night, sweep, "was cancelled")
            await until_well(night)


async def test_a_sweep_that_failed(night: World) -> None:
    """The store swallows a DELETE; its row says what is left, and how to do it again."""
    await night.stores.add(Person())
    await night.stores.run(
        "billing",
        "CREATE FUNCTION billing.swallow() RETURNS trigger LANGUAGE plpgsql AS"
        " 'BEGIN RETURN NULL; END'; CREATE TRIGGER swallow BEFORE DELETE ON billing.account"
        " FOR EACH ROW EXECUTE FUNCTION billing.swallow()",
    )
    async with running(night):
        with follow(night, "A sweep: failed") as words:
            sweep = await asked(night, "billing")
            await until_told(night, "sweep-failed", "A sweep")
            said = await words.type("retention status", SWEEP=sweep)
            assert "has failed" in said
            assert "past their last ground are still there" in said
            await night.stores.run("billing", "DROP TRIGGER swallow ON billing.account")
            assert "sweep-failed" in await status(night)
            said = await words.type("retention run", STORE="billing")
            assert "counted apart at its end: 0" in said
            await until_well(night)
