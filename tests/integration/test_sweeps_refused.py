"""A store that keeps something back: the sweep says so, and takes all the others' data."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.support.databases import BEYOND_MARIADB, EVERY_ENGINE
from tests.support.driving import accept, settle
from tests.support.elsewhere import keeping_row, keeping_value
from tests.support.nordlys import Person, traces, withdrawal
from tests.support.sweeping import receipts, sweep
from tests.support.world import World
from worker.context import Context


@pytest_asyncio.fixture
async def context(world: World) -> AsyncIterator[Context]:
    """The worker's parts, in this process."""
    async with world.context() as made:
        yield made


@BEYOND_MARIADB
async def test_a_row_that_is_silently_kept_back_is_never_done(
    world: World, context: Context
) -> None:
    """A trigger lets one line stay: the sweep ends failed, and that person has no receipt of it."""
    kept, other = Person(), Person()
    await world.stores.add(kept, other)
    await world.stores.run(
        "billing",
        keeping_row(
            world.stores.dialect, "billing.invoice_line", f"OLD.delivered_to = '{kept.mark}'"
        ),
    )
    done = await sweep(context, "billing", table="invoice_line")
    assert (done.state, done.proof) == ("failed", None)
    assert done.reason == {"why": "not-gone", "rows": 1, "apart": {}}
    assert await receipts(context, "billing", (kept.number,)) == []
    assert await receipts(context, "billing", (other.number,)) != []


@EVERY_ENGINE
async def test_a_value_that_is_silently_restored_is_never_done(
    world: World, context: Context
) -> None:
    """A trigger writes a bank account back: no receipt says that it is gone."""
    kept, other = (Person(invoices=[None]) for _ in range(2))  # the account stays for the invoice
    await world.stores.add(kept, other)
    await world.stores.run(
        "billing",
        keeping_value(world.stores.dialect, "billing.account", "bank_account", kept.mark),
    )
    done = await sweep(context, "billing", table="account")
    assert (done.state, done.proof) == ("failed", None)
    assert (done.reason or {})["apart"] == {"not-gone": 1}
    assert await receipts(context, "billing", (kept.number,)) == []
    assert await receipts(context, "billing", (other.number,)) != []


@EVERY_ENGINE
async def test_one_refused_person_keeps_nobody_else(world: World, context: Context) -> None:
    """A foreign key of a table that nobody declared: the others of the chunk go, and it is told."""
    kept, *others = (Person() for _ in range(5))
    await world.stores.add(kept, *others)
    await world.stores.run(
        "billing",
        "CREATE TABLE billing.claim (invoice_no integer REFERENCES billing.invoice);"
        f"INSERT INTO billing.claim VALUES ({kept.number})",
    )
    done = await sweep(context, "billing")
    assert done.state == "failed"
    assert (done.reason or {})["apart"] == {"constraint": 1}
    left = await world.stores.dump()
    assert traces(left, kept)["billing.invoice"] == 1
    assert not any(name.startswith("billing") for p in others for name in traces(left, p))


@EVERY_ENGINE
async def test_who_withdrew_and_is_refused_is_never_done(world: World, context: Context) -> None:
    """A consent alone kept it, which no count of rows knows to be withdrawn: the sweep says so."""
    person = Person(contacts=[])
    await accept(context, withdrawal(person, "contact", "newsletter"))
    await settle(context)
    await world.stores.add(person)
    await world.stores.run(
        "crm",
        "CREATE TABLE crm.loyalty (customer_no text REFERENCES crm.customer);"
        f"INSERT INTO crm.loyalty VALUES ('{person.customer_no}')",
    )
    done = await sweep(context, "crm")
    assert (done.state, done.proof) == ("failed", None)
    assert (done.reason or {})["apart"] == {"constraint": 1}
    await world.stores.run("crm", "DROP TABLE crm.loyalty")
    assert (await sweep(context, "crm")).state == "done"
    assert not any(t.startswith("crm") for t in traces(await world.stores.dump(), person))
