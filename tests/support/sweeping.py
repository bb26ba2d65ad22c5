"""Sweeps in this process, one after the other, at a time of the test's own."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import uuid4

from connectors.mapping import Key
from tests.support.nordlys import event
from tests.support.world import Event
from worker.context import Context
from worker.ledger import sweep_history, sweeps
from worker.ledger.sweeps import Sweep
from worker.sweeping.people import person_pseudonym
from worker.sweeping.run import run_sweep
from worker.sweeps import Wanted, ask

HOLDER = "the test"


def rule(**members: Any) -> Event:
    """A retention trigger of upstream for a rule."""
    return {**event("retention.expired", {}), "data": members}


async def asked(context: Context, store: str, **rule: Any) -> int:
    """Ask for a sweep as an operator does; its id."""
    async with context.ledger.begin() as connection:
        sweep_id = await ask(
            context, connection, Wanted(store, "operator", "/tests", str(uuid4()), **rule)
        )
    assert sweep_id is not None
    return sweep_id


async def carry(context: Context, sweep_id: int, holder: str = HOLDER) -> Sweep:
    """Run a sweep until it ends or stops by itself; how it then stands."""
    await run_sweep(context, sweep_id, holder, asyncio.Event())
    return await standing(context, sweep_id)


async def sweep(context: Context, store: str, *, as_of: date | None = None, **rule: Any) -> Sweep:
    """Ask for a sweep and run it."""
    return await carry(context, await asked(context, store, as_of=as_of, **rule))


async def standing(context: Context, sweep_id: int) -> Sweep:
    """A sweep as the ledger has it."""
    async with context.ledger.begin() as connection:
        found = await sweeps.read(connection, sweep_id)
    assert found is not None
    return found


async def receipts(context: Context, store: str, key: Key) -> list[Sequence[Any]]:
    """The outcomes in every receipt of sweeps that names a person by the root key."""
    pseudonym = person_pseudonym(context.sealer, store, key)
    async with context.ledger.begin() as connection:
        return [row.outcomes for row in await sweep_history.receipts_of(connection, [pseudonym])]
