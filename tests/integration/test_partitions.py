"""Partitioned tables: swept as any other, and a year that is past goes by one DROP."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from connectors.base import Effects
from connectors.mapping import Cutoffs, Key
from connectors.sql import SqlConnector
from connectors.sql.sweeper import Sweeper
from connectors.sweeping import Span
from tests.support.lines import dsn
from tests.support.nordlys import Person, customer, today, traces
from tests.support.sweeping import asked, carry, receipts, standing, sweep
from tests.support.world import World
from worker import hold
from worker.context import Context
from worker.ledger import sweep_steps

TODAY = today()
SLIPS = """
DROP TABLE billing.packing_slip;
CREATE TABLE billing.packing_slip (
    slip_no integer, invoice_no integer NOT NULL REFERENCES billing.invoice (invoice_no),
    packed_on date, recipient text, PRIMARY KEY (slip_no, packed_on)
) PARTITION BY RANGE (packed_on);
CREATE TABLE billing.slips_2010 PARTITION OF billing.packing_slip
    FOR VALUES FROM ('2010-01-01') TO ('2011-01-01');
CREATE TABLE billing."slips of 2011" PARTITION OF billing.packing_slip
    FOR VALUES FROM ('2011-01-01') TO ('2012-01-01');
CREATE TABLE billing.slips_now PARTITION OF billing.packing_slip
    FOR VALUES FROM ('2012-01-01') TO (MAXVALUE);
CREATE TABLE billing.slips_default PARTITION OF billing.packing_slip DEFAULT;
"""
IN_2010, IN_2011 = date(2010, 3, 10), date(2011, 3, 10)


def slips(*days: date, **more: Any) -> Person:
    """Somebody with a running contract, of whom slips alone can be past."""
    return customer(slips=days, **more)


@pytest_asyncio.fixture
async def context(world: World) -> AsyncIterator[Context]:
    """The worker's parts, with the slips in partitions that may be dropped."""
    await world.stores.run("billing", SLIPS)
    async with world.context() as made:
        old = made.connectors["billing"].mapping
        tables = [
            replace(table, key=("slip_no", "packed_on"), drop_partition=True)
            if table.name == "packing_slip"
            else table
            for table in old.tables
        ]
        connector = SqlConnector(replace(old, tables=tuple(tables)), world.stores.billing.text)
        yield replace(made, connectors={**made.connectors, "billing": connector})
        await connector.close()


@pytest.fixture
def drops(monkeypatch: pytest.MonkeyPatch) -> list[Span]:
    """The partitions that were dropped."""
    dropped: list[Span] = []
    drop = Sweeper.drop

    async def noted(self: Sweeper, span: Span, cutoffs: Cutoffs, people: Sequence[Key]) -> Effects:
        effects = await drop(self, span, cutoffs, people)
        dropped.append(span)
        return effects

    monkeypatch.setattr(Sweeper, "drop", noted)
    return dropped


async def relations(world: World) -> set[str]:
    """What is there of the slips, attached or not."""
    connection = await asyncpg.connect(dsn(world.stores.billing))
    try:
        found = await connection.fetch(
            "SELECT relname FROM pg_class WHERE relname LIKE 'slips%' AND relkind = 'r'"
        )
        return {row["relname"] for row in found}
    finally:
        await connection.close()


EVERY = {"slips_2010", "slips of 2011", "slips_now", "slips_default"}


async def results(context: Context, person: Person) -> list[tuple[str, Any, bool]]:
    """What the receipts of sweeps say of a person's slips: result, rows, interrupted."""
    told = await receipts(context, "billing", (person.number,))
    return [
        (row["result"], row["rows"], row.get("interrupted", False))
        for outcomes in told
        for row in outcomes
        if row["group"] == "packing_slip.recipient"
    ]


async def test_a_partitioned_table_is_swept_as_any_other(
    world: World, context: Context, drops: list[Span]
) -> None:
    """Where the policy does not let partitions be dropped, the rows of each go, a chunk for all."""
    connector = context.connectors["billing"]
    plain = replace(
        connector.mapping,
        tables=tuple(replace(t, drop_partition=False) for t in connector.mapping.tables),
    )
    old, young = slips(IN_2010, IN_2011), slips(TODAY)
    await world.stores.add(old, young)
    made = SqlConnector(plain, world.stores.billing.text)
    done = await sweep(
        replace(context, connectors={**context.connectors, "billing": made}), "billing"
    )
    await made.close()
    assert (done.state, done.counts["packing_slip.recipient"]) == ("done", {"erased": 2})
    assert (drops, await relations(world)) == ([], EVERY)
    left = await world.stores.dump()
    assert "billing.packing_slip" not in traces(left, old)
    assert traces(left, young)["billing.packing_slip"] == 1


async def test_a_year_that_is_past_goes_as_one(
    world: World, context: Context, drops: list[Span]
) -> None:
    """Its relation is gone, everybody in it has a receipt with counts, and nothing is left."""
    crowd = [slips(IN_2010, IN_2010) for _ in range(3)]
    both, young = slips(IN_2010, IN_2011), slips(TODAY)
    await world.stores.add(*crowd, both, young)
    done = await sweep(context, "billing")
    assert (done.state, done.receipts, done.rows) == ("done", 5, 8)  # both years name one of them
    assert done.proof is not None
    assert done.proof["rows"] == 0
    assert await relations(world) == {"slips_now", "slips_default"}
    assert [span.upto for span in drops] == [
        ("billing", "slips_2010"),
        ("billing", "slips of 2011"),
    ]
    for person in crowd:
        assert await results(context, person) == [("erased", 2, False)]
    assert await results(context, both) == [("erased", 1, False)] * 2
    assert await results(context, young) == []
    assert traces(await world.stores.dump(), young)["billing.packing_slip"] == 1


