"""A forecast over a million rows, against a plain count over the same columns.

The forecast reads of each invoice whose it is and its date, and so does the plain statement:
``SELECT account_no, issued_on, count(*) … GROUP BY account_no, issued_on``. Both run by turns.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from statistics import median
from time import perf_counter
from typing import Final

import asyncpg

from connectors.base import Connector
from connectors.registry import connect
from tests.bench.rounds import RunFailed
from tests.bench.world import POLICY, World
from worker.core.forecasting import By, cutoffs, intervals
from worker.core.policy import Policy
from worker.policy_file import load

ROWS: Final = 1_000_000
_EACH: Final = 4
"""Invoices of one account."""
_TODAY: Final = date(2026, 11, 25)
_STORE, _TABLE = "billing", "invoice"
_FILL: Final = f"""
    TRUNCATE account, invoice;
    INSERT INTO account SELECT n, 'C' || n, '1234 56 ' || n, DATE '2020-01-31'
    FROM generate_series(1, {ROWS // _EACH}) AS n;
    INSERT INTO invoice (account_no, issued_on, buyer_name, buyer_address)
    SELECT 1 + n % {ROWS // _EACH}, DATE '2018-01-01' + (n * 7919::bigint % 3200)::int,
           'Name ' || n, 'Street ' || n
    FROM generate_series(1, {ROWS}) AS n;
"""
_PLAIN: Final = "SELECT account_no, issued_on, count(*) FROM invoice GROUP BY account_no, issued_on"


@dataclass(slots=True)
class Ahead:
    """Seconds of each forecast and of the plain count beside it."""

    forecast: list[float] = field(default_factory=list)
    plain: list[float] = field(default_factory=list)

    def ratios(self) -> list[float]:
        """How much longer each forecast took than the plain count of its round."""
        return [ours / theirs for ours, theirs in zip(self.forecast, self.plain, strict=True)]

    def seconds(self) -> tuple[float, float]:
        """Medians: the forecast's, the plain count's."""
        return median(self.forecast), median(self.plain)


def measure(world: World, rounds: int, tell: Callable[[str], None]) -> Ahead:
    """Fill the invoices, then forecast and count by turns; the first round does not count."""
    return asyncio.run(_measure(world, rounds, tell))


async def _measure(world: World, rounds: int, tell: Callable[[str], None]) -> Ahead:
    policy = load(POLICY)
    plain = await asyncpg.connect(world.url(_STORE))
    connector = connect("billing", policy.mapping(_STORE), world.url(_STORE), statement_timeout=600)
    ahead = Ahead()
    try:
        await plain.execute(_FILL)
        await plain.execute("VACUUM ANALYZE")
        for number in range(rounds + 1):
            ours = await _forecast(connector, policy)
            start = perf_counter()
            # Counted in the store as well: what comes back is one row.
            await plain.fetchval(f"SELECT count(*) FROM ({_PLAIN}) AS crowds")
            theirs = perf_counter() - start
            if number:
                ahead.forecast.append(ours)
                ahead.plain.append(theirs)
                tell(f"forecast {number}/{rounds}: {ours:.2f} s, plain count {theirs:.2f} s")
    finally:
        await connector.close()
        await plain.execute("TRUNCATE account, invoice")
        await plain.close()
    return ahead


async def _forecast(connector: Connector, policy: Policy) -> float:
    """Forecast five years of months, and believe no speed before every row has been counted."""
    months = intervals(_TODAY, date(2031, 12, 31), By.MONTH)
    days = cutoffs(policy, _STORE, _TODAY, months)
    start = perf_counter()
    counted = await connector.forecast(_TABLE, days)
    seconds = perf_counter() - start
    if sum(one.rows for one in counted) != ROWS:
        raise RunFailed("the forecast has not counted every row")
    return seconds
