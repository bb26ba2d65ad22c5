"""Topics on a broker, against a stand-in for the admin client with the answers of real brokers."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.admin import NewTopic
from aiokafka.errors import UnsupportedVersionError

from topics import admin
from topics.admin import Made, compare, create, differences, present
from topics.names import Topic, catalogue

CATALOGUE = catalogue(["crm"])
CONSENT = CATALOGUE[0]


class Broker:
    """What a cluster holds, and what it refuses: error codes of Kafka's protocol."""

    def __init__(self) -> None:
        self.topics: dict[str, NewTopic] = {}
        self.brokers = 1
        self.refuse: dict[str, int] = {}
        self.refuse_settings = 0
        self.tells_settings = True
        self.closed = 0

    async def start(self) -> None: ...

    async def close(self) -> None:
        self.closed += 1

    async def describe_cluster(self) -> dict[str, Any]:
        return {"brokers": [{}] * self.brokers}

    async def describe_topics(self, names: list[str] | None = None) -> list[dict[str, Any]]:
        assert names is None, "asking for a topic by name would create it on some brokers"
        return [
            {"topic": topic.name, "partitions": [{}] * topic.num_partitions}
            for topic in self.topics.values()
        ]

    async def create_topics(self, new: list[NewTopic]) -> Any:
        code = self.refuse.get(new[0].name, 0)
        if not code and new[0].topic_configs:
            code = self.refuse_settings
        if not code:
            self.topics[new[0].name] = new[0]
        return SimpleNamespace(topic_errors=[(new[0].name, code, None)])

    async def describe_configs(self, resources: list[Any]) -> list[Any]:
        if not self.tells_settings:
            raise UnsupportedVersionError
        return [
            SimpleNamespace(
                resources=[
                    (0, "", 2, one.name, list(self.topics[one.name].topic_configs.items()))
                    for one in resources
                ]
            )
        ]


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> Broker:
    """A broker without topics, behind the admin client."""
    one = Broker()
    monkeypatch.setattr(admin, "AIOKafkaAdminClient", lambda **_: one)
    return one


async def test_create_makes_what_is_missing_and_leaves_the_rest(broker: Broker) -> None:
    """The second time nothing is created; afterwards the broker is as the catalogue has it."""
    assert set((await create("b:1", CATALOGUE)).values()) == {Made.CREATED}
    assert set((await create("b:1", CATALOGUE)).values()) == {Made.EXISTED}
    assert await present("b:1") == {topic.name: topic.partitions for topic in CATALOGUE}
    assert await compare("b:1", CATALOGUE) == []
    assert broker.closed == 4


@pytest.mark.parametrize(("brokers", "copies"), [(1, 1), (2, 2), (5, 3)])
async def test_copies_follow_the_number_of_brokers(
    broker: Broker, brokers: int, copies: int
) -> None:
    """A topic is kept three times, or as often as there are brokers."""
    broker.brokers = brokers
    await create("b:1", [CONSENT])
    assert broker.topics[CONSENT.name].replication_factor == copies


async def test_a_broker_that_takes_no_settings_is_said_to_take_none(broker: Broker) -> None:
    """The topic is made without them, and both creating and comparing say so."""
    broker.refuse_settings = 40  # INVALID_CONFIG
    assert await create("b:1", [CONSENT]) == {CONSENT.name: Made.CREATED_PLAIN}
    found = await compare("b:1", [CONSENT])
    assert [(one.setting, one.comparable) for one in found] == [
        ("cleanup.policy", False),
        ("retention.ms", False),
    ]


async def test_a_broker_that_tells_no_settings_cannot_be_compared(broker: Broker) -> None:
    """Not knowing is reported as not knowing, neither as a difference nor as agreement."""
    broker.tells_settings = False
    await create("b:1", [CONSENT])
    lines = [str(one) for one in await compare("b:1", [CONSENT])]
    assert len(lines) == 2
    assert all("cannot compare" in line for line in lines)


async def test_a_topic_that_somebody_else_made_meanwhile_existed(broker: Broker) -> None:
    """Two workers that create at once do not fail."""
    broker.refuse[CONSENT.name] = 36  # TOPIC_ALREADY_EXISTS
    assert await create("b:1", [CONSENT]) == {CONSENT.name: Made.EXISTED}


async def test_a_refusal_names_the_topic_and_what_to_do(broker: Broker) -> None:
    """Without the right to create, the operator is told which topic and what next."""
    broker.refuse[CONSENT.name] = 29  # TOPIC_AUTHORIZATION_FAILED
    with pytest.raises(admin.TopicFailed, match=r"privacy\.consent .*TopicAuthorization.* right"):
        await create("b:1", [CONSENT])
    assert broker.closed == 1


async def test_a_missing_topic_and_foreign_topics(broker: Broker) -> None:
    """What is missing is one difference; a topic of somebody else is none."""
    await create("b:1", [Topic("theirs", 1, "delete", None, "")])
    assert [str(one) for one in await compare("b:1", [CONSENT])] == [
        "privacy.consent: missing; run erasure topics create"
    ]


def test_each_point_of_difference_is_told() -> None:
    """Partitions, clean-up and retention are each compared, with what was found."""
    settings = {"cleanup.policy": "compact", "retention.ms": "1"}
    found = differences(CONSENT, 3, settings)
    assert [(one.setting, one.found) for one in found] == [
        ("partitions", "3"),
        ("cleanup.policy", "compact"),
        ("retention.ms", "1"),
    ]
    assert "raise it" in str(found[0])
    more = dataclasses.replace(found[0], found="9")
    assert "raise it" not in str(more)
