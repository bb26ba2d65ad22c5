"""Everything around the worker, for one test or one module: broker, ledger, stores, upstream."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch
from uuid import UUID

import orjson
import sqlalchemy as sa
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from tests.support.gate import Gate
from tests.support.nordlys import Stores
from tests.support.worker import WorkerProcess
from topics import names
from topics.publishing import Mode, event_to_message
from topics.writing import event_key
from worker.bootstrap import open_context
from worker.context import Context
from worker.core.case_id import case_id
from worker.ledger import answers
from worker.ledger.database import Ledger, LedgerAway
from worker.settings import load as load_settings

PATIENCE_SECONDS = 90.0
"""After which a test that waits gives up. Nothing is ever asserted about how long it took."""

Event = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Record:
    """A message as it lies on a topic."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]

    @property
    def json(self) -> Any:
        """Its value, read."""
        return None if self.value is None else orjson.loads(self.value)


@dataclass(slots=True)
class World:
    """What a test acts on and looks at. Made by :func:`tests.support.opening.open_world`."""

    bootstrap: str
    stores: Stores
    ledger: Ledger
    settings: dict[str, str]
    folder: Path
    producer: AIOKafkaProducer
    gates: dict[str, Gate]
    """Before each PostgreSQL that was asked to have one: ``crm``, ``billing``, ``ledger``."""
    workers: list[WorkerProcess] = field(default_factory=list)

    @property
    def log(self) -> Path:
        """What all workers of this world have logged."""
        return self.folder / "worker.log"

    @asynccontextmanager
    async def context(self) -> AsyncIterator[Context]:
        """The worker's own parts in this process, with the settings of this world."""
        with patch.dict(os.environ, self.settings):
            settings = load_settings()
        async with open_context(settings) as context:
            yield context

    def may_erase(self, people: int) -> None:
        """Let so many of a store's people go within a day without anybody being asked.

        For workers and contexts that are opened from now on.
        """
        declared = Path(self.settings["ERASURE_POLICY"]).read_text(encoding="utf-8")
        lenient = declared.replace("people: 100}", f"people: {people}}}")
        assert lenient != declared
        file = self.folder / "policy.yaml"
        file.write_text(lenient, encoding="utf-8")
        self.settings["ERASURE_POLICY"] = str(file)

    def worker(self, **options: Any) -> WorkerProcess:
        """Start a worker; see :class:`WorkerProcess` for ``kill``, ``only`` and ``trace``."""
        started = WorkerProcess(self.settings, self.log, **options)
        self.workers.append(started)
        return started

    def kill_workers(self) -> None:
        """Leave no process behind."""
        for one in self.workers:
            one.kill()

    async def publish(
        self,
        *events: Event,
        mode: Mode = "structured",
        partition: int | None = None,
        headers: Sequence[tuple[str, bytes]] = (),
    ) -> None:
        """Publish events as upstream does, and wait until the broker has them."""
        sent = []
        for event in events:
            message = event_to_message(event, mode)
            sent.append(
                await self.producer.send(
                    message.topic,
                    message.value,
                    key=message.key,
                    headers=[*message.headers, *headers],
                    partition=partition,
                )
            )
        await asyncio.gather(*sent)

    async def publish_raw(
        self,
        topic: str,
        value: bytes | None,
        *,
        headers: Sequence[tuple[str, bytes]] = (),
        partition: int | None = 0,
        key: bytes | None = None,
    ) -> tuple[int, int]:
        """Publish any bytes; return partition and offset."""
        done = await self.producer.send_and_wait(
            topic, value, key=key, headers=list(headers), partition=partition
        )
        return done.partition, done.offset

    async def read(self, topic: str) -> list[Record]:
        """Everything on a topic, partition by partition."""
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self.bootstrap, auto_offset_reset="earliest", check_crcs=False
        )
        await consumer.start()
        try:
            partitions = sorted(await self.producer.partitions_for(topic))
            assigned = [TopicPartition(topic, number) for number in partitions]
            consumer.assign(assigned)
            found: list[Record] = []
            while not await _at_the_end(consumer, assigned):
                fetched = await consumer.getmany(timeout_ms=100)
                found += [_record(raw) for records in fetched.values() for raw in records]
            return sorted(found, key=lambda record: (record.partition, record.offset))
        finally:
            await consumer.stop()

    async def fetch(self, statement: sa.Executable) -> list[Any]:
        """Ask the ledger."""
        async with self.ledger.begin() as connection:
            return list((await connection.execute(statement)).all())

    async def states(self) -> dict[UUID, str]:
        """The state of every case."""
        return dict(
            tuple(row) for row in await self.fetch(sa.text("SELECT id, state FROM cases").columns(
                sa.column("id", sa.Uuid), sa.column("state", sa.Text)))
        )  # fmt: skip

    async def state(self, event: Event) -> str | None:
        """The state of an event's case; None while there is none."""
        return (await self.states()).get(id_of(event))

    async def receipts(self, event: Event) -> list[tuple[str, list[dict[str, Any]]]]:
        """What the ledger says was done for an event: (store, outcomes), oldest first."""
        async with self.ledger.begin() as connection:
            found = await answers.receipts_of_case(connection, id_of(event))
        return [
            (receipt.store, [dict(outcome) for outcome in receipt.outcomes]) for receipt in found
        ]

    async def outcomes(self, event: Event) -> dict[str, dict[str, Any]]:
        """Outcomes by field group (``store.*`` where nobody was found) of an event's receipts."""
        found: dict[str, dict[str, Any]] = {}
        for store, outcomes in await self.receipts(event):
            for outcome in outcomes:
                found[f"{store}/{outcome['group']}"] = outcome
        return found

    async def completions(self, event: Event) -> list[dict[str, Any]]:
        """What ``erasure.completed`` says of an event, oldest first."""
        key = event_key(event["source"], event["id"])
        return [record.json for record in await self.read(names.COMPLETED) if record.key == key]

    async def until(
        self, condition: Callable[[], Awaitable[bool]], what: str, seconds: float = PATIENCE_SECONDS
    ) -> None:
        """Wait until something is so; fail when it takes too long, or when a worker fell over."""
        try:
            async with asyncio.timeout(seconds):
                while not await self._holds(condition):
                    self._nobody_fell_over()
                    await asyncio.sleep(0.1)
        except TimeoutError:
            raise AssertionError(f"not so in time: {what}\n{await self.situation()}") from None

    @staticmethod
    async def _holds(condition: Callable[[], Awaitable[bool]]) -> bool:
        try:
            return await condition()
        except LedgerAway:
            # A line that broke when the test took the ledger away.
            return False

    async def until_states(self, *events: Event, state: str = "closed", **options: Any) -> None:
        """Wait until the cases of these events are in a state."""

        async def reached() -> bool:
            states = await self.states()
            return all(states.get(id_of(event)) == state for event in events)

        await self.until(reached, f"{len(events)} case(s) {state}", **options)

    async def until_told(self, *events: Event, **options: Any) -> None:
        """Wait until the cases of these events have ended and everything about them was told."""
        await self.until_quiet(expected=[id_of(event) for event in events], **options)

    async def until_quiet(self, expected: Iterable[UUID] = (), **options: Any) -> None:
        """Wait until nothing is left to do: for what is accepted and what is ``expected``."""
        wanted = set(expected)

        async def quiet() -> bool:
            states = await self.states()
            if not wanted <= set(states) or "open" in states.values():
                return False
            return not await self.unsaid()

        await self.until(quiet, "nothing is left to do", **options)

    async def unsaid(self) -> int:
        """How many stops and answers were committed and are not known to be published."""
        rows = await self.fetch(
            sa.text(
                "SELECT (SELECT count(*) FROM batches WHERE stopped_at IS NULL)"
                " + (SELECT count(*) FROM batches WHERE planned_at IS NULL)"
                " + (SELECT count(*) FROM answers WHERE published_at IS NULL)"
            )
        )
        return int(rows[0][0])

    async def until_planned_later(self) -> None:
        """Wait until a batch was planned but for stores that did not answer, whoever planned it."""

        async def planned() -> bool:
            query = "SELECT count(*) FROM batches WHERE planned_at IS NULL AND policy IS NOT NULL"
            return bool((await self.fetch(sa.text(query)))[0][0])

        await self.until(planned, "a batch waits for stores that did not answer")

    async def until_log(self, text: str, **options: Any) -> None:
        """Wait until a worker has logged something."""

        async def logged() -> bool:
            return self.log.exists() and text in self.log.read_text()

        await self.until(logged, f"a line with {text!r} in the log", **options)

    async def situation(self) -> str:
        """What the ledger and the log say, for whoever reads a failed test."""
        lines = []
        for query in (
            "SELECT state, count(*) FROM cases GROUP BY state",
            "SELECT store, state, attempts, failures, drives, fault FROM commands"
            " ORDER BY id LIMIT 20",
            "SELECT id, stores_left, attempts, stopped_at, planned_at, due_at FROM batches"
            " ORDER BY id LIMIT 20",
        ):
            rows = await self.fetch(sa.text(query))
            lines += [query, *(f"  {tuple(row)}" for row in rows)]
        tail = self.log.read_text().splitlines()[-25:] if self.log.exists() else []
        return "\n".join([*lines, "log:", *(f"  {line[:400]}" for line in tail)])

    def _nobody_fell_over(self) -> None:
        for one in self.workers:
            if one.ended is not None and one.ended > 0:
                tail = "\n".join(self.log.read_text().splitlines()[-40:])
                raise AssertionError(f"a worker ended with {one.ended}:\n{tail}")


def id_of(event: Event) -> UUID:
    """The id of an event's case."""
    return case_id(event["source"], event["id"])


async def _at_the_end(consumer: AIOKafkaConsumer, partitions: Iterable[TopicPartition]) -> bool:
    """Whether everything was read. The high water comes with a fetch; end_offsets may be wrong."""
    for partition in partitions:
        high = consumer.highwater(partition)
        if high is None or await consumer.position(partition) < high:
            return False
    return True


def _record(raw: Any) -> Record:
    return Record(raw.topic, raw.partition, raw.offset, raw.key, raw.value, tuple(raw.headers))
