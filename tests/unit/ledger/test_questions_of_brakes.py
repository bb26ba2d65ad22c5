"""What the brake on floods asks of the ledger, and what ``status`` does."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tests.unit.ledger.making import NOW, a_batch, a_command, some_cases
from worker.ledger import batches, brakes, commands, progress
from worker.ledger.commands import CommandKind, NewCommand
from worker.ledger.database import Ledger

DAY = timedelta(days=1)
ASKS: dict[str, Any] = {"would": 9, "of": 10, "usual": None, "limit": 1, "because": "share"}


async def test_people_of_commands_are_added_up_by_store(ledger: Ledger) -> None:
    """Since a moment and before another; of what erases, not of what restricts."""
    async with ledger.begin() as connection:
        batch = await a_batch(connection)
        ids = await some_cases(connection, batch, 3)
        await a_command(connection, batch, ids)
        await a_command(connection, batch, ids[:2])
        await a_command(connection, batch, ids[:1], store="billing")
        only = NewCommand("crm", (), "v1", tuple(ids), b"x", "k1", kind=CommandKind.RESTRICT)
        await commands.issue(connection, batch, [only], now=NOW, due_at=NOW)
        assert await brakes.erased_since(connection, NOW) == {"crm": 5, "billing": 1}
        assert await brakes.erased_since(connection, NOW + timedelta(seconds=1)) == {}
        assert await brakes.erased_since(connection, NOW - DAY, NOW) == {}
        assert await brakes.first_command(connection, NOW - DAY) == NOW
        assert await brakes.first_command(connection, NOW + DAY) is None


async def test_a_store_asks_once_and_is_approved_for_a_while(ledger: Ledger) -> None:
    """Asked twice it is one question; approved, who and when count, and it may ask anew."""
    async with ledger.begin() as connection:
        assert not await brakes.approve(connection, "crm", by="K", because="b", now=NOW)
        for at in (NOW, NOW + DAY):
            await brakes.note(connection, "crm", ASKS, at)
        (one,) = await brakes.asking(connection)
        assert (one.store, one.asks, one.since) == ("crm", ASKS, NOW)
        assert not await brakes.approved(connection, "crm", NOW - DAY)
        assert await brakes.approve(connection, "crm", by="K", because="b", now=NOW)
        assert await brakes.asking(connection) == []
        assert await brakes.approved(connection, "crm", NOW)
        assert not await brakes.approved(connection, "crm", NOW + timedelta(seconds=1))
        assert not await brakes.approved(connection, "billing", NOW - DAY)
        await brakes.note(connection, "crm", ASKS, NOW + DAY)
        assert len(await brakes.asking(connection)) == 1


async def test_an_approval_lets_redrive_plan_at_once(ledger: Ledger) -> None:
    """Batches that were planned in part are due; one that intake has in hand is left to it."""
    async with ledger.begin() as connection:
        begun, new = [await a_batch(connection, due_at=NOW + DAY) for _ in range(2)]
        await batches.planned(
            connection, begun, stores_left=("crm",), policy="v1", now=NOW, due_at=NOW + DAY
        )
        for batch in (begun, new):
            await batches.stopped(connection, batch, NOW)
        await brakes.note(connection, "crm", ASKS, NOW)
        assert await batches.waiting(connection, NOW, 10) == []
        await brakes.approve(connection, "crm", by="K", because="b", now=NOW)
        assert [batch for batch, _ in await batches.waiting(connection, NOW, 10)] == [begun]


async def test_open_cases_that_wait_are_counted(ledger: Ledger) -> None:
    """With the moment of the oldest; later and parked ones are not among them."""
    async with ledger.begin() as connection:
        assert await progress.open_since(connection, NOW) == (0, None)
        assert await progress.last_settled(connection) is None
        batch = await a_batch(connection)
        await some_cases(connection, batch, 2)
        await some_cases(connection, batch, received_at=NOW + DAY)
        await some_cases(connection, batch, state="parked", reason={"why": "two"})
        assert await progress.open_since(connection, NOW) == (2, NOW)
