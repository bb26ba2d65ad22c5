"""Create the topics of the catalogue on a broker, list them, and compare them with it.

Every function may raise :class:`aiokafka.errors.KafkaError` when the broker cannot be reached.
Brokers differ in what they can do: one that does not take or tell a topic's settings is no error,
but it is said, never passed over.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import (
    InvalidConfigurationError,
    InvalidRequestError,
    KafkaError,
    TopicAlreadyExistsError,
    UnsupportedVersionError,
    for_code,
)

from topics.names import Topic

REPLICAS: Final = 3
"""Copies of a topic, or as many as there are brokers if they are fewer."""

_NO_SETTINGS: Final = (InvalidConfigurationError, InvalidRequestError, UnsupportedVersionError)
_TIMEOUT_MS: Final = 15_000


class Made(StrEnum):
    """What came of creating a topic."""

    CREATED = "created"
    EXISTED = "existed"
    """It was there and was not touched; :func:`compare` says whether it is as it should be."""
    CREATED_PLAIN = "created without its settings"
    """The broker does not take settings: clean-up and retention are whatever it does."""


class TopicFailed(Exception):
    """A broker refused to create a topic."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One point in which a topic on the broker is not as the catalogue has it.

    ``setting`` is ``topic``, ``partitions``, ``cleanup.policy`` or ``retention.ms`` (the last two
    are Kafka's names); ``found`` is None where the broker does not say, so that nobody can compare.
    """

    topic: str
    setting: str
    wanted: str
    found: str | None

    @property
    def comparable(self) -> bool:
        """Whether it is known to differ; otherwise nobody knows."""
        return self.found is not None

    def __str__(self) -> str:
        """What is wrong and what to do about it, in one line."""
        if self.found is None:
            return (
                f"{self.topic}: cannot compare {self.setting} (wanted {self.wanted}): this broker "
                "does not tell its settings; check it with the broker's own tools"
            )
        if self.setting == "topic":
            return f"{self.topic}: missing; run erasure topics create"
        todo = "raise it" if self._too_few() else "alter the topic"
        return (
            f"{self.topic}: {self.setting} is {self.found}, wanted {self.wanted}; {todo} with the "
            "broker's own tools"
        )

    def _too_few(self) -> bool:
        return self.setting == "partitions" and int(self.found or 0) < int(self.wanted)


async def create(bootstrap: str, catalogue: Iterable[Topic]) -> dict[str, Made]:
    """Create what is missing of the catalogue; what exists is left as it is.

    ``bootstrap`` is ``host:port``, or several with commas. Raises TopicFailed when the broker
    refuses one; those before it then exist, and creating again goes on from there.
    """
    async with _client(bootstrap) as client:
        brokers = len((await client.describe_cluster())["brokers"])
        there = await _partitions(client)
        made = {}
        for topic in catalogue:
            if topic.name in there:
                made[topic.name] = Made.EXISTED
            else:
                made[topic.name] = await _create(client, topic, max(1, min(REPLICAS, brokers)))
        return made


async def present(bootstrap: str) -> dict[str, int]:
    """Every topic on the broker with its number of partitions, ours or not."""
    async with _client(bootstrap) as client:
        return await _partitions(client)


async def compare(bootstrap: str, catalogue: Iterable[Topic]) -> list[Difference]:
    """Where the broker's topics are not as the catalogue has them; empty when all is well.

    Topics that are not in the catalogue are nobody's business here.
    """
    wanted = tuple(catalogue)
    async with _client(bootstrap) as client:
        there = await _partitions(client)
        settings = await _settings(client, [topic.name for topic in wanted if topic.name in there])
    return [
        difference
        for topic in wanted
        for difference in differences(topic, there.get(topic.name), settings.get(topic.name, {}))
    ]


def differences(
    topic: Topic, partitions: int | None, settings: Mapping[str, str]
) -> list[Difference]:
    """One topic against what the broker says: partitions (None: no such topic) and settings."""
    if partitions is None:
        return [Difference(topic.name, "topic", "to exist", "missing")]
    found = []
    if partitions != topic.partitions:
        found.append(Difference(topic.name, "partitions", str(topic.partitions), str(partitions)))
    for setting, wanted in _wanted(topic).items():
        if settings.get(setting) != wanted:
            found.append(Difference(topic.name, setting, wanted, settings.get(setting)))
    return found


def _wanted(topic: Topic) -> dict[str, str]:
    settings: dict[str, str] = {"cleanup.policy": topic.cleanup}
    if topic.retention_ms is not None:
        settings["retention.ms"] = str(topic.retention_ms)
    return settings


@asynccontextmanager
async def _client(bootstrap: str) -> AsyncIterator[Any]:
    client = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=_TIMEOUT_MS)
    try:
        await client.start()
        yield client
    finally:
        await client.close()


async def _partitions(client: Any) -> dict[str, int]:
    # Always ask for all: some brokers create a topic when they are asked for it by name.
    return {topic["topic"]: len(topic["partitions"]) for topic in await client.describe_topics()}


async def _create(client: Any, topic: Topic, replicas: int) -> Made:
    error = await _try(client, topic, replicas, _wanted(topic))
    made = Made.CREATED
    if error is not None and issubclass(error, _NO_SETTINGS):
        error = await _try(client, topic, replicas, {})
        made = Made.CREATED_PLAIN
    if error is None:
        return made
    if issubclass(error, TopicAlreadyExistsError):  # somebody else was faster
        return Made.EXISTED
    raise TopicFailed(
        f"the broker refused to create {topic.name} ({error.__name__}); create it with the "
        "broker's own tools, or give the worker's user the right to, and try again"
    )


async def _try(
    client: Any, topic: Topic, replicas: int, settings: Mapping[str, str]
) -> type[KafkaError] | None:
    new = NewTopic(topic.name, topic.partitions, replicas, topic_configs=dict(settings))
    try:
        answer = await client.create_topics([new])
    except _NO_SETTINGS as error:
        return type(error)
    code = int(answer.topic_errors[0][1])
    return None if code == 0 else for_code(code)


async def _settings(client: Any, names: Sequence[str]) -> dict[str, dict[str, str]]:
    """Settings by topic as far as the broker tells them."""
    if not names:
        return {}
    resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    try:
        answers = await client.describe_configs(resources)
    except KafkaError:  # it has no such request: the topics themselves were just listed
        return {}
    return {
        name: {entry[0]: entry[1] for entry in entries}
        for answer in answers
        for code, _, _, name, entries in answer.resources
        if code == 0
    }
