"""Our own parts away for a while: the ledger, the broker. Nothing is lost, nothing rejected."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
import sqlalchemy as sa

from tests.support.databases import POSTGRESQL, Database, Server
from tests.support.judging import (
    assert_gone_honestly,
    assert_receipts_published,
    assert_told_once,
)
from tests.support.kafka import KafkaServer
from tests.support.nordlys import Person, erasure
from tests.support.opening import open_world
from tests.support.world import World
from topics import names
from worker.embedded.postgres import EmbeddedPostgres


@pytest_asyncio.fixture
async def own_ledger(
    fresh_broker: str, postgresql: Server, tmp_path: Path
) -> AsyncIterator[tuple[World, EmbeddedPostgres]]:
    """A world whose ledger is alone on a PostgreSQL that the test may stop and start."""
    with EmbeddedPostgres(tmp_path / "ledger", {"fsync": "off"}) as server:
        server.create_database("ledger")
        database = Database(POSTGRESQL, sa.make_url(server.url("ledger")), None)
        async with open_world(
            bootstrap=fresh_broker,
            server=postgresql,
            folder=tmp_path,
            ledger=database,
            gates=["crm"],
        ) as world:
            yield world, server


@pytest.mark.parametrize("how", ["stopped", "killed"])
async def test_a_ledger_that_is_away_for_a_while_costs_time_and_nothing_else(
    own_ledger: tuple[World, EmbeddedPostgres], how: str
) -> None:
    """Events before, during and after the outage are all carried out, by the same worker."""
    world, server = own_ledger
    people = [Person() for _ in range(45)]
    await world.stores.add(*people)
    before = await world.stores.dump()
    requests = [(person, erasure(person)) for person in people]
    events = [request for _, request in requests]
    with world.worker() as worker:
        for request in events[:15]:
            await world.publish(request)

        async def begun() -> bool:
            return bool(await world.states())

        await world.until(begun, "the work has begun")
        await asyncio.to_thread(server.stop if how == "stopped" else server.kill)
        await world.publish(*events[15:30])
        await world.until_log("LedgerAway")
        await asyncio.to_thread(server.start)
        await world.publish(*events[30:])
        await world.until_told(*events)
        assert await worker.stop() == 0
    await assert_gone_honestly(world, before, requests)
    await assert_told_once(world, events)
    await assert_receipts_published(world, events)
    assert await world.read(names.REJECTED) == []


async def test_lines_to_the_ledger_that_break_again_and_again(gated: World) -> None:
    """Cut at any moment, in any statement, the ledger's lines are made anew and nothing is lost."""
    people = [Person() for _ in range(60)]
    await gated.stores.add(*people)
    before = await gated.stores.dump()
    requests = [(person, erasure(person)) for person in people]
    events = [request for _, request in requests]
    gate = gated.gates["ledger"]
    with gated.worker() as worker:
        for at in range(0, 60, 5):
            await gated.publish(*events[at : at + 5])
            await asyncio.sleep(0.13)
            await gate.shut()
            await asyncio.sleep(0.05)
            await gate.open()
        await gated.until_told(*events)
        assert await worker.stop() == 0
    await assert_gone_honestly(gated, before, requests)
    await assert_told_once(gated, events)


@pytest.mark.kafka
@pytest.mark.slow
async def test_a_broker_killed_and_back_loses_nothing(
    kafka: KafkaServer, postgresql: Server, tmp_path: Path
) -> None:
    """Kafka dies by SIGKILL in the middle of the work; the same worker goes on when it is back."""
    async with open_world(
        bootstrap=kafka.bootstrap, server=postgresql, folder=tmp_path / "world", kafka=True
    ) as world:
        people = [Person() for _ in range(90)]
        await world.stores.add(*people)
        before = await world.stores.dump()
        requests = [(person, erasure(person)) for person in people]
        events = [request for _, request in requests]
        with world.worker() as worker:
            await world.publish(*events[:30])
            await world.until_told(*events[:30])
            await world.publish(*events[30:60])
            await asyncio.to_thread(kafka.kill)
            await asyncio.sleep(3)
            await asyncio.to_thread(kafka.start)
            await world.publish(*events[60:])
            await world.until_told(*events, seconds=180)
            assert await worker.stop() == 0
        await assert_gone_honestly(world, before, requests)
        await assert_told_once(world, events)
        await assert_receipts_published(world, events)
