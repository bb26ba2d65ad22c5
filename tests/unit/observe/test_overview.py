"""What one reading of the ledger tells, on rows that a test wrote."""

from __future__ import annotations

from datetime import date, timedelta
from math import inf

import sqlalchemy as sa

from tests.unit.core.policies import small
from tests.unit.ledger.making import NOW, a_batch, a_command, some_cases
from worker.core.lifecycle import CaseState
from worker.ledger import commands, holds, obligations, pauses, store_states, tables
from worker.ledger.batches import Lane
from worker.ledger.database import Ledger
from worker.ledger.obligations import Ahead, NewObligation
from worker.ledger.store_states import StoreState
from worker.observe.overview import Overview, look
from worker.observe.situations import situations
from worker.observe.stores import State, StoreNow

SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)


def of(overview: Overview, store: str, lane: Lane = Lane.PEOPLE) -> StoreNow:
    """One store of an overview."""
    (found,) = [one for one in overview.stores if (one.store, one.lane) == (store, lane)]
    return found


async def test_an_empty_ledger_is_drained(ledger: Ledger) -> None:
    """Nothing waits: every store of the policy is named, drained, and served by nobody."""
    seen = await look(ledger, small(), NOW)
    assert [(one.store, one.lane) for one in seen.stores] == [
        ("crm", Lane.PEOPLE), ("crm", Lane.SWEEPS),
        ("letters", Lane.PEOPLE), ("letters", Lane.SWEEPS),
    ]  # fmt: skip
    assert {one.state for one in seen.stores} == {State.UNSERVED}
    assert {(one.lag_people, one.oldest, one.drain) for one in seen.stores} == {(0, None, 0.0)}
    assert seen.cases == dict.fromkeys((CaseState.OPEN, CaseState.PARKED, CaseState.HELD), 0)


async def test_a_lag_is_told_in_commands_and_people(ledger: Ledger) -> None:
    """Two open commands of three people wait; what is settled or dead is no lag."""
    async with ledger.begin() as connection:
        batch = await a_batch(connection)
        people = await some_cases(connection, batch, 5)
        first = await a_command(connection, batch, people[:1])
        await a_command(connection, batch, people[1:3])
        settled = await a_command(connection, batch, people[3:4])
        dead = await a_command(connection, batch, people[4:])
        taken = await commands.take(connection, settled, now=NOW, due_at=NOW)
        assert taken is not None
        assert await commands.settle(connection, taken, NOW)
        await commands.bury(connection, dead, "constraint", rolled_back=False)
        await connection.execute(
            sa.update(tables.commands)
            .where(tables.commands.c.id == first)
            .values(created_at=NOW - 90 * SECOND)
        )
    seen = of(await look(ledger, small(), NOW + 10 * SECOND), "crm")
    assert (seen.lag_commands, seen.lag_people, seen.dead) == (2, 3, 1)
    assert seen.oldest == 100.0
    # Of the last minute: four came, one went.
    assert (seen.rate_in, seen.rate_out) == (4 / 60, 1 / 60)
    assert seen.drain == inf
    later = of(await look(ledger, small(), NOW + 61 * SECOND), "crm")
    assert (later.rate_in, later.rate_out, later.drain) == (0, 0, inf)


async def test_a_lag_that_shrinks_has_a_drain_time(ledger: Ledger) -> None:
    """Three settled and one came within a minute: two people wait for another minute."""
    async with ledger.begin() as connection:
        batch = await a_batch(connection)
        people = await some_cases(connection, batch, 6)
        for at in range(3):
            one = await a_command(connection, batch, people[at : at + 1])
            taken = await commands.take(connection, one, now=NOW, due_at=NOW)
            assert taken is not None
            await commands.settle(connection, taken, NOW)
        await a_command(connection, batch, people[3:5])
        await connection.execute(
            sa.update(tables.commands).values(created_at=NOW - timedelta(hours=1))
        )
        await a_command(connection, batch, people[5:], store="crm")
    seen = of(await look(ledger, small(), NOW + SECOND), "crm")
    assert (seen.rate_in, seen.rate_out) == (1 / 60, 3 / 60)
    assert seen.lag_people == 3
    assert round(seen.drain) == 90


async def test_people_who_are_not_looked_up_yet_are_told(ledger: Ledger) -> None:
    """A batch left over by one store is no command there yet, and waits all the same."""
    async with ledger.begin() as connection:
        batch = await a_batch(connection, stores_left=["crm"])
        await some_cases(connection, batch, 2)
    seen = await look(ledger, small(), NOW + 5 * SECOND)
    assert (of(seen, "crm").unplanned, of(seen, "crm").unplanned_oldest) == (2, 5.0)
    assert of(seen, "letters").unplanned == 0
    assert of(seen, "crm", Lane.SWEEPS).unplanned == 0
    assert (seen.unstopped, seen.unstopped_oldest) == (2, 5.0)


