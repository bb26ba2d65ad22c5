"""A chunk is erased while the one before it is written down: neither stands without its note."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any
from unittest.mock import patch

import pytest

from connectors.base import Effects
from connectors.faults import RetryLater
from connectors.mapping import Cutoffs, Key
from connectors.sql.sweeper import Sweeper
from connectors.sweeping import May, Pressure, Span
from tests.support.databases import BEYOND_SQLITE, ENGINES, POSTGRESQL
from tests.support.lines import line
from tests.support.nordlys import Person, about, today, traces
from tests.support.sweeping import HOLDER, asked, carry, receipts, standing
from tests.support.world import World
from worker import hold
from worker.context import Context
from worker.sweeping import ahead, pace, runner
from worker.sweeping.record import Record
from worker.sweeping.run import run_sweep

TOMORROW = today() + timedelta(days=1)
CROWD = 150
"""People in the store: their lines fill more than one chunk of the smallest size."""


@dataclass(slots=True)
class Seen:
    """What the store was told: each chunk that was erased, and each that was committed."""

    erased: list[Effects] = field(default_factory=list)
    stands: list[Effects] = field(default_factory=list)
    both: asyncio.Event = field(default_factory=asyncio.Event)
    """A chunk was erased while the one before it was not committed yet."""


Then = Callable[[Seen], Awaitable[bool]]
"""Done when two chunks are erased and neither stands; False: the first must not."""


@contextmanager
def small_chunks(then: Then | None = None) -> Iterator[Seen]:
    """Let chunks be small, and whoever notes the first wait until the next one is erased.

    Nothing asks for a rest or to give way but what a test does itself: others may use the server.
    """
    seen, noted = Seen(), asyncio.Event()
    sweep, go_on = Sweeper.sweep, Record.go_on

    async def sweeping(
        self: Sweeper, span: Span, cutoffs: Cutoffs, without: Sequence[Key], may: May | None = None
    ) -> Effects:
        async def asking(effects: Effects, slowest: float) -> bool:
            if effects:
                seen.erased.append(effects)
                if len(seen.erased) == len(seen.stands) + 2:
                    seen.both.set()
            assert may is not None
            return await may(effects, slowest)

        effects = await sweep(self, span, cutoffs, without, None if may is None else asking)
        if effects:
            seen.stands.append(effects)
        return effects

    async def noting(self: Record, done: Any, at: Any, effects: Effects, place: Any) -> bool:
        if effects and not noted.is_set():
            noted.set()
            with suppress(TimeoutError):
                await asyncio.wait_for(seen.both.wait(), 5)
            if then is not None and not await then(seen):
                return False
        return await go_on(self, done, at, effects, place)

    async def calm(_: Sweeper) -> Pressure:
        return pace.NO_PRESSURE

    smallest = dict(pace._SMALLEST)
    with (
        patch.object(Sweeper, "pressure", calm),
        patch.object(ahead, "_GIVE_WAY_SECONDS", 30.0),
        patch.object(Sweeper, "sweep", sweeping),
        patch.object(Record, "go_on", noting),
        patch.object(pace, "_FIRST", smallest),
        patch.object(pace, "_LARGEST", smallest),
    ):
        yield seen


async def crowd(world: World) -> list[Person]:
    """Fill the stores."""
    world.may_erase(2 * CROWD)
    people = [Person() for _ in range(CROWD)]
    await world.stores.add(*people)
    return people


async def assert_all_gone_once(world: World, context: Context, people: Sequence[Person]) -> None:
    """Nobody's invoices are left, and each person has one receipt for each table's rows."""
    left = await world.stores.dump()
    for person in people:
        assert "billing.invoice" not in traces(left, person)
        told = [row for one in await receipts(context, "billing", (person.number,)) for row in one]
        assert len({row["group"] for row in told}) == len(told) > 0
        assert not any(row.get("interrupted") for row in told)


@BEYOND_SQLITE
async def test_the_next_is_erased_before_the_first_stands(world: World) -> None:
    """Two transactions at once, and every row goes once and is told once."""
    people = await crowd(world)
    async with world.context() as context:
        with small_chunks() as seen:
            done = await carry(context, await asked(context, "billing"))
        assert seen.both.is_set()
        assert done.state == "done"
        await assert_all_gone_once(world, context, people)


@BEYOND_SQLITE
async def test_lines_go_along_with_their_invoices(world: World) -> None:
    """In the same chunk, so that one receipt tells of both."""
    people = await crowd(world)
    async with world.context() as context:
        with small_chunks() as seen:
            assert (await carry(context, await asked(context, "billing"))).state == "done"
        chunks = [{group for done in one.values() for group in done} for one in seen.stands]
        lines = [groups for groups in chunks if any(g.startswith("invoice_line.") for g in groups)]
        assert len(lines) > 1
        assert all(any(g.startswith("invoice.") for g in groups) for groups in lines)
        await assert_all_gone_once(world, context, people)


@contextmanager
def in_the_way(first: Callable[[], Awaitable[object]]) -> Iterator[list[int]]:
    """Do something before the first chunk of invoices that has one after it is erased.

    What is given tells, of each chunk begun after that one, how many were at work then; 0: it was
    looked first who stands in it.
    """
    sweep = Sweeper.sweep
    at_work: list[Span] = []
    at_once: list[int] = []

    async def sweeping(
        self: Sweeper, span: Span, cutoffs: Cutoffs, without: Sequence[Key], may: May | None = None
    ) -> Effects:
        at_work.append(span)
        try:
            if at_once:
                at_once.append(0 if may is None else len(at_work))
            elif span.table == "invoice" and span.upto is not None:
                at_once.append(len(at_work))
                await first()
            return await sweep(self, span, cutoffs, without, may)
        finally:
            at_work.remove(span)

    with (
        patch.object(Sweeper, "sweep", sweeping),
        patch.object(ahead, "_GIVE_WAY_SECONDS", 1.0),
    ):
        yield at_once


async def swept(world: World, first: Callable[[], Awaitable[object]]) -> list[int]:
    """Sweep a crowd with something in the way; how many were at work at once, from then on."""
    people = await crowd(world)
    async with world.context() as context:
        with small_chunks() as seen, in_the_way(first) as at_once:
            seen.both.set()
            done = await carry(context, await asked(context, "billing"))
        assert done.state == "done"
        assert at_once[:2] == [1, 2]
        await assert_all_gone_once(world, context, people)
    return at_once[2:]


@pytest.mark.parametrize("engine", [POSTGRESQL])
async def test_the_later_one_gives_way(world: World) -> None:
    """It holds what the earlier waits for, and waits for it itself: it is taken back, for good."""
    async with line(world.stores.billing) as billing:
        await billing.script(
            "CREATE FUNCTION billing.one_by_one() RETURNS trigger LANGUAGE plpgsql AS"
            " 'BEGIN PERFORM pg_advisory_xact_lock(1); RETURN OLD; END';"
            "CREATE TRIGGER one_by_one BEFORE DELETE ON billing.invoice"
            " FOR EACH ROW EXECUTE FUNCTION billing.one_by_one()"
        )
    assert set(await swept(world, partial(asyncio.sleep, 0.3))) == {1}


@BEYOND_SQLITE
async def test_who_met_another_goes_on_alone(world: World) -> None:
    """The store ends one of two that wait for each other: its chunk is done again, by itself."""

    async def busy() -> None:
        await asyncio.sleep(0.3)
        raise RetryLater("busy")

    again, *others = await swept(world, busy)
    assert (again, set(others)) == (0, {1})


@pytest.mark.parametrize("engine", ENGINES[1:2])
async def test_what_others_do_is_looked_at_when_nothing_of_ours_is_at_work(world: World) -> None:
    """Though the time to look comes while a chunk is begun ahead: it would count as others'.

    PostgreSQL tells them apart by the name under which they come.
    """
    people = await crowd(world)
    pressure = Sweeper.pressure
    looked: list[int] = []
    async with world.context() as context:
        with ExitStack() as stack:

            async def now(_: Seen) -> bool:
                stack.enter_context(patch.object(runner, "LOOK_SECONDS", 0.0))
                return True

            with small_chunks(now) as seen:

                async def looking(self: Sweeper) -> Pressure:
                    looked.append(len(seen.erased) - len(seen.stands))
                    return await pressure(self)

                with patch.object(Sweeper, "pressure", looking):
                    done = await carry(context, await asked(context, "billing"))
        assert done.state == "done"
        assert set(looked) == {0}
        await assert_all_gone_once(world, context, people)


@BEYOND_SQLITE
async def test_a_hold_meanwhile_takes_both_back(world: World) -> None:
    """Somebody of the chunk that was begun ahead is held: what was taken comes back."""
    people = {(person.number,): person for person in await crowd(world)}
    async with world.context() as context:
        before = await world.stores.dump()
        held: list[Person] = []

        async def place(seen: Seen) -> bool:
            held.append(people[next(iter(seen.erased[-1]))])  # type: ignore[index] # a number
            await hold.place_on_subject(
                context,
                {"customer_id": held[0].customer_no},
                by="Kari",
                reason="a claim",
                review_on=TOMORROW,
            )
            return True

        with small_chunks(place):
            done = await carry(context, await asked(context, "billing"))
        assert done.state == "done"
        assert (done.proof or {})["left_out"] == {"held": 1}
        assert about(await world.stores.dump(), held) == about(before, held)
        assert await receipts(context, "billing", (held[0].number,)) == []
        others = [person for person in people.values() if person not in held]
        await assert_all_gone_once(world, context, others)


@BEYOND_SQLITE
async def test_who_is_not_to_move_it_commits_neither(world: World) -> None:
    """Where the ledger says no to the first, both come back, and the next runner does them."""
    people = await crowd(world)
    async with world.context() as context:
        before = await world.stores.dump()

        async def refuse(_: Seen) -> bool:
            return False

        sweep_id = await asked(context, "billing")
        with small_chunks(refuse) as seen:
            await carry(context, sweep_id)
        assert (seen.both.is_set(), seen.stands) == (True, [])
        assert about(await world.stores.dump(), people) == about(before, people)
        assert (await carry(context, sweep_id)).state == "done"
        await assert_all_gone_once(world, context, people)


@BEYOND_SQLITE
@pytest.mark.parametrize("away", [False, True])
async def test_what_was_begun_ahead_is_nothing_when_the_runner_leaves(
    world: World, *, away: bool
) -> None:
    """Told to stop, or without a ledger: it comes back, and the next runner does it once."""
    people = await crowd(world)
    async with world.context() as context:
        stop = asyncio.Event()

        async def leave(_: Seen) -> bool:
            stop.set()
            if away:
                raise ConnectionError("the ledger is away")
            return True

        sweep_id = await asked(context, "billing")
        with small_chunks(leave) as seen, suppress(ConnectionError):
            await run_sweep(context, sweep_id, HOLDER, stop)
        assert len(seen.stands) == (0 if away else 1)
        assert (await standing(context, sweep_id)).state == ("running" if away else "waiting")
        assert (await carry(context, sweep_id)).state == "done"
        await assert_all_gone_once(world, context, people)
