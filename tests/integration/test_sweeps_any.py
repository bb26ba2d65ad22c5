"""Any people, anything they said, cut anywhere: who lost data was told, and nobody else was."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from unittest.mock import patch

import pytest
import pytest_asyncio

from connectors.faults import RetryLater
from connectors.mapping import Key
from connectors.sql import SqlConnector
from connectors.sql.sweeper import Sweeper
from tests.support.databases import EVERY_ENGINE
from tests.support.driving import accept, settle
from tests.support.nordlys import (
    LONG_AGO,
    Dump,
    Person,
    about,
    consent,
    erasure,
    objection,
    today,
    withdrawal,
)
from tests.support.sweeping import asked, carry, receipts, standing, sweep
from tests.support.world import Event, World
from worker import hold
from worker import retention_operate as operate
from worker.context import Context
from worker.ledger import sweep_steps
from worker.ledger.database import LedgerAway
from worker.sweeping.people import shapes
from worker.sweeping.work import Chunk

TODAY = today()
DAYS = [LONG_AGO, date(2019, 5, 4), TODAY - timedelta(days=200), TODAY, None]
PURPOSES = ["newsletter", "contact", "survey", "analysis"]
STEPS: Sequence[tuple[Any, str, type[Exception]]] = [
    (Sweeper, "due", RetryLater),
    (Sweeper, "doubtful", RetryLater),
    (Sweeper, "sweep", RetryLater),
    (Sweeper, "left", RetryLater),
    (SqlConnector, "erase", RetryLater),
    (SqlConnector, "verify", RetryLater),
    (sweep_steps, "intend", LedgerAway),
    (sweep_steps, "step", LedgerAway),
]


@pytest_asyncio.fixture
async def context(world: World) -> AsyncIterator[Context]:
    """The worker's parts, in this process."""
    async with world.context() as made:
        yield made


def anybody(chance: random.Random) -> Person:
    """Somebody of whom the stores hold anything."""

    def some(most: int) -> list[date | None]:
        return [chance.choice(DAYS) for _ in range(chance.randint(0, most))]

    invoices = some(3)
    return Person(
        contract_ended=chance.choice(DAYS),
        invoices=invoices,
        slips=some(2) if invoices else (),
        contacts=some(2),
        surveys=chance.randint(0, 2),
        subscriptions=chance.randint(0, 2),
    )


def said(chance: random.Random, person: Person) -> Event | None:
    """What somebody has said, before the stores got their data again."""
    some = chance.sample(PURPOSES, chance.randint(1, 3))
    return chance.choice(
        [
            None,
            withdrawal(person, *some),
            objection(person),
            erasure(person),
            consent(person, *some),
        ]
    )


@contextmanager
def cut(chance: random.Random) -> Iterator[None]:
    """Let a step of the sweep fail at one of its calls, before or after it is done."""
    owner, name, fault = chance.choice(STEPS)
    original, at, after = getattr(owner, name), chance.randint(1, 4), chance.random() < 0.5
    calls = 0

    async def failing(*args: Any, **options: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == at and not after:
            raise fault("unavailable", "cut short")
        found = await original(*args, **options)
        if calls == at:
            raise fault("unavailable", "cut short")
        return found

    with patch.object(owner, name, failing), suppress(RetryLater, LedgerAway):
        yield


def keys(dump: Dump, store: str, person: Person) -> list[Key]:
    """The root keys of a person in a store."""
    if store == "crm":
        return [(person.customer_no,)]
    if store == "billing":
        return [(person.number,)]
    return [(row[0],) for row in about(dump, [person])["newsletter.subscriber"]]


def of(dump: Dump, store: str, person: Person) -> Dump:
    """What a store holds of a person."""
    return {table: rows for table, rows in about(dump, [person]).items() if table.startswith(store)}


async def through(context: Context, chance: random.Random, store: str) -> None:
    """Sweep a store to its end, however often it is cut short, cancelled or under a new policy."""
    sweep_id = await asked(context, store)
    for number in range(chance.randint(0, 4)):
        with cut(chance):
            await carry(context, sweep_id)
        if (await standing(context, sweep_id)).ended_at is not None:
            break
        if chance.random() < 0.2:
            await operate.cancel(context, sweep_id, by="Kari", because="cut short")
            await carry(context, sweep_id)
            sweep_id = await asked(context, store)
        elif chance.random() < 0.2:
            version = {"version": f"another-{number}"}
            context = replace(context, policy=context.policy.model_copy(update=version))
    assert (await carry(context, sweep_id)).state == "done"


@pytest.mark.parametrize("seed", range(8))
@EVERY_ENGINE
async def test_who_lost_data_was_told_and_nobody_else(
    world: World, context: Context, seed: int
) -> None:
    """Held people keep all, nothing past its ground is left, and a second sweep finds nothing."""
    chance = random.Random(seed)
    people = [anybody(chance) for _ in range(6)]
    await accept(context, *(event for p in people if (event := said(chance, p)) is not None))
    await settle(context)
    await world.stores.add(*people)
    held = chance.sample(people, chance.randint(0, 2))
    for person in held:
        subject = {"customer_id": person.customer_no, "email": person.email}
        await hold.place_on_subject(
            context, subject, by="Kari", reason="a claim", review_on=TODAY + timedelta(days=9)
        )
    for store in context.connectors:
        before = await world.stores.dump()
        await through(context, chance, store)
        after = await world.stores.dump()
        for person in people:
            lost = of(before, store, person) != of(after, store, person)
            told = [await receipts(context, store, key) for key in keys(before, store, person)]
            assert any(told) is lost, (store, person.contract_ended)
            assert not (lost and person in held)
        again = await sweep(context, store)
        assert (again.state, again.rows) == ("done", 0)
        assert await world.stores.dump() == after
        free = [key for p in people if p not in held for key in keys(after, store, p)]
        by_shape, _ = await shapes(context, store, free)
        work = Chunk(context, store, context.policy.cutoffs(store, context.day()))
        assert await work.unfinished(by_shape) == set()
