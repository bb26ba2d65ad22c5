"""The consumer of one store's commands: a group of its own, so that no store delays another.

Lag per store is the lag of this group. A store that is away pauses the group's partitions, and the
command in hand is tried again with capped, jittered backoff until it succeeds; the consumer stays
in its group meanwhile and goes on by itself.
"""

from __future__ import annotations

import asyncio
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import KafkaError

from connectors.faults import Misfit, RetryLater
from topics import names, writing
from worker.context import Context, PublishFailed
from worker.core.retry import Backoff
from worker.erase import carry_out, tell
from worker.ledger.database import LedgerAway
from worker.sealing import CannotOpen
from worker.settings import BrokerSettings
from worker.streams.offsets import OffsetWindow
from worker.waiting import pause, stopped_within

IN_STORE = 2
"""Commands at a time in the store: it works on one while the ledger settles the other."""
IN_FLIGHT = 2 * IN_STORE
"""Commands in hand: those that are settled and still being told leave the store to the next."""
TRANSIENT = (RetryLater, Misfit, LedgerAway, PublishFailed, CannotOpen)
"""What is tried again. Anything else is a bug: it ends the process, and nothing is committed."""

WAITS = Backoff(cap=60.0)

log = structlog.get_logger(__name__)


class StoreWorker:
    """Carries out the commands of one store until it is told to stop."""

    def __init__(self, context: Context, store: str, broker: BrokerSettings) -> None:
        self._context = context
        self._store = store
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=broker.bootstrap,
            group_id=names.group_of(store),
            client_id=f"erasure-{store}",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            # A paused consumer is a patient one, not a dead one: it must stay in its group.
            max_poll_interval_ms=7 * 24 * 3600 * 1000,
            rebalance_timeout_ms=60_000,
            session_timeout_ms=round(broker.session_seconds * 1000),
            heartbeat_interval_ms=round(broker.session_seconds * 250),
            metadata_max_age_ms=60_000,
        )
        self._windows: dict[TopicPartition, OffsetWindow] = {}
        self._running: set[asyncio.Task[None]] = set()
        self._in_store = asyncio.Semaphore(IN_STORE)
        self._away = 0

    async def run(self, stop: asyncio.Event) -> None:
        """Consume until ``stop`` is set; then finish the commands in hand and leave the group.

        Raises what is a bug. A broker that is away is waited for.
        """
        self._consumer.subscribe([names.commands(self._store)], listener=_Forget(self._windows))
        await self._start(stop)
        try:
            while not stop.is_set():
                await self._fetch(stop)
                await self._reap()
        finally:
            stop.set()
            try:
                await asyncio.gather(*self._running)
            finally:
                await self._consumer.stop()

    async def _start(self, stop: asyncio.Event) -> None:
        attempt = 0
        while not stop.is_set():
            try:
                await self._consumer.start()
            except (KafkaError, OSError) as error:
                log.warning("broker-away", store=self._store, error=type(error).__name__)
                attempt += 1
                await stopped_within(stop, pause(WAITS, attempt))
            else:
                return

    async def _fetch(self, stop: asyncio.Event) -> None:
        """Take as many commands as there is room for."""
        room = IN_FLIGHT - len(self._running)
        if self._away or room < 1:
            if self._running:
                await asyncio.wait(self._running, timeout=0.5, return_when=asyncio.FIRST_COMPLETED)
            return
        try:
            fetched = await self._consumer.getmany(timeout_ms=250, max_records=room)
        except KafkaError as error:
            log.warning("broker-away", store=self._store, error=type(error).__name__)
            await stopped_within(stop, pause(WAITS, 1))
            return
        for partition, records in fetched.items():
            window = self._windows.setdefault(partition, OffsetWindow())
            for record in records:
                window.give(record.offset)
                self._running.add(asyncio.create_task(self._handle(partition, record, stop)))

    async def _reap(self) -> None:
        for task in [task for task in self._running if task.done()]:
            self._running.discard(task)
            task.result()

    async def _handle(self, partition: TopicPartition, record: Any, stop: asyncio.Event) -> None:
        """Carry out one message; commit when everything before it is done as well."""
        try:
            command_id = writing.read_command(record.value or b"")
        except ValueError:
            # Somebody else writes here. The ledger drives again whatever of ours is missing.
            log.error("unreadable-command", store=self._store, offset=record.offset)
        else:
            if not await self._persist(command_id, stop):
                return
        window = self._windows.get(partition)
        commit = window.finish(record.offset) if window else None
        if commit is not None:
            try:
                await self._consumer.commit({partition: commit})
            except KafkaError as error:
                # The partition went to another worker, or the broker is away: what is not
                # committed comes again and changes nothing.
                log.info("not-committed", store=self._store, error=type(error).__name__)

    async def _persist(self, command_id: int, stop: asyncio.Event) -> bool:
        """Try a command until it is carried out; False when told to stop before that."""
        attempt = 0
        while True:
            try:
                async with self._in_store:
                    settled = await carry_out(self._context, command_id)
                if settled is not None:
                    await tell(self._context, settled)
            except TRANSIENT as fault:
                if not attempt:
                    self._hold()
                attempt += 1
                wait = pause(WAITS, attempt)
                log.warning(
                    "retry-later",
                    store=self._store,
                    command=command_id,
                    fault=f"{type(fault).__name__}: {fault}",
                    attempt=attempt,
                    seconds=round(wait, 1),
                )
                if await stopped_within(stop, wait):
                    return False
            else:
                if attempt:
                    self._release()
                return True

    def _hold(self) -> None:
        self._away += 1
        self._consumer.pause(*self._consumer.assignment())

    def _release(self) -> None:
        self._away -= 1
        if not self._away:
            self._consumer.resume(*self._consumer.assignment())
            log.info("resumed", store=self._store)


class _Forget(ConsumerRebalanceListener):  # type: ignore[misc] # aiokafka has no types
    """Forgets partitions that go to another worker: their commits are no longer ours."""

    def __init__(self, windows: dict[TopicPartition, OffsetWindow]) -> None:
        self._windows = windows

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        for partition in revoked:
            self._windows.pop(partition, None)

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        """Nothing to do: windows are made as messages come."""
