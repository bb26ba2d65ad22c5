"""Publishing: many messages at once, each acknowledged before the caller goes on."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Sequence
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from worker.context import Outgoing, PublishFailed
from worker.observe.tracing import Tracing

Carried = list[tuple[str, bytes]]
"""Headers as the client takes them: a list, nothing else."""


class KafkaPublisher:
    """Puts messages on topics through one producer.

    A message's partition is the CRC-32 of its key modulo the number of partitions, as librdkafka
    calls *consistent*: the same key always meets the same partition, which a compacted topic
    needs. Messages are packed into batches per partition by hand: a call per message costs more
    than all the rest.
    """

    def __init__(self, bootstrap: str, *, idempotent: bool, tracing: Tracing) -> None:
        self._options: dict[str, Any] = {
            "bootstrap_servers": bootstrap,
            "acks": "all",
            "enable_idempotence": idempotent,
            "request_timeout_ms": 30_000,
            "metadata_max_age_ms": 60_000,
        }
        self._producer: AIOKafkaProducer | None = None
        self._starting = asyncio.Lock()
        self._tracing = tracing

    async def send(self, topic: str, messages: Sequence[Outgoing]) -> None:
        """Return when the broker has acknowledged each message; raise PublishFailed otherwise."""
        if not messages:
            return
        with self._tracing.sending(topic, len(messages)) as headers:
            await self._send(topic, messages, list(headers))

    async def _send(self, topic: str, messages: Sequence[Outgoing], headers: Carried) -> None:
        try:
            producer = await self._started()
            partitions = sorted(await producer.partitions_for(topic))
            waiting = []
            for partition, group in _by_partition(messages, partitions).items():
                waiting += await _enqueue(producer, topic, partition, group, headers)
            for acknowledged in await asyncio.gather(*waiting, return_exceptions=True):
                if isinstance(acknowledged, BaseException):
                    raise acknowledged
        except (KafkaError, OSError, TimeoutError) as error:
            # A broker that comes back may refuse even what an idempotent producer sends
            # (UnknownTopicOrPartition): any failure is tried again, from the ledger.
            raise PublishFailed(f"{topic}: {type(error).__name__}") from None

    async def _started(self) -> AIOKafkaProducer:
        async with self._starting:
            if self._producer is None:
                producer = AIOKafkaProducer(**self._options)
                try:
                    await producer.start()
                except BaseException:
                    await producer.stop()
                    raise
                self._producer = producer
        return self._producer

    async def close(self) -> None:
        """Send what is buffered and disconnect."""
        if self._producer is not None:
            await self._producer.stop()
            self._producer = None


def _by_partition(
    messages: Sequence[Outgoing], partitions: Sequence[int]
) -> dict[int, list[Outgoing]]:
    groups: dict[int, list[Outgoing]] = {}
    for message in messages:
        key = message[0]
        at = zlib.crc32(key) % len(partitions) if key is not None else 0
        groups.setdefault(partitions[at], []).append(message)
    return groups


async def _enqueue(
    producer: AIOKafkaProducer,
    topic: str,
    partition: int,
    messages: Sequence[Outgoing],
    headers: Carried,
) -> list[asyncio.Future[Any]]:
    """Pack messages into as few batches as they need; return the acknowledgements to wait for."""
    waiting: list[asyncio.Future[Any]] = []
    batch = producer.create_batch()
    for key, value in messages:
        if batch.append(key=key, value=value, timestamp=None, headers=headers) is None:
            waiting.append(await producer.send_batch(batch, topic, partition=partition))
            batch = producer.create_batch()
            if batch.append(key=key, value=value, timestamp=None, headers=headers) is None:
                # Larger than a whole batch may be: the producer's own way says what it thinks.
                waiting.append(
                    await producer.send(topic, value, key=key, partition=partition, headers=headers)
                )
    if batch.record_count():
        waiting.append(await producer.send_batch(batch, topic, partition=partition))
    return waiting
