"""What the pictures of a store's day ask of the ledger."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from worker.ledger import samples
from worker.ledger.database import Ledger
from worker.ledger.samples import Part, Sample

TEN = datetime(2026, 3, 10, 10, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


async def test_a_day_is_added_up_in_parts(ledger: Ledger) -> None:
    """Of ten minutes the most that waited, and how many of them a store was away; by store."""
    seen = [
        ("crm", -1, 9, False), ("crm", 0, 3, True), ("crm", 9, 7, False), ("crm", 10, 1, True),
        ("billing", 31, 5, False),
    ]  # fmt: skip
    async with ledger.begin() as connection:
        for store, at, lag, away in seen:
            await samples.add(
                connection, [Sample(TEN + at * MINUTE, store, lag, 1.5, 0, away=away)]
            )
        assert await samples.by_part(connection, TEN) == {
            "billing": [Part(TEN + 30 * MINUTE, 5, 0, 1)],
            "crm": [Part(TEN, 7, 1, 2), Part(TEN + 10 * MINUTE, 1, 1, 1)],
        }
        assert await samples.by_part(connection, TEN + 32 * MINUTE) == {}
