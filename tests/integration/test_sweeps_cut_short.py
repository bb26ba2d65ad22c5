"""A chunk that was cut short: whoever may have lost data in it gets a receipt, whatever comes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from unittest.mock import patch

import pytest
import pytest_asyncio

from connectors.faults import RetryLater
from connectors.sql import SqlConnector
from connectors.sql.sweeper import Sweeper
from tests.support.databases import BEYOND_MARIADB, EVERY_ENGINE
from tests.support.driving import accept, settle
from tests.support.elsewhere import keeping_row
from tests.support.nordlys import LONG_AGO, Person, customer, traces, withdrawal
from tests.support.sweeping import asked, carry, receipts, standing
from tests.support.world import World
from worker import retention_operate as operate
from worker.context import Context


@pytest_asyncio.fixture
async def context(world: World) -> AsyncIterator[Context]:
    """The worker's parts, in this process."""
    async with world.context() as made:
        yield made


@contextmanager
def cut(owner: type, name: str) -> Iterator[None]:
    """Let the store go away at a step of the sweep, which then ends its run."""

    async def away(*_: Any, **__: Any) -> Any:
        raise RetryLater("unavailable", "the store went away")

    with patch.object(owner, name, away), pytest.raises(RetryLater):
        yield


async def groups(context: Context, store: str, key: str | int) -> set[str]:
    """The field groups that the receipts of sweeps name for a person."""
    return {row["group"] for one in await receipts(context, store, (key,)) for row in one}


FIRST_CHUNK = {"invoice_line.delivered_to", "invoice.buyer_name+buyer_address"}
"""The groups of the first chunk in billing: lines go with their invoices."""


@EVERY_ENGINE
async def test_after_a_cancel(world: World, context: Context) -> None:
    """The rows are gone and nobody will do the chunk again: it is settled before the sweep ends."""
    person, other = Person(), customer()
    await world.stores.add(person, other)
    sweep_id = await asked(context, "billing")
    with cut(Sweeper, "left"):
        await carry(context, sweep_id)
    await operate.cancel(context, sweep_id, by="Kari", because="not today")
    assert (await standing(context, sweep_id)).state == "cancelling"
    done = await carry(context, sweep_id)
    assert (done.state, done.span, done.intent) == ("cancelled", None, None)
    assert (done.reason or {})["by"] == "Kari"
    assert await groups(context, "billing", person.number) == FIRST_CHUNK
    assert traces(await world.stores.dump(), person)["billing.account"] == 1
    # Nothing holds the store up.
    assert (await carry(context, await asked(context, "billing"), "another")).state == "done"


@EVERY_ENGINE
async def test_before_anything_was_erased(world: World, context: Context) -> None:
    """Cut before the effect and cancelled: nobody lost anything, and no receipt says so."""
    person = Person()
    await world.stores.add(person)
    sweep_id = await asked(context, "billing")
    with cut(Sweeper, "sweep"):
        await carry(context, sweep_id)
    await operate.cancel(context, sweep_id, by="Kari", because="not today")
    assert (await carry(context, sweep_id)).state == "cancelled"
    assert await groups(context, "billing", person.number) == set()


@EVERY_ENGINE
async def test_where_a_consent_decided(world: World, context: Context) -> None:
    """Who had withdrawn is erased in the whole store by key: the receipt names all of it."""
    person, silent = Person(surveys=1), Person(surveys=1)
    await accept(context, withdrawal(person, "newsletter", "contact", "survey", "analysis"))
    await settle(context)
    await world.stores.add(person, silent)
    sweep_id = await asked(context, "crm")
    with cut(SqlConnector, "verify"):
        await carry(context, sweep_id)
    done = await carry(context, sweep_id)
    assert done.state == "done"
    told = await groups(context, "crm", person.customer_no)
    assert {"customer.name", "customer.email", "contact_log.message"} <= told
    silent_told = [r for one in await receipts(context, "crm", (silent.customer_no,)) for r in one]
    assert not any(row.get("interrupted") for row in silent_told)


@EVERY_ENGINE
@pytest.mark.parametrize("step", ["left", "sweep"])
async def test_under_another_policy(world: World, context: Context, step: str) -> None:
    """The chunk is settled by the cut-offs of then; only after that the sweep begins again."""
    person = Person()
    await world.stores.add(person)
    sweep_id = await asked(context, "billing")
    with cut(Sweeper, step):
        await carry(context, sweep_id)
    other = replace(context, policy=context.policy.model_copy(update={"version": "another"}))
    done = await carry(other, sweep_id)
    assert (done.state, done.policy) == ("done", "another")
    told = [row for one in await receipts(context, "billing", (person.number,)) for row in one]
    interrupted = [row["group"] for row in told if row.get("interrupted")]
    assert set(interrupted) == (FIRST_CHUNK if step == "left" else set())
    assert len(told) == 3


@BEYOND_MARIADB
async def test_of_whom_a_part_is_kept_back(world: World, context: Context) -> None:
    """One of two lines goes and one stays: what went is counted and told, and the sweep fails."""
    person = Person(invoices=[LONG_AGO, LONG_AGO])
    await world.stores.add(person)
    await world.stores.run(
        "billing",
        keeping_row(
            world.stores.dialect, "billing.invoice_line", f"OLD.invoice_no = {person.number}"
        ),
    )
    done = await carry(context, await asked(context, "billing", table="invoice_line"))
    assert (done.state, done.rows) == ("failed", 1)
    assert done.reason == {"why": "not-gone", "rows": 1, "apart": {"not-gone": 1}}
    told = [row for one in await receipts(context, "billing", (person.number,)) for row in one]
    assert told == [{"group": "invoice_line.delivered_to", "result": "erased", "rows": 1}]


@EVERY_ENGINE
async def test_a_refusal_takes_nobody_beyond_the_rule(world: World, context: Context) -> None:
    """Where the store refuses one person's rows, the others' go, in the rule's table alone."""
    kept, other = Person(), Person()
    await world.stores.add(kept, other)
    await world.stores.run(
        "billing",
        "CREATE TABLE billing.claim (invoice_no integer, line_no smallint, FOREIGN KEY "
        "(invoice_no, line_no) REFERENCES billing.invoice_line (invoice_no, line_no));"
        f"INSERT INTO billing.claim VALUES ({kept.number}, 1)",
    )
    done = await carry(context, await asked(context, "billing", table="invoice_line"))
    assert (done.state, done.rows) == ("failed", 1)
    left = await world.stores.dump()
    assert "billing.invoice_line" not in traces(left, other)
    assert traces(left, other)["billing.invoice"] == traces(left, other)["billing.account"] == 1
