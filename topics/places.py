"""A consumer group's place, marked with when the message before it was written.

A broker that has lost its messages and taken in as many new ones holds a place that looks right:
what is new below it would be skipped. But before the place stands another message now, and the mark
shows it. Kafka keeps a line of text with each place; the mark is that line.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.structs import OffsetAndMetadata

LOOK_SECONDS: Final = 10.0
_READ: Final = "read:"


@dataclass(frozen=True, slots=True)
class Mark:
    """The last message that a group has read of a partition, and its timestamp (ms)."""

    offset: int
    timestamp: int


class Replaced(Exception):
    """The broker holds another message where one was read: end, and look what it has lost."""


class Marks:
    """When the messages in hand were written; what to commit for a place among them.

    Faust reads in one thread and commits in another.
    """

    def __init__(self) -> None:
        self._written: dict[TopicPartition, dict[int, int]] = {}
        self._lock = Lock()

    def read(self, partition: TopicPartition, offset: int, timestamp: int) -> None:
        """Remember a message, until a place behind it is asked for. Raises Replaced."""
        with self._lock:
            written = self._written.setdefault(TopicPartition(*partition), {})
            known = written.setdefault(offset, timestamp)
        if known != timestamp:
            raise Replaced(
                "the broker holds another message where one was read; start the worker again: it "
                "finds out what is lost; docs/runbook.md#offset-beyond-end"
            )

    def place(self, partition: TopicPartition, offset: int) -> OffsetAndMetadata:
        """The place with its mark; without one where the message before it is not known."""
        with self._lock:
            written = self._written.get(TopicPartition(*partition), {})
            # The message before stays: the same place may be committed again.
            for old in [one for one in written if one < offset - 1]:
                del written[old]
            timestamp = written.get(offset - 1)
        return OffsetAndMetadata(offset, "" if timestamp is None else f"{_READ}{timestamp}")


def mark_of(place: OffsetAndMetadata) -> Mark | None:
    """The mark of a place; None where nobody has marked it, as where it was moved by hand."""
    timestamp = place.metadata.removeprefix(_READ)
    if timestamp == place.metadata or not timestamp.isdecimal():
        return None
    return Mark(place.offset - 1, int(timestamp))


async def replaced(
    consumer: AIOKafkaConsumer, marks: Mapping[TopicPartition, Mark]
) -> set[TopicPartition]:
    """The partitions in which something else stands at the mark, or nothing.

    Args:
        consumer: one without a group, that resets no place by itself; it is moved.
        marks: of messages between the beginning and the end of their partitions.

    Raises TimeoutError, and :class:`aiokafka.errors.KafkaError` when the broker does not answer.
    """
    left, found = dict(marks), set()
    consumer.assign(list(left))
    for partition, mark in left.items():
        consumer.seek(partition, mark.offset)
    async with asyncio.timeout(LOOK_SECONDS):
        while left:
            fetched = await consumer.getmany(timeout_ms=100)
            for partition, mark in list(left.items()):
                if partition in fetched:
                    first = fetched[partition][0]
                    if Mark(first.offset, first.timestamp) != mark:
                        found.add(partition)
                elif await consumer.position(partition) > mark.offset:
                    found.add(partition)  # No message: what a transaction leaves behind.
                else:
                    continue
                del left[partition]
                # What is known is not fetched again: a large message elsewhere needs the room.
                consumer.pause(partition)
    return found
