"""What comes, moves or falls due while a sweep runs is met before it is done."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import pytest_asyncio

from connectors.base import Effects
from connectors.mapping import Cutoffs, Key
from connectors.sql.sweeper import Sweeper
from connectors.sweeping import May, Span
from tests.support.databases import EVERY_ENGINE
from tests.support.nordlys import Person, customer, today, traces
from tests.support.sweeping import receipts, sweep
from tests.support.world import World
from worker.context import Context

pytestmark = EVERY_ENGINE


@pytest_asyncio.fixture
async def context(world: World) -> AsyncIterator[Context]:
    """The worker's parts, in this process."""
    async with world.context() as made:
        yield made


@contextmanager
def once_before(table: str, meanwhile: Callable[[], Awaitable[Any]]) -> Iterator[None]:
    """Let something happen in the store just before a sweep erases in a table the first time."""
    original = Sweeper.sweep
    happened: list[Span] = []

    async def sweeping(
        self: Sweeper,
        span: Span,
        cutoffs: Cutoffs,
        without: Sequence[Key],
        may: May | None = None,
    ) -> Effects:
        if span.table == table and not happened:
            happened.append(span)
            await meanwhile()
        return await original(self, span, cutoffs, without, may)

    with patch.object(Sweeper, "sweep", sweeping):
        yield
    assert happened


async def test_what_comes_behind_the_walk_goes_too(world: World, context: Context) -> None:
    """Invoices and lines that are written into tables already walked go in another pass."""
    first, late = Person(), Person()
    await world.stores.add(first)
    with once_before("account", lambda: world.stores.add(late)):
        done = await sweep(context, "billing")
    assert done.state == "done"
    left = await world.stores.dump()
    for person in (first, late):
        assert not any(name.startswith("billing") for name in traces(left, person))
    assert await receipts(context, "billing", (late.number,)) != []


async def test_what_moves_or_falls_due_meanwhile_goes(world: World, context: Context) -> None:
    """Rows that an UPDATE moves, and those whose date it sets back: gone, and never met twice."""
    people = [Person() for _ in range(3)]
    due_later = customer(invoices=[today()])
    await world.stores.add(*people, due_later)

    async def meanwhile() -> None:
        await world.stores.run(
            "billing",
            "UPDATE billing.invoice SET total = total + 1;"
            "UPDATE billing.invoice SET issued_on = '2010-03-10'"
            f" WHERE account_no = {due_later.number}",
        )

    with once_before("invoice", meanwhile):
        done = await sweep(context, "billing")
    assert done.state == "done"
    left = await world.stores.dump()
    assert left["billing.invoice"] == left["billing.invoice_line"] == []
    # An account, an invoice and its line of each. The late one's account is still running.
    assert done.rows == 3 * len(people) + 2
    told = [row for one in await receipts(context, "billing", (due_later.number,)) for row in one]
    assert sorted(row["group"] for row in told) == [
        "invoice.buyer_name+buyer_address",
        "invoice_line.delivered_to",
    ]
