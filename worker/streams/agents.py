"""The intake agent: a batch of messages, tried until it is committed, then acknowledged in order.

Plain iteration, ``take`` and ``events`` acknowledge what failed; an exception that leaves the body
freezes the commits until a restart. So: ``noack_take``, a loop inside the body, one agent
(``concurrency=1``), and acknowledgements last.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import structlog

from topics.names import INBOUND
from topics.reading import Message
from worker.context import Context, PublishFailed
from worker.core.retry import Backoff
from worker.intake import take_in
from worker.ledger.database import LedgerAway, LedgerConflict
from worker.waiting import pause

BATCH = 500
WITHIN_SECONDS = 0.5
"""A lone event waits this long at the most; under load it is what makes batches large."""
WAITS = Backoff(cap=30.0)

log = structlog.get_logger(__name__)


def add_intake(
    app: Any,
    context: Context,
    plan: Callable[[int], None],
    in_hand: asyncio.Lock,
    failed: Callable[[Exception], None],
) -> None:
    """Add the agent that takes in events.

    ``plan`` is told the id of each batch to be planned; ``in_hand`` is held while a batch is
    taken in, so that who holds it may stop the app without breaking off a batch. ``failed`` is
    told of a bug: Faust would let the agent die and the app live on, reading nothing.
    """
    topic = app.topic(*INBOUND, key_serializer="raw", value_serializer="raw")

    async def intake(stream: Any) -> None:
        unacknowledged = stream.noack()
        try:
            async for batch in unacknowledged.noack_take(BATCH, within=WITHIN_SECONDS):
                async with in_hand:
                    messages = [_message(event) for event in batch]
                    with context.tracing.taking_in(messages):
                        for batch_id in await persist(context, messages):
                            plan(batch_id)
                    for event in batch:
                        await unacknowledged.ack(event)
        except Exception as error:
            # A bug: whoever runs the app ends the process, and a new one takes the same batch.
            failed(error)
            raise

    app.agent(topic, name="intake", concurrency=1)(intake)


async def persist(context: Context, messages: Sequence[Message]) -> list[int]:
    """Try a batch until it is committed and its stop published, however long that takes."""
    attempt = 0
    while True:
        try:
            return await take_in(context, messages)
        except (LedgerAway, LedgerConflict, PublishFailed) as fault:
            attempt += 1
            context.metrics.intake_retries.inc()
            wait = pause(WAITS, attempt)
            log.warning(
                "intake-waits",
                fault=f"{type(fault).__name__}: {fault}",
                attempt=attempt,
                seconds=round(wait, 1),
            )
            await asyncio.sleep(wait)


def _message(event: Any) -> Message:
    raw = event.message
    headers = raw.headers.items() if hasattr(raw.headers, "items") else raw.headers or ()
    return Message(
        topic=raw.topic,
        partition=raw.partition,
        offset=raw.offset,
        key=raw.key,
        value=raw.value,
        headers=tuple(headers),
    )
