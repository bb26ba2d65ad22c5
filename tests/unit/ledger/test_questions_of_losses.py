"""What a broker has lost: written down once, and standing until somebody answers it."""

from __future__ import annotations

from datetime import timedelta

from tests.unit.ledger.making import NOW
from worker.ledger import losses
from worker.ledger.database import Ledger
from worker.ledger.losses import Loss


async def test_a_loss_stands_as_it_was_first_seen_until_it_is_recovered(ledger: Ledger) -> None:
    """Every worker sees it again and again; a new one after the first is another."""
    async with ledger.begin() as connection:
        await losses.note(connection, "intake", 3, NOW)
        await losses.note(connection, "crm", 1, NOW)
        await losses.note(connection, "intake", 2, NOW + timedelta(seconds=15))
        assert await losses.standing(connection) == [Loss("crm", 1, NOW), Loss("intake", 3, NOW)]
        assert await losses.answered(connection) == 0
        later = NOW + timedelta(hours=1)
        await losses.recover(connection, "intake", by="Kari", reason="a disk", now=later)
        assert await losses.standing(connection) == [Loss("crm", 1, NOW)]
        assert await losses.answered(connection) == 1
        await losses.note(connection, "intake", 7, later)
        assert await losses.standing(connection) == [Loss("crm", 1, NOW), Loss("intake", 7, later)]
