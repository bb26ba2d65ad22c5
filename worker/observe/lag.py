"""Kafka's own view of what waits: how far each consumer group is from the end of its topics.

A second view only: what waits stands in the ledger, and that is what counts. This one shows a
broker that came back empty (offsets beyond the end) and messages that no command stands behind.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    KafkaError,
    TopicAuthorizationFailedError,
)

from topics import names
from topics.groups import partitions_of

TIMEOUT_MS: Final = 5_000
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
    """One consumer group: messages to the end, and how far it has committed beyond the end."""

    messages: int
    beyond: int


def groups_of(stores: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """The topics of each group that a worker reads with."""
    found: dict[str, tuple[str, ...]] = {names.INTAKE_GROUP: tuple(names.INBOUND)}
    for store in stores:
        found[names.group_of(store)] = (names.commands(store),)
        found[names.sweeps_group_of(store)] = (names.sweeps(store),)
    return found


async def group_lags(bootstrap: str, stores: Iterable[str]) -> dict[str, GroupLag]:
    """Read how far every group is. Raises BrokerAway.

    Not for a broker whose ends are wrong, as those of the embedded one are for batches.
    """
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, request_timeout_ms=TIMEOUT_MS)
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=TIMEOUT_MS)
    try:
        await consumer.start()
        await admin.start()
        wanted = groups_of(stores)
        topics = {topic for some in wanted.values() for topic in some}
        ends = await _ends(consumer, await partitions_of(admin, topics))
        places = await asyncio.gather(*map(admin.list_consumer_group_offsets, wanted))
        return {
            group: _lag(
                {at: one.offset for at, one in committed.items() if one.offset >= 0},
                {at: end for at, end in ends.items() if at.topic in wanted[group]},
            )
            for group, committed in zip(wanted, places, strict=True)
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


def _lag(committed: Mapping[TopicPartition, int], ends: Mapping[TopicPartition, int]) -> GroupLag:
    """A partition of which nothing was committed yet is read from its beginning."""
    return GroupLag(
        sum(max(0, end - committed.get(at, 0)) for at, end in ends.items()),
        sum(max(0, committed.get(at, 0) - end) for at, end in ends.items()),
    )
