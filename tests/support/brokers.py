"""Fixtures that give a test a broker.

``broker``        one for the whole session; topics of earlier tests may be on it.
``fresh_broker``  one without any topic, for tests that use the worker's own topics.
``kafka``         an Apache Kafka of the test's own, to kill and to start again.

The first two are the cluster that KAFKA_BOOTSTRAP names, else the embedded broker. Apache Kafka
is started from the jars in the directory that KAFKA_JARS names. Tests that run side by side need a
cluster each, since some wipe theirs: KAFKA_BOOTSTRAP="one:9092 another:9092".
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient

from tests.support.kafka import KafkaServer
from worker.embedded.broker import EmbeddedBroker

BOOTSTRAP = "KAFKA_BOOTSTRAP"
JARS = "KAFKA_JARS"
MAY_WIPE = "KAFKA_MAY_WIPE"

_GONE_WITHIN_SECONDS = 30.0


def pytest_configure() -> None:
    """Let this process, one of several, have a cluster of its own."""
    process = os.environ.get("PYTEST_XDIST_WORKER", "")
    clusters = os.environ.get(BOOTSTRAP, "").split()
    if not process or not clusters:
        return
    number = int(process.removeprefix("gw"))
    if number >= len(clusters):
        raise pytest.UsageError(
            f"process {number + 1} of the tests has no cluster: name one for each in {BOOTSTRAP}"
        )
    os.environ[BOOTSTRAP] = clusters[number]


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Give the address of a broker that lives for the whole session, ``host:port``."""
    if named := os.environ.get(BOOTSTRAP):
        yield named
        return
    with EmbeddedBroker(tmp_path_factory.mktemp("broker")) as embedded:
        yield embedded.bootstrap


@pytest.fixture
def fresh_broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Give the address of a broker that has no topic yet.

    The embedded one is started anew. On a named cluster every topic is deleted, which the
    environment must allow: nobody's cluster is emptied because its address stood there.
    """
    if BOOTSTRAP not in os.environ:
        with EmbeddedBroker(tmp_path / "broker") as embedded:
            yield embedded.bootstrap
        return
    if os.environ.get(MAY_WIPE) != "yes":
        pytest.fail(
            f"this test deletes every topic of the cluster that {BOOTSTRAP} names; "
            f"set {MAY_WIPE}=yes if it is there for tests only"
        )
    address: str = request.getfixturevalue("broker")
    asyncio.run(wipe(address))
    yield address


@pytest.fixture(scope="session")
def kafka_jars() -> Path:
    """Give the directory with Apache Kafka's jars; without one, say how to bring them."""
    if named := os.environ.get(JARS):
        return Path(named).resolve()
    pytest.fail(f"{JARS} is not set; .ci/run brings the jars, see deploy/kafka/pom.xml")


@pytest.fixture
def kafka(kafka_jars: Path, tmp_path: Path) -> Iterator[KafkaServer]:
    """Give a running Apache Kafka that the test may kill and start again; mark it ``kafka``."""
    with KafkaServer(kafka_jars, tmp_path / "kafka") as server:
        yield server


async def wipe(address: str) -> None:
    """Delete all topics that are not the broker's own, and wait until they are gone."""
    admin = AIOKafkaAdminClient(bootstrap_servers=address)
    await admin.start()
    try:
        async with asyncio.timeout(_GONE_WITHIN_SECONDS):
            while topics := [t for t in await admin.list_topics() if not t.startswith("__")]:
                await admin.delete_topics(topics)
                await asyncio.sleep(0.05)
    finally:
        await admin.close()
