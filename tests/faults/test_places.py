"""Marked places on an Apache Kafka: what shows that the broker lost what was read, what not."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from unittest.mock import patch

import pytest
import pytest_asyncio
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic, RecordsToDelete
from aiokafka.structs import OffsetAndMetadata

from topics import names
from topics.places import Mark, Marks
from worker.observe.lag import GroupLag, group_lags

pytestmark = pytest.mark.kafka

STORE = "crm"
GROUP, TOPIC = names.group_of(STORE), names.commands(STORE)
AT = TopicPartition(TOPIC, 0)
WRITTEN = 1_700_000_000_000
"""When the first message says it was written (ms); the others follow it."""


class Log:
    """A topic of one partition and the place of its group, on a real broker."""

    def __init__(self, bootstrap: str, admin: AIOKafkaAdminClient) -> None:
        self.bootstrap = bootstrap
        self.admin = admin

    async def write(self, count: int, first: int = WRITTEN, transaction: str | None = None) -> None:
        """Append messages, in a transaction when it has a name."""
        producer = AIOKafkaProducer(bootstrap_servers=self.bootstrap, transactional_id=transaction)
        async with producer:
            if transaction:
                await producer.begin_transaction()
            for at in range(count):
                await producer.send_and_wait(TOPIC, b"x", partition=0, timestamp_ms=first + at)
            if transaction:
                await producer.commit_transaction()

    async def read(self, upto: int) -> None:
        """Read so far, and commit the place as a worker does."""
        marks = Marks()
        async with AIOKafkaConsumer(
            bootstrap_servers=self.bootstrap, group_id=GROUP, enable_auto_commit=False
        ) as consumer:
            consumer.assign([AT])
            consumer.seek(AT, 0)
            offset = -1
            while offset < upto - 1:
                one = await consumer.getone()
                offset = one.offset
                marks.read(AT, offset, one.timestamp)
            await consumer.commit({AT: marks.place(AT, upto)})

    async def anew(self) -> None:
        """Lose all messages: the topic is another, of the same name, and the place stays."""
        committed = (await self.admin.list_consumer_group_offsets(GROUP))[AT]
        await self.admin.delete_topics([TOPIC])
        await make(self.admin)
        await self.move(committed)

    async def move(self, place: OffsetAndMetadata, group: str = GROUP) -> None:
        """Set the place of a group by hand."""
        async with AIOKafkaConsumer(
            bootstrap_servers=self.bootstrap, group_id=group, enable_auto_commit=False
        ) as consumer:
            consumer.assign([AT])
            await consumer.commit({AT: place})

    async def seen(self, known: dict[str, GroupLag] | None = None) -> dict[str, GroupLag]:
        """What a look finds; by default a first one."""
        return await group_lags(self.bootstrap, [STORE], {} if known is None else known)

    async def lost(self, known: dict[str, GroupLag] | None = None) -> int:
        """How many messages a look finds to be lost."""
        return (await self.seen(known))[GROUP].beyond


async def make(admin: AIOKafkaAdminClient) -> None:
    """Make the topic, as soon as the one before is gone."""
    while TOPIC not in await admin.list_topics():
        await admin.create_topics([NewTopic(TOPIC, 1, 1)])


@pytest_asyncio.fixture
async def log(fresh_broker: str) -> AsyncIterator[Log]:
    """An empty one."""
    admin = AIOKafkaAdminClient(bootstrap_servers=fresh_broker)
    await admin.start()
    try:
        await make(admin)
        made = Log(fresh_broker, admin)
        # A new broker makes its own topic of places first, and tells of none until then.
        await made.move(OffsetAndMetadata(0, ""), group="somebody-else")
        yield made
    finally:
        await admin.close()


async def test_what_is_read_again_is_what_was_read(log: Log) -> None:
    """A group that has read nothing, something, everything: nothing is lost, at any look."""
    assert await log.lost() == 0
    await log.write(5)
    before = await log.seen()
    for upto in (2, 5):
        await log.read(upto)
        after = await log.seen(before)
        assert (after[GROUP].messages, after[GROUP].beyond) == (5 - upto, 0)
        assert after[GROUP].marks == {AT: Mark(upto - 1, WRITTEN + upto - 1)}
        before = after


@pytest.mark.parametrize("more", [2, 3, 7])
async def test_others_stand_where_it_had_read(log: Log, more: int) -> None:
    """Also when so much has come that the place is not beyond the end: it is one at the least."""
    await log.write(3)
    await log.read(3)
    await log.anew()
    assert await log.lost() == 3
    await log.write(more, WRITTEN + 1_000)
    assert await log.lost() == 1


async def test_a_reader_that_went_on_does_not_hide_it(log: Log) -> None:
    """Its place is a good one by now; what stood at the look before is not there any more."""
    await log.write(3)
    await log.read(3)
    before = await log.seen()
    await log.anew()
    await log.write(7, WRITTEN + 1_000)
    await log.read(7)
    assert await log.lost() == 0
    assert await log.lost(before) == 1


async def test_what_a_transaction_leaves_is_no_message(log: Log) -> None:
    """Its marker stands where a message was, and is the last that the topic holds."""
    await log.write(3)
    await log.read(3)
    await log.anew()
    await log.write(2, transaction="upstream")
    assert await log.lost() == 1


async def test_what_was_kept_long_enough_is_not_lost(log: Log) -> None:
    """Kafka deletes what is old, whether it was read or not."""
    await log.write(5)
    await log.read(3)
    before = await log.seen()
    await log.admin.delete_records({AT: RecordsToDelete(4)})
    assert await log.lost() == 0
    assert await log.lost(before) == 0


async def test_a_place_without_a_mark_is_believed(log: Log) -> None:
    """One that was moved by hand, or that an older worker left."""
    await log.write(3)
    for told in ("", "somebody's own words", "read:", "read:soon"):
        await log.move(OffsetAndMetadata(2, told))
        assert await log.lost() == 0
    await log.move(OffsetAndMetadata(4, ""))
    assert await log.lost() == 1


async def test_what_is_read_during_a_look_is_not_lost(log: Log) -> None:
    """More comes and is read between two questions of one look: that is no alarm."""
    await log.write(3)
    await log.read(3)
    asked = AIOKafkaAdminClient.list_consumer_group_offsets

    async def meanwhile(self: Any, group: str) -> Any:
        if group == GROUP:
            await log.write(2, WRITTEN + 3)
            with patch.object(AIOKafkaAdminClient, "list_consumer_group_offsets", asked):
                await log.read(5)
        return await asked(self, group)

    with patch.object(AIOKafkaAdminClient, "list_consumer_group_offsets", meanwhile):
        assert await log.lost() == 0
