"""What the worker says on its topics, as any system of the company could read it."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition

from topics import names
from topics.writing import event_key
from worker.demo.upstream import SOURCE, Said

_TOPICS = (names.RECEIPTS, names.COMPLETED, names.REJECTED, names.SUPPRESSIONS)


@dataclass(frozen=True, slots=True)
class Receipt:
    """One case settled in one store, as published."""

    store: str
    outcomes: list[dict[str, Any]]
    settled_at: str
    grounds: Mapping[str, Mapping[str, Any]]
    """The terms of the grounds that keep something, by name."""


class Outbound:
    """Reads the worker's topics from their beginning and keeps what they said."""

    def __init__(self, bootstrap: str) -> None:
        self.receipts: dict[str, list[Receipt]] = defaultdict(list)
        """By the id of the case."""
        self.rejections: list[tuple[bytes, dict[str, Any]]] = []
        """Each as it was published, and read."""
        self._completions: dict[bytes, list[dict[str, Any]]] = defaultdict(list)
        self._suppressions: dict[bytes, list[Mapping[str, Any] | None]] = defaultdict(list)
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=bootstrap, auto_offset_reset="earliest", enable_auto_commit=False
        )
        self._reading: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Connect and begin to read."""
        await self._consumer.start()
        partitions = [
            TopicPartition(topic.name, partition)
            for topic in names.catalogue(())
            if topic.name in _TOPICS
            for partition in range(topic.partitions)
        ]
        self._consumer.assign(partitions)
        self._reading = asyncio.create_task(self._read())

    async def stop(self) -> None:
        """Stop reading and disconnect."""
        if self._reading is not None:
            self._reading.cancel()
            with suppress(asyncio.CancelledError):
                await self._reading
        await self._consumer.stop()

    def completions(self, said: Said) -> list[dict[str, Any]]:
        """What was published about an event: nothing, or that it is done with."""
        return self._completions.get(event_key(SOURCE, said.id), [])

    def completed(self) -> int:
        """How many events are done with."""
        return len(self._completions)

    def suppressions(self, key: bytes) -> list[Mapping[str, Any] | None]:
        """What was published about one pseudonym, oldest first; None is a tombstone."""
        return self._suppressions.get(key, [])

    def check(self) -> None:
        """Raise what ended the reading, if anything did."""
        if self._reading is not None and self._reading.done():
            self._reading.result()

    async def _read(self) -> None:
        while True:
            fetched = await self._consumer.getmany(timeout_ms=500, max_records=2_000)
            for messages in fetched.values():
                for message in messages:
                    self._keep(message.topic, message.key, message.value)

    def _keep(self, topic: str, key: bytes, value: bytes | None) -> None:
        said = orjson.loads(value) if value is not None else None
        if topic == names.SUPPRESSIONS:
            self._suppressions[key].append(said)
        elif said is None or value is None:
            return
        elif topic == names.COMPLETED:
            self._completions[key].append(said)
        elif topic == names.REJECTED:
            self.rejections.append((value, said))
        else:
            # One message for all the cases that were settled together, or for a single one.
            for case in said.get("cases", [said]):
                receipt = Receipt(
                    said["store"], case["outcomes"], said["settled_at"], said.get("grounds", {})
                )
                self.receipts[case["case"]].append(receipt)
