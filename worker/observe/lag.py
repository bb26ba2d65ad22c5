"""Kafka's own view of what waits: how far each consumer group is from the end of its topics.

A second view only: what waits stands in the ledger, and that is what counts. This one shows a
broker that came back without its messages (places beyond the end, or with others before them) and
messages that no command stands behind.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    KafkaError,
    TopicAuthorizationFailedError,
)
from aiokafka.structs import OffsetAndMetadata

from topics import names
from topics.groups import partitions_of
from topics.places import Mark, mark_of, replaced

TIMEOUT_MS: Final = 5_000
FETCH_BYTES: Final = 65_536
"""Of a partition at a time, when one message of it is looked at."""
_REFUSED: Final = (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    TopicAuthorizationFailedError,
)


class BrokerAway(Exception):
    """The broker does not answer: nothing is known of its groups now."""


class GroupsHidden(BrokerAway):
    """The broker does not let this login see them."""


@dataclass(frozen=True, slots=True)
class GroupLag:
    """One consumer group: messages to the end, and how many the broker has lost at the least.

    Those are what its place lies beyond the end, and one where another message stands before it.
    ``marks`` are its places' own.
    """

    messages: int
    beyond: int
    marks: Mapping[TopicPartition, Mark] = field(default_factory=dict)


def groups_of(stores: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """The topics of each group that a worker reads with."""
    found: dict[str, tuple[str, ...]] = {names.INTAKE_GROUP: tuple(names.INBOUND)}
    for store in stores:
        found[names.group_of(store)] = (names.commands(store),)
        found[names.sweeps_group_of(store)] = (names.sweeps(store),)
    return found


async def group_lags(
    bootstrap: str, stores: Iterable[str], known: Mapping[str, GroupLag] | None = None
) -> dict[str, GroupLag]:
    """Read how far every group is. Raises BrokerAway.

    Not for a broker whose ends are wrong, as those of the embedded one are for batches.

    Args:
        bootstrap: where the broker is.
        stores: whose groups it is about, with intake's.
        known: what was read before, empty the first time: then the messages at their marks are read
            again, and else at the places' own. None reads no message.
    """
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        request_timeout_ms=TIMEOUT_MS,
        auto_offset_reset="none",
        max_partition_fetch_bytes=FETCH_BYTES,
    )
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=TIMEOUT_MS)
    try:
        await consumer.start()
        await admin.start()
        wanted = groups_of(stores)
        topics = {topic for some in wanted.values() for topic in some}
        partitions = await partitions_of(admin, topics)
        # Before the ends: what is read meanwhile must not look as if it lay beyond them.
        answers = await asyncio.gather(*map(admin.list_consumer_group_offsets, wanted))
        places = {
            group: {at: one for at, one in committed.items() if one.offset >= 0}
            for group, committed in zip(wanted, answers, strict=True)
        }
        ends = await _ends(consumer, partitions)
        lost: set[TopicPartition] = set()
        if known is not None:
            marks = _all(map(_marks, places.values())) | _all(one.marks for one in known.values())
            lost = await _lost(consumer, marks, ends)
        return {
            group: _lag(
                committed, {at: end for at, end in ends.items() if at.topic in wanted[group]}, lost
            )
            for group, committed in places.items()
        }
    except _REFUSED as error:
        raise GroupsHidden(type(error).__name__) from None
    except (KafkaError, OSError, TimeoutError) as error:
        raise BrokerAway(type(error).__name__) from None
    finally:
        await consumer.stop()
        await admin.close()


async def _ends(
    consumer: AIOKafkaConsumer, partitions: list[TopicPartition]
) -> dict[TopicPartition, int]:
    ends: dict[TopicPartition, int] = await consumer.end_offsets(partitions)
    return ends


async def _lost(
    consumer: AIOKafkaConsumer,
    marks: Mapping[TopicPartition, Mark],
    ends: Mapping[TopicPartition, int],
) -> set[TopicPartition]:
    """The partitions without the message at their mark; what was kept long enough may be gone."""
    marks = {at: mark for at, mark in marks.items() if at in ends}
    begins = await consumer.beginning_offsets(list(marks))
    kept = {at: mark for at, mark in marks.items() if mark.offset >= begins[at]}
    beyond = {at for at, mark in kept.items() if mark.offset >= ends[at]}
    within = {at: mark for at, mark in kept.items() if at not in beyond}
    return beyond | await replaced(consumer, within)


def _marks(committed: Mapping[TopicPartition, OffsetAndMetadata]) -> dict[TopicPartition, Mark]:
    marks = {at: mark_of(one) for at, one in committed.items()}
    return {at: mark for at, mark in marks.items() if mark is not None}


def _all(marks: Iterable[Mapping[TopicPartition, Mark]]) -> dict[TopicPartition, Mark]:
    return {at: mark for some in marks for at, mark in some.items()}


def _lag(
    committed: Mapping[TopicPartition, OffsetAndMetadata],
    ends: Mapping[TopicPartition, int],
    lost: Collection[TopicPartition],
) -> GroupLag:
    """A partition of which nothing was committed yet is read from its beginning."""
    places = {at: committed[at].offset if at in committed else 0 for at in ends}
    return GroupLag(
        sum(max(0, end - places[at]) for at, end in ends.items()),
        sum(max(at in lost, places[at] - end) for at, end in ends.items()),
        _marks(committed),
    )
