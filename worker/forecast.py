"""Forecasting what falls due in the stores, table by table. Nothing is changed.

Every store is asked at the same time, and one that is away delays and hides no other.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Final

from connectors.base import Connector
from connectors.faults import Fault
from worker.core.forecasting import GroupForecast, Interval, StoreForecast, cutoffs, gathered
from worker.core.policy import Policy

PATIENCE: Final = 1800.0
"""Seconds that a store may take to count one table: it reads all of it."""

Told = Callable[[str, str], None]
"""Told of each store and table that has been counted."""


async def forecast(
    policy: Policy,
    connectors: Mapping[str, Connector],
    today: date,
    ahead: Sequence[Interval],
    told: Told = lambda _store, _table: None,
) -> tuple[list[StoreForecast], dict[str, Fault]]:
    """Forecast the given stores; and why each store that is not in the forecast is not."""

    async def ask(store: str) -> StoreForecast | Fault:
        try:
            return await _store(policy, store, connectors[store], today, ahead, told)
        except Fault as fault:
            return fault

    answers = await asyncio.gather(*(ask(store) for store in connectors))
    found = [answer for answer in answers if isinstance(answer, StoreForecast)]
    pairs = zip(connectors, answers, strict=True)
    return found, {store: answer for store, answer in pairs if isinstance(answer, Fault)}


async def _store(
    policy: Policy,
    store: str,
    connector: Connector,
    today: date,
    ahead: Sequence[Interval],
    told: Told,
) -> StoreForecast:
    days = cutoffs(policy, store, today, ahead)
    groups: list[GroupForecast] = []
    for table in connector.mapping.tables:
        groups += gathered(table, await connector.forecast(table.name, days), len(ahead))
        told(store, table.name)
    return StoreForecast(store, tuple(groups))
