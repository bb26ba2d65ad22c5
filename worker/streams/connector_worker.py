"""The consumers of one store: one of what people ask, one of what time asks, each its own group.

So no store delays another, and no sweep a person. Lag per store is the lag of its group. A store
that is away pauses the group's partitions, and the work in hand is tried again with capped,
jittered backoff until it succeeds; the consumer stays in its group meanwhile and goes on by itself.
A store that an operator lets rest is waited for in the same way, until it is resumed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from functools import partial
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import KafkaError

from connectors.faults import Fault, Misfit, RetryLater
from topics import names, writing
from topics.places import Marks
from worker.context import Context, PublishFailed
from worker.core.retry import Backoff
from worker.erase import carry_out, tell
from worker.ledger.batches import Lane
from worker.ledger.database import LedgerAway
from worker.observe.here import Here
from worker.observe.tracing import Headers
from worker.pausing import StorePaused
from worker.sealing import CannotOpen
from worker.settings import BrokerSettings
from worker.streams.offsets import OffsetWindow
from worker.streams.pausing import Pausing
from worker.sweeping.run import run_sweep
from worker.waiting import pause, stopped_within

IN_STORE = 2
"""Commands at a time in the store: it works on one while the ledger settles the other."""
IN_FLIGHT = 2 * IN_STORE
"""Commands in hand: those that are settled and still being told leave the store to the next."""
TRANSIENT = (RetryLater, Misfit, LedgerAway, PublishFailed, CannotOpen)
"""What is tried again. Anything else is a bug: it ends the process, and nothing is committed."""

WAITS = Backoff(cap=60.0)
BETWEEN_LOOKS = 1.0

Carry = Callable[[], Awaitable[None]]
Order = Mapping[str, int]
"""What a message asks for, by its id in the ledger."""

log = structlog.get_logger(__name__)


class StoreWorker:
    """Carries out the commands of one store, of one lane, until it is told to stop.

    On the sweeps' lane it also runs sweeps, under ``holder``'s name: one at a time.
    """

    def __init__(
        self,
        context: Context,
        store: str,
        broker: BrokerSettings,
        pausing: Pausing,
        lane: Lane = Lane.PEOPLE,
        holder: str = "",
    ) -> None:
        self._context = context
        self._store = store
        self._holder = holder
        sweeping = lane is Lane.SWEEPS
        self._topic = names.sweeps(store) if sweeping else names.commands(store)
        group = names.sweeps_group_of(store) if sweeping else names.group_of(store)
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=broker.bootstrap,
            group_id=group,
            client_id=group,
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
        self._marks = Marks()
        self._running: set[asyncio.Task[None]] = set()
        self._in_store = asyncio.Semaphore(1 if sweeping else IN_STORE)
        self._sweeping = asyncio.Lock()
        self._group = group
        self._lane = lane
        context.here.reads(group)
        self._breaker = context.metrics.breaker_open.labels(store, lane.value)
        self._away = 0
        self._pausing = pausing
        pausing.watch(store, lane, lambda: len(self._running))

    async def run(self, stop: asyncio.Event) -> None:
        """Consume until ``stop`` is set; then finish the commands in hand and leave the group.

        Raises what is a bug. A broker that is away is waited for.
        """
        self._consumer.subscribe(
            [self._topic], listener=_Partitions(self._context.here, self._group, self._windows)
        )
        await self._start(stop)
        # Until the first command tells otherwise.
        self._context.here.serves(self._store, self._lane, self._context.now())
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
        if self._pausing.takes_nothing(self._store):
            # Asked for nothing, it still is a living member of its group.
            self._consumer.pause(*self._consumer.assignment())
        elif self._consumer.paused():
            self._consumer.resume(*self._consumer.assignment())
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
                self._marks.read(partition, record.offset, record.timestamp)
                self._running.add(asyncio.create_task(self._handle(partition, record, stop)))

    async def _reap(self) -> None:
        for task in [task for task in self._running if task.done()]:
            self._running.discard(task)
            task.result()

    async def _handle(self, partition: TopicPartition, record: Any, stop: asyncio.Event) -> None:
        """Carry out one message; commit when everything before it is done as well."""
        try:
            carry, order = self._read(record.value or b"", stop)
        except ValueError:
            # Somebody else writes here. The ledger drives again whatever of ours is missing.
            log.error("unreadable-command", store=self._store, offset=record.offset)
        else:
            if not await self._persist(carry, order, record.headers, stop):
                return
        window = self._windows.get(partition)
        commit = window.finish(record.offset) if window else None
        if commit is not None:
            try:
                await self._consumer.commit({partition: self._marks.place(partition, commit)})
            except KafkaError as error:
                # The partition went to another worker, or the broker is away: what is not
                # committed comes again and changes nothing.
                log.info("not-committed", store=self._store, error=type(error).__name__)

    def _read(self, value: bytes, stop: asyncio.Event) -> tuple[Carry, Order]:
        """What a message asks for. Raises ValueError when it is none of ours."""
        sweep_id = writing.read_sweep(value) if self._topic == names.sweeps(self._store) else None
        if sweep_id is not None:
            return partial(self._sweep, sweep_id, stop), {"sweep": sweep_id}
        command_id = writing.read_command(value)
        return partial(self._command, command_id), {"command": command_id}

    async def _command(self, command_id: int) -> None:
        async with self._in_store:
            settled = await carry_out(self._context, command_id)
        if settled is not None:
            await tell(self._context, settled)

    async def _sweep(self, sweep_id: int, stop: asyncio.Event) -> None:
        async with self._sweeping:
            self._context.metrics.attempts.labels(self._store, self._lane.value).inc()
            await run_sweep(self._context, sweep_id, self._holder, stop)

    async def _persist(
        self, carry: Carry, order: Order, headers: Headers, stop: asyncio.Event
    ) -> bool:
        """Try until it is carried out; False when told to stop before that."""
        attempt = 0
        while True:
            if not await self._pausing.until_awake(self._store, stop):
                return False
            try:
                with self._context.tracing.carrying_out(
                    self._topic, headers, store=self._store, lane=self._lane.value, **order
                ):
                    await carry()
            except StorePaused:
                await stopped_within(stop, BETWEEN_LOOKS)
            except TRANSIENT as fault:
                if not attempt:
                    self._hold()
                attempt += 1
                wait = pause(WAITS, attempt)
                self._note(fault, wait)
                log.warning(
                    "retry-later",
                    store=self._store,
                    **order,
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

    def _note(self, fault: Exception, wait: float) -> None:
        """Count a failure; a store that is away, or does not fit, is shown as such."""
        context = self._context
        context.metrics.retries.labels(self._store, self._lane.value, why(fault)).inc()
        if isinstance(fault, Fault):
            now = context.now()
            context.here.away(self._store, self._lane, fault, now, now + timedelta(seconds=wait))

    def _hold(self) -> None:
        self._away += 1
        self._breaker.set(1)
        self._consumer.pause(*self._consumer.assignment())

    def _release(self) -> None:
        self._away -= 1
        if not self._away:
            self._breaker.set(0)
            self._context.here.serves(self._store, self._lane, self._context.now())
            log.info("resumed", store=self._store)


def why(fault: Exception) -> str:
    """What kind of failure makes an attempt be repeated: a word for a metric's label."""
    match fault:
        case Misfit():
            return "misfit"
        case LedgerAway():
            return "ledger-away"
        case PublishFailed():
            return "broker-away"
        case CannotOpen():
            return "key-missing"
        case _:
            return "store-away"


class _Partitions(ConsumerRebalanceListener):  # type: ignore[misc] # aiokafka has no types
    """Forgets partitions that go to another worker: their commits are no longer ours."""

    def __init__(self, here: Here, group: str, windows: dict[TopicPartition, OffsetWindow]) -> None:
        self._here = here
        self._group = group
        self._windows = windows

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        for partition in revoked:
            self._windows.pop(partition, None)

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        """Note how many there are. Windows are made as messages come."""
        self._here.assigned(self._group, len(assigned))