async def test_a_store_is_as_its_workers_see_it(ledger: Ledger) -> None:
    """Away as soon as one says so; what a worker said that died long ago counts no more."""
    states = [
        StoreState("crm", Lane.PEOPLE, "a:1", "serving", None, None, NOW, None, NOW),
        StoreState("crm", Lane.SWEEPS, "a:1", "away", "unreachable", "look", NOW, NOW, NOW),
    ]
    async with ledger.begin() as connection:
        await store_states.write(connection, "a:1", states)
    seen = await look(ledger, small(), NOW + 10 * SECOND)
    assert of(seen, "crm").state is State.SERVING
    away = of(seen, "crm", Lane.SWEEPS)
    assert (away.state, away.fault, away.hint, away.next_try, away.workers) == (
        State.AWAY, "unreachable", "look", NOW, 1,
    )  # fmt: skip
    seen = await look(ledger, small(), NOW + 2 * store_states.FRESH)
    assert of(seen, "crm", Lane.SWEEPS).state is State.UNSERVED


async def test_a_paused_store_is_told_as_paused(ledger: Ledger) -> None:
    """An operator's pause says more than what a worker last saw."""
    async with ledger.begin() as connection:
        await pauses.place(connection, "crm", by="Kari", reason="move", draining=False, now=NOW)
    seen = of(await look(ledger, small(), NOW), "crm")
    assert (seen.state, seen.since, seen.hint) == (State.PAUSED, NOW, "move")


async def test_deadlines_are_told_by_the_part_that_is_used(ledger: Ledger) -> None:
    """One case fresh, one late, one parked: parts, working days left, and the forecast."""
    async with ledger.begin() as connection:
        batch = await a_batch(connection)
        await some_cases(connection, batch, 2)
        old = {"due_on": date(2026, 3, 6), "event_time": NOW - timedelta(days=33)}
        (late,) = await some_cases(connection, batch, 1, **old)
        parked = {"state": "parked", "reason": {"why": "two-people"}}
        await some_cases(connection, batch, 1, **parked)
        await a_command(connection, batch, [late])
    seen = await look(ledger, small(), NOW)
    assert {k: n for k, n in seen.budget.parts[CaseState.OPEN].items() if n} == {
        "0.25": 2, "late": 1,
    }  # fmt: skip
    assert seen.budget.parts[CaseState.PARKED]["0.25"] == 1
    assert seen.budget.late == 1
    # Nothing was ever settled, and nobody is looked up yet: at this rate all of them will be late.
    assert seen.budget.forecast == 3
    assert seen.budget.nearest[CaseState.OPEN] == (date(2026, 3, 6), -2)
    assert "deadline-near" in {one.kind for one in situations(seen)}


async def test_the_forecast_believes_the_last_hour(ledger: Ledger) -> None:
    """What a store settled half an hour ago is believed though it rests now; later no more."""
    async with ledger.begin() as connection:
        batch = await a_batch(connection, stores_left=[])
        people = await some_cases(connection, batch, 2)
        one = await a_command(connection, batch, people[:1])
        taken = await commands.take(connection, one, now=NOW, due_at=NOW)
        assert taken is not None
        await commands.settle(connection, taken, NOW)
        await a_command(connection, batch, people[1:])
    half, hours = [await look(ledger, small(), NOW + n * timedelta(minutes=30)) for n in (1, 3)]
    assert (of(half, "crm").rate_out, of(half, "crm").lag_people) == (0, 1)
    assert half.budget.forecast == 0
    assert hours.budget.forecast == 1


async def test_holds_and_obligations_are_counted(ledger: Ledger) -> None:
    """Holds that stand, those whose review has come; obligations of today and of the next days."""
    today = NOW.date()
    async with ledger.begin() as connection:
        for review, released in ((today, False), (today + DAY, False), (today - DAY, True)):
            hold = await holds.place(
                connection, [b"p"], by="Kari", reason="court", review_on=review, now=NOW
            )
            if released:
                assert await holds.release(connection, hold, by="Kari", now=NOW)
        batch = await a_batch(connection)
        people = await some_cases(connection, batch, 3)
        for on, ids in ((today, people), (today, people[:1]), (today + DAY, people[:2])):
            command = await a_command(connection, batch, ids)
            new = NewObligation("crm", on, tuple(ids), b"sealed", "k1")
            await obligations.note(connection, command, [new], NOW)
    seen = await look(ledger, small(), NOW)
    assert (seen.holds, seen.holds_to_review) == (2, 1)
    assert seen.due == {"crm": 2}
    assert seen.ahead == (Ahead(today + DAY, "crm", 1, 2),)
