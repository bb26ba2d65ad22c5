"""The servers that tests and demo stand on: they start, come back, and leave nothing behind."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from tests.support.kafka import KafkaServer
from worker.embedded.broker import EmbeddedBroker
from worker.embedded.child import Child, ServerFailed, listens
from worker.embedded.postgres import EmbeddedPostgres

TOPIC = "embedded.test"


@pytest.fixture
def directory() -> Iterator[Path]:
    """Give a directory that a server with another user may reach, which pytest's own is not."""
    made = Path(tempfile.mkdtemp(prefix="erasure-test-"))
    yield made
    shutil.rmtree(made)


def _runs(pid: int | None) -> bool:
    try:
        os.kill(pid or 0, 0)
    except ProcessLookupError:
        return False
    return pid is not None


async def _send_and_read(bootstrap: str) -> list[bytes | None]:
    async with AIOKafkaProducer(bootstrap_servers=bootstrap) as producer:
        await producer.send_and_wait(TOPIC, b"one more", partition=0)
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    async with consumer:
        partition = TopicPartition(TOPIC, 0)
        consumer.assign([partition])
        await consumer.seek_to_beginning(partition)
        read: list[bytes | None] = [(await consumer.getone()).value]
        while await consumer.position(partition) < (consumer.highwater(partition) or 0):
            read.append((await consumer.getone()).value)
        return read


async def _create_topic(bootstrap: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(TOPIC, num_partitions=1, replication_factor=1)])
    finally:
        await admin.close()


async def test_the_embedded_broker_carries_a_message(fresh_broker: str) -> None:
    """A message sent to the broker that tests get is read from it again."""
    await _create_topic(fresh_broker)
    assert await _send_and_read(fresh_broker) == [b"one more"]


def test_the_embedded_broker_stops_after_an_exception(tmp_path: Path) -> None:
    """When the body raises, the broker's process has ended and its port is closed."""
    broker = EmbeddedBroker(tmp_path)
    pid = None
    with suppress(KeyboardInterrupt), broker:
        pid = broker.pid
        assert _runs(pid)
        raise KeyboardInterrupt
    assert not _runs(pid)
    assert not listens(int(broker.bootstrap.rpartition(":")[2]))


async def test_embedded_postgres_keeps_committed_rows_through_a_kill(directory: Path) -> None:
    """What was committed before a SIGKILL is there after the next start, at the same address."""
    with EmbeddedPostgres(directory) as postgres:
        postgres.create_database("kept")
        address = postgres.url("kept", "postgresql")
        connection = await asyncpg.connect(address)
        await connection.execute("CREATE TABLE row (n int); INSERT INTO row VALUES (7)")
        postgres.kill()
        assert postgres.pid is None
        postgres.start()
        connection = await asyncpg.connect(address)
        assert await connection.fetchval("SELECT n FROM row") == 7
        await connection.close()


def test_embedded_postgres_stops_after_an_exception(directory: Path) -> None:
    """When the body raises, the server has ended and its socket directory is gone."""
    pid, sockets = None, Path()
    with suppress(KeyboardInterrupt), EmbeddedPostgres(directory) as postgres:
        pid = postgres.pid
        sockets = Path(postgres.url("postgres").rpartition("=")[2])
        assert _runs(pid)
        assert sockets.is_dir()
        raise KeyboardInterrupt
    assert not _runs(pid)
    assert not sockets.exists()


async def test_embedded_postgres_logs_no_statement_and_no_value(directory: Path) -> None:
    """A refused statement leaves neither its text nor the value of the row in the log."""
    with EmbeddedPostgres(directory) as postgres:
        connection = await asyncpg.connect(postgres.url("postgres", "postgresql"))
        await connection.execute("CREATE TABLE person (email text PRIMARY KEY)")
        insert = "INSERT INTO person VALUES ('canary@example.org')"
        await connection.execute(insert)
        with pytest.raises(asyncpg.UniqueViolationError):
            await connection.execute(insert)
        await connection.close()
    log = postgres.log.read_text()
    assert "duplicate key" in log
    assert "canary" not in log


def test_a_database_name_is_checked(tmp_path: Path) -> None:
    """A name that is more than a name is refused before any server is asked."""
    with pytest.raises(ValueError, match="lower-case letters"):
        EmbeddedPostgres(tmp_path).create_database("x; drop database y")


def test_a_server_that_ends_at_once_says_why(tmp_path: Path) -> None:
    """The error of a failed start shows the last lines of the server's log."""
    child = Child("the server", ("sh", "-c", "echo no space left; exit 3"), tmp_path / "log")
    with pytest.raises(ServerFailed, match=r"ended before it was ready.*\n.*no space left"):
        child.start(lambda: False, timeout=60)


def test_a_server_that_never_gets_ready_is_killed(tmp_path: Path) -> None:
    """A start that takes too long fails and leaves no process behind."""
    child = Child("the server", ("sleep", "600"), tmp_path / "log")
    with pytest.raises(ServerFailed, match="was not ready"):
        child.start(lambda: False, timeout=0)
    assert child.pid is None


def test_a_server_that_ignores_the_request_to_end_is_killed(tmp_path: Path) -> None:
    """A process that does not listen to SIGTERM is gone after its grace is over."""
    deaf = "trap '' TERM; echo deaf; while :; do sleep 0.05; done"
    child = Child("the server", ("sh", "-c", deaf), tmp_path / "log")
    child.start(lambda: "deaf" in child.log.read_text(), timeout=60)
    child.stop(grace=0.1)
    assert child.pid is None


@pytest.mark.kafka
async def test_kafka_comes_back_with_its_messages_after_a_kill(kafka: KafkaServer) -> None:
    """After a SIGKILL, Apache Kafka is back at the same address with what was on it."""
    await _create_topic(kafka.bootstrap)
    await _send_and_read(kafka.bootstrap)
    kafka.kill()
    kafka.start()
    assert await _send_and_read(kafka.bootstrap) == [b"one more", b"one more"]
