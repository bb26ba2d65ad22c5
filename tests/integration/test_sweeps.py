"""Sweeps on the three stores of Nordlys: what time has ended goes, and nothing else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date, timedelta
from unittest.mock import AsyncMock, patch

import pytest_asyncio
import sqlalchemy as sa

from connectors.faults import Refused
from connectors.sql.sweeper import Sweeper
from tests.support.databases import EVERY_ENGINE
from tests.support.driving import accept, settle
from tests.support.nordlys import (
    LONG_AGO,
    Person,
    about,
    customer,
    erasure,
    event,
    today,
    traces,
    withdrawal,
)
from tests.support.sweeping import receipts, sweep
from tests.support.world import World
from worker import hold
from worker.context import Context
from worker.ledger.tables import suppressions
from worker.sweeping import runner

TODAY = today()
TOMORROW = TODAY + timedelta(days=1)

pytestmark = EVERY_ENGINE


@pytest_asyncio.fixture
async def context(world: World) -> AsyncIterator[Context]:
    """The worker's parts, in this process."""
    async with world.context() as made:
        yield made


async def test_what_time_has_ended_goes_and_is_proven(world: World, context: Context) -> None:
    """Old rows go in two stores, newer ones stay to the letter; the count at the end is nothing."""
    old, young = Person(subscriptions=0, surveys=0), customer()
    await world.stores.add(old, young)
    before = await world.stores.dump()
    for store in ("billing", "crm"):
        done = await sweep(context, store)
        assert done.state == "done"
        assert done.proof is not None
        assert (done.proof["rows"], done.proof["left_out"]) == (0, {})
    after = await world.stores.dump()
    # The contact's text is kept by a consent of which nobody has said anything.
    assert set(traces(after, old)) == {"crm.contact_log", "crm.customer"}
    assert about(after, [young]) == about(before, [young])


async def test_everybody_who_lost_data_has_a_receipt(world: World, context: Context) -> None:
    """By the pseudonym of the root key, with what was done; whoever lost nothing has none."""
    old, young = Person(), customer()
    await world.stores.add(old, young)
    await sweep(context, "billing")
    told = await receipts(context, "billing", (old.number,))
    found = {row["group"]: row for outcomes in told for row in outcomes}
    assert found["invoice.buyer_name+buyer_address"] == {
        "group": "invoice.buyer_name+buyer_address",
        "result": "erased",
        "rows": 1,
    }
    assert found["account.bank_account"]["result"] == "erased"
    assert await receipts(context, "billing", (young.number,)) == []


async def test_a_second_sweep_finds_nothing(world: World, context: Context) -> None:
    """It erases nothing twice, writes no receipt, and its proof stands beside the first."""
    await world.stores.add(Person())
    first, second = [await sweep(context, "billing") for _ in range(2)]
    assert first.rows > 0
    assert (second.state, second.rows, second.receipts) == ("done", 0, 0)


async def test_who_has_withdrawn_is_known_by_the_ledger(world: World, context: Context) -> None:
    """What only a withdrawn consent kept goes; of whoever has said nothing it stays."""
    withdrawn, silent = (customer(contract_ended=TOMORROW) for _ in range(2))
    await world.stores.add(withdrawn, silent)
    # The e-mail address stays while the contract runs, whatever is withdrawn.
    await accept(context, withdrawal(withdrawn))
    await settle(context)
    await world.stores.run(
        "crm", f"UPDATE crm.customer SET contract_ended_on = '{date(2010, 1, 1)}'"
    )
    done = await sweep(context, "crm")
    assert done.state == "done"
    emails = [row[3] for row in (await world.stores.dump())["crm.customer"]]
    assert emails.count(silent.email.upper()) == 1
    assert not any(withdrawn.mark in (email or "").lower() for email in emails)
    told = await receipts(context, "crm", (withdrawn.customer_no,))
    assert {r["group"]: r["result"] for rows in told for r in rows}["customer.email"] == "erased"


