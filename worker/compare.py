"""Counting in the running stores what a change of the policy would mean today."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

from connectors.base import Connector
from connectors.faults import Fault
from worker.core.joining import Joined, cutoffs
from worker.core.policy import Policy


@dataclass(frozen=True, slots=True)
class Counted:
    """Rows of some fields that are due today by one policy alone, and whose they are."""

    store: str
    table: str
    fields: tuple[str, ...]
    sooner: tuple[int, int]
    """Rows and people of what the new policy would erase and the old one keeps."""
    longer: tuple[int, int]
    """The other way round."""


async def count(
    old: Policy,
    new: Policy,
    stores: Mapping[str, Joined],
    connectors: Mapping[str, Connector],
    today: date,
    told: Callable[[str, str], None] = lambda _store, _table: None,
) -> tuple[list[Counted], dict[str, Fault]]:
    """Compare the given stores; and why each store that could not be counted could not."""

    async def ask(store: str) -> list[Counted] | Fault:
        try:
            days = cutoffs(old, new, store, today)
            return await _store(store, stores[store], connectors[store], days, told)
        except Fault as fault:
            return fault

    answers = await asyncio.gather(*(ask(store) for store in connectors))
    pairs = list(zip(connectors, answers, strict=True))
    found = [one for _, answer in pairs if not isinstance(answer, Fault) for one in answer]
    return found, {store: answer for store, answer in pairs if isinstance(answer, Fault)}


async def _store(
    store: str,
    joined: Joined,
    connector: Connector,
    days: Mapping[str, date],
    told: Callable[[str, str], None],
) -> list[Counted]:
    found: list[Counted] = []
    for table, pairs in joined.pairs.items():
        names = [(pair.old, pair.new) for pair in pairs]
        rows = {
            (one.due, one.not_due): (one.rows, one.people)
            for one in await connector.compare(table, names, days)
        }
        for pair in pairs:
            sooner, longer = rows.get((pair.new, pair.old)), rows.get((pair.old, pair.new))
            if sooner or longer:
                none = (0, 0)
                found.append(Counted(store, table, pair.fields, sooner or none, longer or none))
        told(store, table)
    return found
