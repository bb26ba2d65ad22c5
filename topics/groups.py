"""The places up to which consumer groups have read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import CommitFailedError, IllegalGenerationError, UnknownMemberIdError

TIMEOUT_MS: Final = 15_000


class GroupInUse(Exception):
    """A consumer still reads with a group: its place cannot be moved. The text says what to do."""


async def partitions_of(admin: AIOKafkaAdminClient, topics: Iterable[str]) -> list[TopicPartition]:
    """The partitions of topics; a topic that is not there has none."""
    # Not from a consumer: one that reads nothing never hears of any.
    described = await admin.describe_topics(sorted(topics))
    return [
        TopicPartition(one["topic"], partition["partition"])
        for one in described
        for partition in one["partitions"]
    ]


async def read_from_the_beginning(bootstrap: str, group: str, topics: Iterable[str]) -> None:
    """Let a group that nobody reads with begin anew with these topics.

    Raises GroupInUse, and :class:`aiokafka.errors.KafkaError` when the broker does not answer.
    """
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=TIMEOUT_MS)
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        group_id=group,
        enable_auto_commit=False,
        request_timeout_ms=TIMEOUT_MS,
    )
    try:
        await admin.start()
        await consumer.start()
        partitions = await partitions_of(admin, topics)
        if not partitions:
            return  # Of a store that the policy has no more, or of topics that are to be made yet.
        consumer.assign(partitions)
        await consumer.commit(await consumer.beginning_offsets(partitions))
    except (CommitFailedError, IllegalGenerationError, UnknownMemberIdError):
        raise GroupInUse(
            f"a worker still reads with {group}: stop it, or wait until the broker has given it up "
            "(a minute), then try again"
        ) from None
    finally:
        await consumer.stop()
        await admin.close()
