"""The broker comes back without its messages: the runbook, followed on an Apache Kafka."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
import pytest_asyncio
from aiokafka import AIOKafkaConsumer, TopicPartition

from tests.runbook.following import follow, status, until_told, until_well
from tests.runbook.measured import alone, number, open_metrics, running, scrape
from tests.support.databases import Server
from tests.support.kafka import KafkaServer
from tests.support.nordlys import Person, erasure, traces
from tests.support.opening import open_world
from tests.support.world import World
from topics import names
from worker.cli.exits import Exit

BEYOND = "Offset beyond end"


@pytest_asyncio.fixture
async def world(kafka: KafkaServer, postgresql: Server, tmp_path: Path) -> AsyncIterator[World]:
    """A world on a broker that the test may kill, whose messages lie below ``tmp_path``."""
    async with open_world(
        bootstrap=kafka.bootstrap, server=postgresql, folder=tmp_path, kafka=True
    ) as made:
        open_metrics(made)
        yield made


def lose(folder: Path, *topics: str) -> None:
    """Take the messages of topics away from a broker that does not run, as a lost disk does."""
    for topic in topics:
        found = list(folder.glob(f"**/{topic}-[0-9]*"))
        assert found
        for partition in found:
            shutil.rmtree(partition)


async def read_from_the_beginning(world: World, group: str, topics: Sequence[str]) -> None:
    """What kafka-consumer-groups.sh --reset-offsets --to-earliest does."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=world.bootstrap, group_id=group, enable_auto_commit=False
    )
    await consumer.start()
    try:
        partitions = [
            TopicPartition(topic, number)
            for topic in topics
            for number in await world.producer.partitions_for(topic)
        ]
        consumer.assign(partitions)
        await consumer.commit(await consumer.beginning_offsets(partitions))
    finally:
        await consumer.stop()


@pytest.mark.kafka
async def test_offset_beyond_end(world: World, kafka: KafkaServer, tmp_path: Path) -> None:
    """A disk is lost with events that nobody had accepted: by the book, all are erased."""
    people = [Person() for _ in range(8)]
    await world.stores.add(*people)
    accepted, lost = [[erasure(one) for one in some] for some in (people[:4], people[4:])]
    async with running(world):
        await world.publish(*accepted)
        await world.until_told(*accepted)
        await until_well(world)
    await alone(world)
    await world.publish(*lost)
    kafka.kill()
    lose(tmp_path / "kafka", names.REQUESTS, names.commands("crm"))
    kafka.start()

    async def shown() -> bool:
        seen = await scrape(world)
        beyond = number(seen, BEYOND, "erasure_group_beyond_end_messages", group=names.INTAKE_GROUP)
        return beyond == len(accepted)

    with follow(world, BEYOND) as words:
        async with running(world):
            await world.until(shown, "the metric shows it")
            said = await until_told(world, "offset-beyond-end", BEYOND)
            assert f"{names.INTAKE_GROUP} has read 4 messages more than its topics hold" in said
        await alone(world)
        await words.type("topics check")
        assert "existed" in await words.type("topics create")
        said = await words.type("status", expect=Exit.ALARM)
        for group in (names.INTAKE_GROUP, names.group_of("crm")):
            assert f"{group} has read" in said
        await read_from_the_beginning(world, names.INTAKE_GROUP, names.INBOUND)
        await read_from_the_beginning(world, names.group_of("crm"), [names.commands("crm")])
        with words.start("run") as worker:
            assert "offset-beyond-end" not in await status(world)
            await world.publish(*accepted, *lost)
            await world.until_told(*accepted, *lost)
            await until_well(world)
            assert await worker.stop() == 0
    left = await world.stores.dump()
    assert [traces(left, person) for person in people] == [{}] * len(people)
