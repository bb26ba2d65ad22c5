"""Sweeps whose runner is killed or falls asleep between any two steps: another one goes on."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import suppress

import psutil
import pytest
import pytest_asyncio

from connectors.faults import RetryLater
from tests.faults.sweeping_process import COMMITTED, STEPS, running
from tests.support.databases import MARIADB, POSTGRESQL, SQLITE
from tests.support.nordlys import Person, traces
from tests.support.sweeping import asked, carry, receipts, standing
from tests.support.world import World
from worker.context import Context
from worker.ledger.database import LedgerAway
from worker.ledger.sweeps import Sweep

ROWS = 3
"""Of each person: an account, an invoice and its line."""
PEOPLE = 12
OTHER = "the other"
EACH = [*STEPS, COMMITTED]
ON_MARIADB = [pytest.param(MARIADB, step, marks=pytest.mark.mariadb) for step in EACH]
KILLS = [*((POSTGRESQL, step) for step in EACH), *ON_MARIADB, (SQLITE, "swept")]
"""Where CRM and billing are, and after which step the runner is killed."""
SLEEPS = [
    *((POSTGRESQL, step) for step in ("swept", COMMITTED)),
    pytest.param(MARIADB, COMMITTED, marks=pytest.mark.mariadb),
]


@pytest_asyncio.fixture
async def context(world: World) -> AsyncIterator[Context]:
    """The worker's parts, in this process."""
    async with world.context() as made:
        yield made


async def stopped(process: psutil.Process) -> None:
    """Wait until a process sleeps that was told to."""
    for _ in range(600):
        if process.status() == psutil.STATUS_STOPPED:
            return
        await asyncio.sleep(0.1)
    raise AssertionError("the process has not stopped")


async def ended(context: Context, sweep_id: int) -> Sweep:
    """Carry the sweep on as soon as the other one's lease is over, to its end."""
    for _ in range(300):
        found = await carry(context, sweep_id)
        if found.ended_at is not None:
            return found
        await asyncio.sleep(0.1)
    raise AssertionError("the sweep has not ended")


async def told(context: Context, people: list[Person]) -> tuple[int, int]:
    """Rows in the receipts of people, and receipts that say somebody was interrupted."""
    rows = interrupted = 0
    for person in people:
        mine = [row for one in await receipts(context, "billing", (person.number,)) for row in one]
        assert mine, "somebody who lost data has no receipt"
        rows += sum(row["rows"] or 0 for row in mine)
        interrupted += sum(bool(row.get("interrupted")) for row in mine)
    return rows, interrupted


@pytest.mark.parametrize(("engine", "step"), KILLS)
async def test_a_killed_runner_is_followed_by_another(
    world: World, context: Context, step: str
) -> None:
    """All of it goes, the count at the end is none, and receipts cover every row that went."""
    people = [Person() for _ in range(PEOPLE)]
    await world.stores.add(*people)
    sweep_id = await asked(context, "billing")
    with running(world.settings, sweep_id, OTHER, step, signal.SIGKILL) as process:
        await asyncio.to_thread(process.join)
        assert process.exitcode == -signal.SIGKILL
    done = await ended(context, sweep_id)
    assert (done.state, done.reason) == ("done", None)
    left = await world.stores.dump()
    assert not any(name.startswith("billing") for p in people for name in traces(left, p))
    rows, interrupted = await told(context, people)
    assert rows == done.rows
    assert rows + interrupted == PEOPLE * ROWS
    assert bool(interrupted) is (step in ("swept", "re-read", "settled"))


@pytest.mark.parametrize(("engine", "step"), SLEEPS)
async def test_one_who_slept_moves_nothing_on(world: World, context: Context, step: str) -> None:
    """A process paused past its lease: another finishes; what the sleeper did is still counted."""
    people = [Person() for _ in range(PEOPLE)]
    await world.stores.add(*people)
    sweep_id = await asked(context, "billing")
    with running(world.settings, sweep_id, OTHER, step, signal.SIGSTOP) as process:
        seen = psutil.Process(process.pid)
        await stopped(seen)
        done = await ended(context, sweep_id)
        assert done.state == "done"
        while process.exitcode is None:
            # Whatever it stops at next, it is woken again.
            with suppress(psutil.NoSuchProcess):
                seen.resume()
            await asyncio.sleep(0.05)
    after = await standing(context, sweep_id)
    assert (after.state, after.epoch, after.proof) == ("done", done.epoch, done.proof)
    rows, interrupted = await told(context, people)
    assert rows == after.rows == PEOPLE * ROWS
    assert bool(interrupted) is (step == "swept")


async def test_a_store_and_a_ledger_that_go_away_are_waited_for(gated: World) -> None:
    """Each ends a run with its own fault and loses nothing: the next run goes on to the end."""
    async with gated.context() as context:
        people = [Person() for _ in range(PEOPLE)]
        await gated.stores.add(*people)
        sweep_id = await asked(context, "billing")
        for name, fault in (("billing", RetryLater), ("ledger", LedgerAway)):
            await gated.gates[name].shut()
            with pytest.raises(fault):
                await carry(context, sweep_id)
            await gated.gates[name].open()
        done = await ended(context, sweep_id)
        assert (done.state, done.rows) == ("done", PEOPLE * ROWS)
