"""A day's history of each store, kept in the ledger for sparklines: one small row a minute.

Whichever worker comes first in a minute takes the samples of all stores; what is older than a day
is dropped in the same go.
"""

from __future__ import annotations

from datetime import datetime

from worker.context import Context
from worker.ledger import samples, store_states, waiting
from worker.ledger.database import Ledger
from worker.ledger.samples import KEPT, Part, Sample, minute_of


async def sample(context: Context) -> bool:
    """Take the samples of this minute; False: another worker has. Raises LedgerAway."""
    now = context.now()
    at = minute_of(now)
    async with context.ledger.begin() as connection:
        if await samples.taken(connection, at):
            return False
        lags = await waiting.in_stores(connection)
        dead = await waiting.dead(connection)
        seen = await store_states.fresh(connection, now)
        away = {one.store for one in seen if one.state == "away"}
        rows = []
        for store in context.policy.stores:
            own = [one for one in lags if one.store == store]
            begun = min((one.oldest for one in own if one.oldest is not None), default=None)
            rows.append(
                Sample(
                    at,
                    store,
                    sum(one.people for one in own),
                    None if begun is None else max(0.0, (now - begun).total_seconds()),
                    dead.get(store, 0),
                    store in away,
                )
            )
        await samples.add(connection, rows)
    return True


async def history(ledger: Ledger, now: datetime) -> dict[str, list[Part]]:
    """Return the last day by store, in parts, the oldest first. Raises LedgerAway.

    A time in which no worker ran is missing.
    """
    async with ledger.begin() as connection:
        return await samples.by_part(connection, now - KEPT)
