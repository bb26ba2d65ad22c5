"""The broker comes back without its messages: the runbook, followed on an Apache Kafka."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiokafka import AIOKafkaConsumer

from tests.runbook.following import follow, status, typed, until_told, until_well
from tests.runbook.measured import number, open_metrics, scrape
from tests.support.databases import Server
from tests.support.kafka import KafkaServer
from tests.support.nordlys import Person, erasure, traces
from tests.support.opening import open_world
from tests.support.worker import WorkerProcess
from tests.support.world import World
from topics import names
from worker.cli.exits import Exit
from worker.ledger import actions, losses
from worker.observe.lag import group_lags

BEYOND = "Offset beyond end"


@pytest_asyncio.fixture
async def world(kafka: KafkaServer, postgresql: Server, tmp_path: Path) -> AsyncIterator[World]:
    """A world on a broker that the test may kill, whose messages lie below ``tmp_path``."""
    async with open_world(
        bootstrap=kafka.bootstrap, server=postgresql, folder=tmp_path, kafka=True
    ) as made:
        open_metrics(made)
        yield made


async def having_told(
    world: World, people: Sequence[Person], requests: Sequence[Mapping[str, Any]]
) -> WorkerProcess:
    """Start a worker in a world of these people, and wait until it has carried out requests."""
    await world.stores.add(*people)
    worker = world.worker(command="erasure run")
    await world.publish(*requests)
    await world.until_told(*requests)
    await until_well(world)
    return worker


def lose(folder: Path, *topics: str) -> None:
    """Take the messages of topics away from a broker that does not run, as a lost disk does."""
    for topic in topics:
        found = list(folder.glob(f"**/{topic}-[0-9]*"))
        assert found
        for partition in found:
            shutil.rmtree(partition)


@pytest.mark.kafka
async def test_offset_beyond_end(world: World, kafka: KafkaServer, tmp_path: Path) -> None:
    """A disk is lost while a worker runs: it skips nothing of what comes, and by the book goes on.

    While the loss stands more comes than the groups had read, so that where they stood is no more
    beyond the end.
    """
    people = [Person() for _ in range(8)]
    before, after = [[erasure(one) for one in some] for some in (people[:3], people[3:])]
    at_work = await having_told(world, people, before)
    kafka.kill()
    lose(tmp_path / "kafka", names.REQUESTS, names.commands("crm"))
    kafka.start()

    assert await at_work.over() == Exit.TRY_AGAIN
    world.workers.remove(at_work)  # The world's own would have to run on.

    async def shown() -> bool:
        seen = await scrape(world)
        beyond = number(seen, BEYOND, "erasure_group_beyond_end_messages", group=names.INTAKE_GROUP)
        return beyond == len(before)

    with follow(world, BEYOND) as words:
        await words.type("topics check")
        assert "existed" in await words.type("topics create")
        with words.start("run") as worker:
            await world.until(shown, "the metric shows it")
            await world.publish(*after)
            await until_told(world, "offset-beyond-end", BEYOND)
            said = await words.type("status", expect=Exit.ALARM)
            for group in (names.INTAKE_GROUP, names.group_of("crm")):
                assert f"{group} has read messages" in said
            left = await world.stores.dump()
            assert all(traces(left, person) for person in people[3:])
            told = await words.type_again("topics recover", "still reads with")
            assert f"{names.INTAKE_GROUP} reads from the beginning" in told
            await world.until_told(*after)
            await until_well(world)
            assert await worker.stop() == 0
    left = await world.stores.dump()
    assert [traces(left, person) for person in people] == [{}] * len(people)


@pytest.mark.kafka
async def test_more_has_come_than_was_read(
    world: World, kafka: KafkaServer, tmp_path: Path
) -> None:
    """Broker and worker die together; before one looks, every place lies among new messages.

    Only the messages before these places tell. Nothing of what came is skipped.
    """
    people = [Person() for _ in range(100)]
    before, after = [[erasure(one) for one in some] for some in (people[:12], people[12:])]
    at_work = await having_told(world, people, before)
    read = await group_lags(world.bootstrap, ["crm"], {})
    for group in (names.INTAKE_GROUP, names.group_of("crm")):
        assert read[group].marks, f"{group} marks no place"
    at_work.kill()
    world.workers.remove(at_work)
    kafka.kill()
    lose(tmp_path / "kafka", names.REQUESTS)
    kafka.start()
    await world.publish(*after)
    places = await group_lags(world.bootstrap, ())
    assert places[names.INTAKE_GROUP].beyond == 0
    assert 0 < places[names.INTAKE_GROUP].messages < len(after)

    with follow(world, BEYOND) as words:
        await words.type("topics check")
        await words.type("topics create")
        words.start("run")
        await until_told(world, "offset-beyond-end", BEYOND)
        await words.type("status", expect=Exit.ALARM)
        left = await world.stores.dump()
        assert all(traces(left, person) for person in people[12:])
        await words.type_again("topics recover", "still reads with")
    await world.until_told(*after)
    left = await world.stores.dump()
    assert [traces(left, person) for person in people] == [{}] * len(people)


@pytest.mark.kafka
async def test_nothing_is_moved_under_a_reader(world: World) -> None:
    """A group that is read with keeps its place; without a loss there is nothing to recover."""
    command = "erasure topics recover --by Kari --reason test"
    nothing = await typed(world, command)
    assert (nothing.code, nothing.out) == (Exit.WRONG, "")
    consumer = AIOKafkaConsumer(
        names.REQUESTS, bootstrap_servers=world.bootstrap, group_id=names.INTAKE_GROUP
    )
    await consumer.start()
    try:
        async with world.ledger.begin() as connection:
            await losses.note(connection, names.INTAKE_GROUP, 3, datetime.now(UTC))
        refused = await typed(world, command)
        assert refused.code == Exit.WRONG
        assert f"still reads with {names.INTAKE_GROUP}" in refused.error
        assert "offset-beyond-end" in await status(world)
    finally:
        await consumer.stop()
    assert (await typed(world, command)).code == Exit.OK
    assert "offset-beyond-end" not in await status(world)
    async with world.ledger.begin() as connection:
        (did, *_) = await actions.listed(connection)
    assert (did.what, did.target, did.by) == (
        actions.Did.LOSS_RECOVERED, f"group:{names.INTAKE_GROUP}", "Kari",
    )  # fmt: skip
