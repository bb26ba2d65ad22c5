"""What waits for the worker: commands in the ledger, or events on Kafka."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from aiokafka import AIOKafkaProducer

from tests.bench.stores import TABLES, email, key
from topics.events import EventKind
from topics.publishing import event_to_message
from worker.context import Context
from worker.core.case_id import case_id
from worker.core.deadline import due_on
from worker.ledger import answers, batches, cases, commands
from worker.ledger.commands import NewCommand
from worker.payloads import seal_people, seal_tasks
from worker.resolve import Person

BATCH: Final = 500
SOURCE: Final = "/bench"
_PARTITIONS: Final = 6


@dataclass(frozen=True, slots=True)
class Waiting:
    """One batch that was planned: its cases, each store's keys, and who answers or commands."""

    cases: list[uuid.UUID]
    keys: dict[str, list[Any]]
    answers: dict[str, int]
    commands: list[tuple[str, int]]

    def plain(self) -> dict[str, Any]:
        """The parts that the program written by hand needs, as JSON."""
        return {"cases": list(map(str, self.cases)), "keys": self.keys, "answers": self.answers}


async def lay_out(context: Context, people: Sequence[int], *, by_hand: bool) -> list[Waiting]:
    """Write into the ledger what intake and planning would have written for these people.

    ``by_hand`` says that the program written by hand will do it: it settles no commands, so it
    gets what its receipts refer to; the worker gets commands, which nobody has published yet.
    """
    return [
        await _batch(context, people[at : at + BATCH], by_hand=by_hand)
        for at in range(0, len(people), BATCH)
    ]


async def _batch(context: Context, people: Sequence[int], *, by_hand: bool) -> Waiting:
    now = context.now()
    events = [str(uuid.uuid4()) for _ in people]
    ids = [case_id(SOURCE, event) for event in events]
    keys = {store: [key(store, person) for person in people] for store in TABLES}
    known = [
        Person(one, {("email", email(person))}) for one, person in zip(ids, people, strict=True)
    ]
    later = now + timedelta(hours=1)
    async with context.ledger.begin() as connection:
        batch_id = await batches.open_batch(
            connection,
            payload=seal_people(context.sealer, known),
            key_id=context.sealer.current,
            stores_left=[],
            now=now,
            due_at=later,
        )
        await batches.planned(
            connection, batch_id, stores_left=[], policy="bench", now=now, due_at=later
        )
        await batches.stopped(connection, batch_id, now)
        await cases.accept(
            connection,
            [
                _case(context, one, event, batch_id, now)
                for one, event in zip(ids, events, strict=True)
            ],
        )
        if by_hand:
            opened = {s: await answers.open_answer(connection, batch_id, None, now) for s in TABLES}
            return Waiting(ids, keys, opened, [])
        new = [
            NewCommand(
                store=store,
                shape=(),
                policy=context.policy.version,
                case_ids=tuple(ids),
                payload=seal_tasks(context.sealer, store, ids, [[(k,)] for k in keys[store]]),
                key_id=context.sealer.current,
            )
            for store in TABLES
        ]
        issued = await commands.issue(connection, batch_id, new, now=now, due_at=later)
    return Waiting(ids, keys, {}, [(one.store, one.id) for one in issued])


def _case(
    context: Context, one: uuid.UUID, event: str, batch_id: int, now: datetime
) -> dict[str, Any]:
    return {
        "id": one,
        "batch_id": batch_id,
        "source": SOURCE,
        "event_id": event,
        "kind": EventKind.ERASURE_REQUESTED.value,
        "purposes": [],
        "channel": None,
        "event_time": now,
        "received_at": now,
        "due_on": due_on(now.date(), context.policy.country),
        "state": "open",
        "reason": None,
        "closed_at": None,
        "answer_id": None,
    }


def requests(people: Sequence[int]) -> Iterator[Any]:
    """A request for erasure by each of these people, as upstream would publish it."""
    asked = datetime.now(UTC).isoformat()
    for person in people:
        yield event_to_message(
            {
                "id": str(uuid.uuid4()),
                "source": SOURCE,
                "type": EventKind.ERASURE_REQUESTED.value,
                "time": asked,
                "data": {"subject": {"email": email(person)}},
            }
        )


async def publish(bootstrap: str, people: Sequence[int]) -> None:
    """Put a request of each of these people on Kafka, spread over the partitions."""
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap)
    await producer.start()
    try:
        waiting = []
        lots = [producer.create_batch() for _ in range(_PARTITIONS)]
        topic = ""
        for number, message in enumerate(requests(people)):
            topic, at = message.topic, number % _PARTITIONS
            fields = {"key": message.key, "value": message.value, "headers": list(message.headers)}
            if lots[at].append(timestamp=None, **fields) is None:
                waiting.append(await producer.send_batch(lots[at], topic, partition=at))
                lots[at] = producer.create_batch()
                lots[at].append(timestamp=None, **fields)
        for at, lot in enumerate(lots):
            if lot.record_count():
                waiting.append(await producer.send_batch(lot, topic, partition=at))
        for acknowledged in waiting:
            await acknowledged
    finally:
        await producer.stop()