async def test_a_rule_is_about_whoever_has_something_due_in_its_tables(
    world: World, context: Context
) -> None:
    """Of one who withdrew, and has something due elsewhere alone, it takes nothing at all."""
    person = customer(contract_ended=TOMORROW, contacts=[LONG_AGO])
    await world.stores.add(person)
    await accept(context, withdrawal(person))
    await settle(context)
    await world.stores.run(
        "crm", f"UPDATE crm.customer SET contract_ended_on = '{date(2010, 1, 1)}'"
    )
    before = await world.stores.dump()
    done = await sweep(context, "crm", table="contact_log")
    assert (done.state, done.receipts) == ("done", 0)
    assert await world.stores.dump() == before
    done = await sweep(context, "crm", table="customer")
    assert done.counts["customer.email"] == {"erased": 1}


async def test_who_came_back_without_a_consent_goes_again(world: World, context: Context) -> None:
    """Somebody withdrew and was erased; an old list brings the address back; a sweep takes it."""
    person, other = (Person(in_crm=False, in_billing=False) for _ in range(2))
    await world.stores.add(person, other)
    await accept(context, withdrawal(person))
    await settle(context)
    assert traces(await world.stores.dump(), person) == {}
    await world.stores.add(person)
    before = about(await world.stores.dump(), [other])
    done = await sweep(context, "newsletter")
    assert (done.state, done.receipts) == ("done", 1)
    after = await world.stores.dump()
    assert traces(after, person) == {}
    assert about(after, [other]) == before


async def test_who_is_held_or_restricted_is_left_out(world: World, context: Context) -> None:
    """Nothing of theirs is touched, the sweep is done all the same, and its proof counts them."""
    held, restricted, other = Person(), Person(), Person()
    await world.stores.add(held, restricted, other)
    await hold.place_on_subject(
        context,
        {"customer_id": held.customer_no},
        by="Kari",
        reason="a claim",
        review_on=TOMORROW,
    )
    await accept(context, event("restriction.requested", {"customer_id": restricted.customer_no}))
    await settle(context)
    before = await world.stores.dump()
    for store in ("crm", "billing"):
        done = await sweep(context, store)
        assert (done.state, done.reason) == ("done", None)
        assert done.proof is not None
        assert done.proof["left_out"] == {"held": 1, "restricted": 1}
    after = await world.stores.dump()
    assert about(after, [held, restricted]) == about(before, [held, restricted])
    assert "billing.invoice" not in traces(after, other)
    assert await receipts(context, "billing", (held.number,)) == []


async def test_the_stop_of_whoever_is_swept_stands(world: World, context: Context) -> None:
    """A sweep takes back no suppression: what must not be collected stays so."""
    person = Person()
    await world.stores.add(person)
    await accept(context, erasure(person))
    await settle(context)
    stopped = await world.fetch(sa.select(suppressions))
    await sweep(context, "crm")
    assert await world.fetch(sa.select(suppressions)) == stopped != []


async def test_a_rule_sweeps_its_table_alone(world: World, context: Context) -> None:
    """A rule for a table leaves the others alone; one for a ground takes the tables that use it."""
    person = Person(slips=[date(2012, 3, 10)])
    await world.stores.add(person)
    done = await sweep(context, "billing", table="packing_slip")
    assert done.state == "done"
    assert traces(await world.stores.dump(), person)["billing.invoice"] == 1
    assert "billing.packing_slip" not in traces(await world.stores.dump(), person)
    await sweep(context, "billing", ground="bookkeeping")
    left = traces(await world.stores.dump(), person)
    assert "billing.invoice" not in left
    assert left["billing.account"] == 1


async def test_as_of_a_day_of_before(world: World, context: Context) -> None:
    """What was due by then goes; what fell due since waits for a sweep of today."""
    person = Person(invoices=[date(2010, 3, 10), date(2018, 3, 10)], subscriptions=0)
    await world.stores.add(person)
    await sweep(context, "billing", as_of=date(2020, 1, 1))
    assert traces(await world.stores.dump(), person)["billing.invoice"] == 1
    await sweep(context, "billing")
    assert "billing.invoice" not in traces(await world.stores.dump(), person)


async def test_a_login_that_may_not_see_others_sweeps_all_the_same(
    world: World, context: Context
) -> None:
    """A store that refuses to tell of its other clients does not end a sweep."""
    await world.stores.add(Person())
    refuses = AsyncMock(side_effect=Refused("permission", "it may not see the others"))
    with patch.object(runner, "LOOK_SECONDS", 0.0), patch.object(Sweeper, "pressure", refuses):
        assert (await sweep(context, "billing")).state == "done"
    assert refuses.await_count
