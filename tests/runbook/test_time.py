"""Time that is lost or has run out: deadlines, stops, an hour of nothing, holds, clocks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from unittest.mock import patch

import pytest

import worker.bootstrap
from tests.runbook.following import follow, status, typed, until_told, until_well
from tests.runbook.measured import (
    alone,
    number,
    of_ledger,
    pass_time,
    running,
    scrape,
)
from tests.support.nordlys import Person, erasure, today, traces, withdrawal
from tests.support.world import World, id_of
from topics import names
from worker.cli.exits import Exit

pytestmark = pytest.mark.asyncio(loop_scope="module")

WHO = "--by Kari --reason 'by the book'"


async def test_deadline_in_danger(night: World) -> None:
    """The CRM is away for 28 days of a month: the case is extended, the store brought back."""
    person = Person()
    await night.stores.add(person)
    request = erasure(person)
    danger = "Deadline in danger"
    async with running(night):
        await until_well(night)
        with follow(night, danger) as words, follow(night, "A case: open"):
            await night.gates["crm"].shut()
            await night.publish(request)
            await night.until_planned_later()
            await pass_time(night, timedelta(days=28))
            await until_told(night, "deadline-forecast", danger)
            metric = "erasure_deadline_forecast_late_cases"
            assert number(await scrape(night), danger, metric) == 1
            said = await words.type("lag")
            assert "away" in said
            said = await words.type("cases --state open")
            assert str(id_of(request)) in said
            said = await words.type("case extend", CASE=id_of(request))
            assert "tell the person by" in said
            assert "deadline-near" not in await status(night)
            await night.gates["crm"].open()
            await night.until_told(request)
            await until_well(night)

            async def none_late() -> bool:
                return number(await scrape(night), danger, metric) == 0

            await night.until(none_late, "the forecast counts no late case")


async def test_stop_clock_over_objective(night: World) -> None:
    """The worker dies between accepting and publishing: one with intake publishes the stop."""
    person = Person()
    await night.stores.add(person)
    withdrawn = withdrawal(person)
    stop = "Stop clock over objective"
    await alone(night)
    with night.worker(only="intake", kill="before stop-published 1") as killed:
        await night.publish(withdrawn)

        async def died() -> bool:
            return killed.ended is not None

        await night.until(died, "the worker has died")
    before = len(await night.read(names.SUPPRESSIONS))
    await pass_time(night, timedelta(minutes=2))
    with follow(night, stop) as words:
        said = await until_told(night, "stop-not-published", stop)
        assert "stops   1 not published yet" in said
        seen = await of_ledger(night)
        limit = number(seen, stop, "erasure_objective_seconds", clock="stopped")
        assert limit is not None
        assert (number(seen, stop, "erasure_unstopped_oldest_seconds") or 0) > limit
        said = await words.type("check")
        assert "ok       broker" in said
        assert "ok       ledger" in said
        with words.start("run --only intake") as intake:

            async def published() -> bool:
                return len(await night.read(names.SUPPRESSIONS)) == before + 1

            await night.until(published, "the stop is published")
            said = await words.type("status", expect=Exit.ALARM)
            assert "stops " not in said
            assert "stop-not-published" not in await status(night)
            assert await intake.stop() == 0
    async with running(night):
        await night.until_told(withdrawn)
        await until_well(night)


async def test_nothing_erased(night: World) -> None:
    """Somebody has paused every store for an hour: each is found in the list, and resumed."""
    person = Person()
    await night.stores.add(person)
    request = erasure(person)
    nothing = "Nothing erased"
    stores = ("billing", "crm", "newsletter")
    async with running(night):
        with follow(night, nothing) as words:
            for store in stores:
                assert (await typed(night, f"erasure stores pause {store} {WHO}")).code == Exit.OK
            await night.publish(request)
            await night.until_planned_later()
            await pass_time(night, timedelta(minutes=61))
            await until_told(night, "nothing-erased", nothing)
            seen = await scrape(night)
            assert number(seen, nothing, "erasure_troubles", kind="nothing-erased") == 1
            said = await words.type("status", expect=Exit.ALARM)
            assert said.count("is paused by Kari") == len(stores)
            assert "error" not in await words.type("check")

            async def all_rest() -> bool:
                return (await typed(night, "erasure stores list")).out.count("paused") == len(
                    stores
                )

            await night.until(all_rest, "nobody is at work in any store")
            assert (await words.type("stores list")).count("by the book") == len(stores)
            await words.type("stores resume", STORE=stores[0])
            for store in stores[1:]:
                await typed(night, f"erasure stores resume {store} --by Kari")
            assert "there is no dead letter" in await words.type("dead-letters list")
            await night.until_told(request)
            await until_well(night)


async def test_hold_past_review(night: World) -> None:
    """One hold is over and its case goes on; one is placed anew, then released, and keeps."""
    over, needed = Person(), Person()
    await night.stores.add(over, needed)
    goes, stays = erasure(over), erasure(needed)
    day = today()
    past = "Hold past review"
    async with running(night):
        with follow(night, past) as words, follow(night, "A case: held"):
            for person in (over, needed):
                placed = await typed(
                    night,
                    f"erasure hold place --subject customer_id={person.customer_no} --by Ola "
                    f"--reason 'a claim' --review {day + timedelta(days=1)}",
                )
                assert placed.code == Exit.OK
            await night.publish(goes, stays)
            await night.until_states(goes, stays, state="held")
            await until_well(night)
            await pass_time(night, timedelta(days=2))
            await until_told(night, "hold-past-review", past)
            assert number(await scrape(night), past, "erasure_review_due_holds") == 2
            said = await words.type("hold list")
            assert said.count("overdue") == 2
            assert "Ola" in said
            new = day + timedelta(days=90)
            await words.type("hold place", CASE=id_of(stays), DATE=new)
            said = await words.type("cases --state held")
            assert str(id_of(stays)) in said
            await words.type("hold release", ID=1)
            assert (await typed(night, "erasure hold release 2 --by Kari")).code == Exit.OK
            await night.until_states(goes)
            await night.until_states(stays, state="held")
            await until_well(night)
    left = await night.stores.dump()
    assert traces(left, over) == {}
    assert "crm.customer" in traces(left, needed)


async def test_clock_skew(night: World) -> None:
    """A machine is a minute ahead: its own numbers and its own status say so; set, it is over."""
    async with running(night):
        await until_well(night)
        with follow(night, "Clock skew") as words:

            def ahead() -> datetime:
                return datetime.now(UTC) + timedelta(seconds=59)

            with patch.object(worker.bootstrap, "now", ahead):
                skew = number(await of_ledger(night), "Clock skew", "erasure_clock_skew_seconds")
                assert skew is not None
                assert skew > 50
                await until_told(night, "clock-skew", "Clock skew")
                said = await words.type("status", expect=Exit.ALARM)
                assert "s ahead of the ledger's" in said
        await until_well(night)
