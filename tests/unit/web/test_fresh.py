"""One reading for all who ask: its value, its failure, and when it is made anew."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from worker.observe.web.fresh import Fresh


class Away(Exception):
    """What is read does not answer."""


class Source:
    """Counts how often it is read, and answers when it is let."""

    def __init__(self) -> None:
        self.reads = 0
        self.now = 0.0
        self.fails = False
        self.may = asyncio.Event()
        self.may.set()

    async def read(self) -> int:
        """The number of this reading."""
        self.reads += 1
        mine, fails = self.reads, self.fails
        await self.may.wait()
        if fails:
            raise Away(mine)
        return mine

    def fresh(self) -> Fresh[int]:
        """What gives it for four seconds."""
        return Fresh(self.read, 4.0, lambda: self.now)


async def waiting(fresh: Fresh[int], many: int) -> list[asyncio.Task[int]]:
    """So many who ask, and wait."""
    asked = [asyncio.create_task(fresh.get()) for _ in range(many)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return asked


async def test_fifty_who_ask_cause_one_reading() -> None:
    """While it is read and while it is fresh; the first after that causes the next."""
    source = Source()
    fresh = source.fresh()
    source.may.clear()
    fifty = await waiting(fresh, 50)
    source.may.set()
    assert await asyncio.gather(*fifty) == [1] * 50
    source.now = 3.9
    assert await fresh.get() == 1
    source.now = 4.0
    assert await asyncio.gather(*await waiting(fresh, 50)) == [2] * 50
    assert source.reads == 2


async def test_a_failure_is_told_to_all_who_wait_and_tried_again_by_the_next() -> None:
    """Nobody stands in line to fail again, and no failure is kept."""
    source = Source()
    fresh = source.fresh()
    source.fails = True
    source.may.clear()
    fifty = await waiting(fresh, 50)
    source.may.set()
    answers = await asyncio.gather(*fifty, return_exceptions=True)
    assert {type(one) for one in answers} == {Away}
    assert source.reads == 1
    source.fails = False
    assert await fresh.get() == 2


async def test_who_leaves_takes_nothing_from_the_others() -> None:
    """A request that is given up ends no reading; when all have left it is there for the next."""
    source = Source()
    fresh = source.fresh()
    source.may.clear()
    first, second = await waiting(fresh, 2)
    first.cancel()
    with suppress(asyncio.CancelledError):
        await first
    second.cancel()
    with suppress(asyncio.CancelledError):
        await second
    source.may.set()
    assert await fresh.get() == 1
    assert source.reads == 1


async def test_what_was_being_read_when_something_changed_is_of_before() -> None:
    """Whoever asks after a change hears of it, also when a reading was under way."""
    source = Source()
    fresh = source.fresh()
    source.may.clear()
    (before,) = await waiting(fresh, 1)
    fresh.forget()
    (after,) = await waiting(fresh, 1)
    source.may.set()
    assert (await before, await after) == (1, 2)
    assert await fresh.get() == 2


async def test_a_reading_that_is_under_way_is_given_up_at_the_end() -> None:
    """Nothing is left behind."""
    source = Source()
    fresh = source.fresh()
    source.may.clear()
    (asked,) = await waiting(fresh, 1)
    await fresh.close()
    with pytest.raises(asyncio.CancelledError):
        await asked
