"""Sending: what was acknowledged is counted, whatever ends it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiokafka.errors import KafkaTimeoutError, NotLeaderForPartitionError

from topics.publishing import Publication
from worker.cli import sending
from worker.cli.sending import AT_ONCE, BrokerRefused, send_all

MESSAGES = [
    Publication("privacy.requests", f"/shop|{at}".encode(), b"{}", ()) for at in range(3 * AT_ONCE)
]


class Producer:
    """A producer in front of a broker that takes ``room`` messages and refuses the rest."""

    room = len(MESSAGES)
    lost: type[Exception] | None = None
    """How it refuses: when it is asked, or (None) when it should acknowledge."""

    def __init__(self, **_: Any) -> None:
        self.taken: list[bytes] = []
        self.stopped = False

    async def start(self) -> None:
        """Nothing to start."""

    async def stop(self) -> None:
        self.stopped = True

    async def send(self, _: str, __: bytes, *, key: bytes, headers: Any) -> asyncio.Future[None]:
        answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if len(self.taken) < self.room:
            self.taken.append(key)
            answer.set_result(None)
        elif self.lost is not None:
            raise self.lost
        else:
            answer.set_exception(NotLeaderForPartitionError())
        return answer


@pytest.fixture
def producers(monkeypatch: pytest.MonkeyPatch) -> list[Producer]:
    """Give the producers that are made."""
    made: list[Producer] = []

    def make(**options: Any) -> Producer:
        made.append(Producer(**options))
        return made[-1]

    monkeypatch.setattr(sending, "AIOKafkaProducer", make)
    return made


async def send(stop: asyncio.Event | None = None, told: Any = lambda _: None) -> int:
    """Send all messages."""
    return await send_all(
        "nowhere", MESSAGES, idempotent=True, stop=stop or asyncio.Event(), told=told
    )


async def test_all_are_sent_in_order(producers: list[Producer]) -> None:
    """Every message goes out once and in the order of the file."""
    told: list[int] = []
    assert await send(told=told.append) == len(MESSAGES)
    assert producers[0].taken == [message.key for message in MESSAGES]
    assert told == [AT_ONCE, 2 * AT_ONCE, 3 * AT_ONCE]


async def test_ctrl_c_finishes_what_is_in_hand(producers: list[Producer]) -> None:
    """Told to stop amid a file, it says exactly how many the broker has, and stops the producer."""
    stop = asyncio.Event()
    assert await send(stop, told=lambda _: stop.set()) == AT_ONCE
    assert len(producers[0].taken) == AT_ONCE
    assert producers[0].stopped


@pytest.mark.parametrize("lost", [None, KafkaTimeoutError], ids=["not acknowledged", "not taken"])
async def test_a_broker_that_goes_away(
    producers: list[Producer], monkeypatch: pytest.MonkeyPatch, lost: type[Exception] | None
) -> None:
    """When the broker refuses one, those it acknowledged are counted, and none after it is sent."""
    monkeypatch.setattr(Producer, "room", AT_ONCE + 7)
    monkeypatch.setattr(Producer, "lost", lost)
    with pytest.raises(BrokerRefused) as caught:
        await send()
    assert caught.value.published == AT_ONCE + 7
    assert len(producers[0].taken) == AT_ONCE + 7
    assert producers[0].stopped
