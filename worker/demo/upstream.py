"""The demo's upstream systems: they publish events as CloudEvents, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from topics.events import EventKind
from topics.names import INTAKE_GROUP
from topics.publishing import Mode, event_to_message

SOURCE = "/nordlys/demo"
"""The CloudEvents source of every event of the demo."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a message stands on the broker."""

    topic: str
    partition: int
    offset: int


@dataclass(frozen=True, slots=True)
class Said:
    """One event in the demo's words; ``subject`` maps kinds of identifiers to values."""

    id: str
    kind: EventKind
    subject: Mapping[str, str]
    purposes: Sequence[str] = ()
    channel: str = "preference-centre"
    time: datetime | None = None
    """When it happened; None: as it is published."""

    def event(self) -> dict[str, object]:
        """The event in the JSON format of CloudEvents."""
        time = self.time or datetime.now(UTC)
        data: dict[str, object] = {"subject": dict(self.subject), "channel": self.channel}
        if self.purposes:
            data["purposes"] = list(self.purposes)
        return {
            "source": SOURCE,
            "id": self.id,
            "type": self.kind.value,
            "time": time.isoformat(),
            "data": data,
        }


class Upstream:
    """Publishes events, and sees how far the worker has acknowledged them."""

    def __init__(self, bootstrap: str) -> None:
        self._producer = AIOKafkaProducer(bootstrap_servers=bootstrap, linger_ms=5)
        # It joins no group; it only asks how far the group of intake is.
        self._asking = AIOKafkaConsumer(
            bootstrap_servers=bootstrap, group_id=INTAKE_GROUP, enable_auto_commit=False
        )

    async def start(self) -> None:
        """Connect."""
        await self._producer.start()
        await self._asking.start()

    async def stop(self) -> None:
        """Disconnect."""
        await self._producer.stop()
        await self._asking.stop()

    async def publish(self, said: Said, mode: Mode = "structured") -> Place:
        """Publish one event; returns when the broker has it."""
        message = event_to_message(said.event(), mode)
        sent = await self._producer.send_and_wait(
            message.topic, message.value, key=message.key, headers=list(message.headers)
        )
        return Place(sent.topic, sent.partition, sent.offset)

    async def publish_raw(self, topic: str, value: bytes) -> Place:
        """Publish something that may be no event at all."""
        sent = await self._producer.send_and_wait(topic, value)
        return Place(sent.topic, sent.partition, sent.offset)

    async def publish_many(self, events: Iterable[Said]) -> None:
        """Publish a flood of events; returns when the broker has them all."""
        waiting = []
        for said in events:
            message = event_to_message(said.event())
            waiting.append(
                await self._producer.send(
                    message.topic, message.value, key=message.key, headers=list(message.headers)
                )
            )
        for acknowledged in waiting:
            await acknowledged

    async def acknowledged(self, place: Place) -> bool:
        """Whether intake has committed that it is done with the message at a place."""
        committed = await self._asking.committed(TopicPartition(place.topic, place.partition))
        return committed is not None and committed > place.offset
