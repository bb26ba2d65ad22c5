"""Sending a file's messages: in order, counted by what the broker has acknowledged."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from topics.publishing import Publication

AT_ONCE = 500
"""Messages in hand: what a stop lets finish."""


class BrokerRefused(Exception):
    """The broker stopped taking messages; ``published`` were acknowledged before."""

    def __init__(self, published: int, why: str) -> None:
        super().__init__(why)
        self.published = published


async def send_all(
    bootstrap: str,
    messages: Sequence[Publication],
    *,
    idempotent: bool,
    stop: asyncio.Event,
    told: Callable[[int], None],
) -> int:
    """Publish until all are acknowledged or ``stop`` is set; return how many were.

    What is in hand when ``stop`` is set is finished, so that the number is true. ``told`` hears
    the number as it grows. Raises BrokerRefused when the broker does not take one.
    """
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap, acks="all", enable_idempotence=idempotent
    )
    published = 0
    try:
        await producer.start()
        for at in range(0, len(messages), AT_ONCE):
            if stop.is_set():
                break
            answers = await _send(producer, messages[at : at + AT_ONCE])
            published += sum(not isinstance(answer, BaseException) for answer in answers)
            told(published)
            for answer in answers:
                if isinstance(answer, BaseException):
                    raise answer
    except (KafkaError, OSError, TimeoutError) as error:
        raise BrokerRefused(published, type(error).__name__) from None
    finally:
        await producer.stop()
    return published


async def _send(
    producer: AIOKafkaProducer, messages: Sequence[Publication]
) -> list[object | BaseException]:
    """Send messages and wait for every answer, also after one has failed."""
    waiting = []
    refused: list[object | BaseException] = []
    for one in messages:
        try:
            sent = await producer.send(one.topic, one.value, key=one.key, headers=list(one.headers))
        except (KafkaError, OSError, TimeoutError) as error:
            refused.append(error)
            break
        waiting.append(sent)
    return [*await asyncio.gather(*waiting, return_exceptions=True), *refused]