async def test_whoever_must_stay_keeps_the_partition(
    world: World, context: Context, drops: list[Span]
) -> None:
    """A held person's year is swept row by row; the year in which nobody is held is dropped."""
    held, others = slips(IN_2010), [slips(IN_2010), slips(IN_2011)]
    await world.stores.add(held, *others)
    await hold.place_on_subject(
        context,
        {"customer_id": held.customer_no},
        by="Kari",
        reason="a claim",
        review_on=TODAY + timedelta(days=9),
    )
    done = await sweep(context, "billing")
    assert done.proof is not None
    assert (done.state, done.proof["left_out"]) == ("done", {"held": 1})
    assert await relations(world) == EVERY - {"slips of 2011"}
    assert traces(await world.stores.dump(), held)["billing.packing_slip"] == 1
    assert [await results(context, one) for one in others] == [[("erased", 1, False)]] * 2


@pytest.mark.parametrize(
    "more",
    [
        "CREATE TABLE billing.parcel (slip_no integer, packed_on date,"
        " FOREIGN KEY (slip_no, packed_on) REFERENCES billing.packing_slip)",
        "CREATE VIEW billing.of_2010 AS SELECT slip_no FROM billing.slips_2010",
        "CREATE PUBLICATION changes FOR TABLE billing.packing_slip",
        "CREATE FUNCTION billing.note() RETURNS trigger LANGUAGE plpgsql AS"
        " 'BEGIN RETURN OLD; END'; CREATE TRIGGER note BEFORE DELETE ON billing.packing_slip"
        " FOR EACH ROW EXECUTE FUNCTION billing.note()",
    ],
    ids=["foreign-key", "view", "publication", "trigger"],
)
async def test_what_depends_on_it_refuses(
    world: World, context: Context, drops: list[Span], more: str
) -> None:
    """Then the partition stays where it is, attached, and its rows go one by one."""
    person = slips(IN_2010)
    await world.stores.add(person)
    await world.stores.run("billing", more)
    done = await sweep(context, "billing", table="packing_slip")
    assert (done.state, done.counts["packing_slip.recipient"]) == ("done", {"erased": 1})
    assert (drops, await relations(world)) == ([], EVERY)
    assert await results(context, person) == [("erased", 1, False)]


async def test_nobody_waits_for_a_partition(
    world: World, context: Context, drops: list[Span]
) -> None:
    """While somebody reads the table for long, the sweep gives the drop up and takes the rows."""
    person = slips(IN_2010)
    await world.stores.add(person)
    reader = await asyncpg.connect(dsn(world.stores.billing))
    reading = reader.transaction()
    await reading.start()
    await reader.fetch("SELECT * FROM billing.packing_slip")
    done = await sweep(context, "billing", table="packing_slip")
    await reading.rollback()
    await reader.close()
    assert (done.state, drops, await relations(world)) == ("done", [], EVERY)
    assert await results(context, person) == [("erased", 1, False)]


def dies(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, when: Callable[..., bool]) -> None:
    """Let a function raise, as a runner that is killed stops there, the first time it fits."""
    real = getattr(owner, name)
    died: list[bool] = []

    async def dying(*args: Any, **more: Any) -> Any:
        if not died and when(*args):
            died.append(True)
            raise KilledError
        return await real(*args, **more)

    monkeypatch.setattr(owner, name, dying)


class KilledError(Exception):
    """Stands for SIGKILL."""


async def test_killed_between_intent_and_drop(
    world: World, context: Context, drops: list[Span], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next runner begins with that partition: it drops it, and every receipt has its count."""
    person = slips(IN_2010)
    await world.stores.add(person)
    sweep_id = await asked(context, "billing")
    dies(monkeypatch, Sweeper, "drop", lambda *_: True)
    with pytest.raises(KilledError):
        await carry(context, sweep_id)
    assert (await standing(context, sweep_id)).intent is not None
    assert await relations(world) == EVERY
    done = await carry(context, sweep_id)
    assert (done.state, done.receipts, len(drops)) == ("done", 1, 1)
    assert await results(context, person) == [("erased", 1, False)]


async def test_killed_between_drop_and_settlement(
    world: World, context: Context, drops: list[Span], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody knows the counts any more: whoever stood there gets a receipt that says so."""
    people = [slips(IN_2010) for _ in range(2)]
    await world.stores.add(*people)
    sweep_id = await asked(context, "billing")
    dies(monkeypatch, sweep_steps, "step", lambda *_: bool(drops))
    with pytest.raises(KilledError):
        await carry(context, sweep_id)
    assert "slips_2010" not in await relations(world)
    done = await carry(context, sweep_id)
    assert (done.state, done.receipts) == ("done", 2)
    for person in people:
        assert await results(context, person) == [("erased", None, True)]
