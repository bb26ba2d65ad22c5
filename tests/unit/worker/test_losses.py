"""A worker that is started: it takes nothing while a loss stands, whatever its login may see."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import pytest
import pytest_asyncio

from worker.ledger import losses
from worker.ledger.database import Ledger, LedgerAway
from worker.ledger.upgrade import upgrade
from worker.losses import Looking, until_recovered
from worker.observe.lag import BrokerAway, GroupLag, GroupsHidden

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
WELL = {"intake": GroupLag(0, 0)}


@pytest_asyncio.fixture
async def ledger(tmp_path: Path) -> AsyncIterator[Ledger]:
    """An empty one."""
    made = Ledger(f"sqlite+aiosqlite:///{tmp_path}/ledger.db")
    await upgrade(made)
    yield made
    await made.close()


async def began(ledger: Ledger, answer: Any, looks: int) -> bool:
    """Whether a worker begins, when the broker answers so; it does not when it looks so often."""
    asked = asyncio.Semaphore(0)

    async def ask(*given: object) -> Any:
        asked.release()
        if callable(answer):
            return await answer(*given)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def look_on() -> None:
        for _ in range(looks):
            await asked.acquire()

    with patch("worker.losses.group_lags", ask), patch("worker.losses.LOOK_SECONDS", 0.01):
        begins = asyncio.create_task(until_recovered(worker_of(ledger), asyncio.Event()))
        looking = asyncio.create_task(look_on())
        await asyncio.wait({begins, looking}, return_when=asyncio.FIRST_COMPLETED)
        done = begins.done()
        for task in (begins, looking):
            task.cancel()
        await asyncio.gather(looking, *([] if done else [begins]), return_exceptions=True)
    if done:
        begins.result()
    return done


async def begins(ledger: Ledger, answer: Any) -> None:
    """It begins."""
    assert await began(ledger, answer, looks=50)


async def waits(ledger: Ledger, answer: Any) -> None:
    """It looks again and again, and does not begin."""
    assert not await began(ledger, answer, looks=5)


def worker_of(ledger: Ledger) -> Any:
    """As much of a context as is looked at."""
    return SimpleNamespace(
        ledger=ledger,
        policy=SimpleNamespace(stores=()),
        here=SimpleNamespace(bootstrap="", groups=None),
        now=lambda: NOW,
    )


def away_after(answers: int, ledger: Ledger) -> Any:
    """A ledger that answers so many times, and then goes away."""
    left = iter(range(answers))

    def begin() -> Any:
        if next(left, None) is None:
            raise LedgerAway("ConnectionRefusedError")
        return ledger.begin()

    return SimpleNamespace(begin=begin)


@pytest.mark.parametrize("answer", [WELL, GroupsHidden("GroupAuthorizationFailedError")])
async def test_it_begins_while_nothing_is_lost(ledger: Ledger, answer: Any) -> None:
    """Also by a login that may not see the groups: then only what is written down counts."""
    await begins(ledger, answer)
    async with ledger.begin() as connection:
        await losses.note(connection, "intake", 3, NOW)
    await waits(ledger, answer)
    async with ledger.begin() as connection:
        await losses.recover(connection, "intake", by="Kari", reason="a disk", now=NOW)
    await begins(ledger, answer)


async def test_it_waits_for_a_broker_that_is_away(ledger: Ledger) -> None:
    """What it has lost can be told only when it is back."""
    await waits(ledger, BrokerAway("KafkaConnectionError"))


@pytest.mark.parametrize("then", [WELL, {"crm": GroupLag(0, 1)}])
async def test_what_was_seen_before_an_answer_is_looked_at_again(
    ledger: Ledger, then: dict[str, GroupLag]
) -> None:
    """It may be what was answered, so nobody is asked twice; what is still lost is seen then."""
    known = []

    async def seen(_bootstrap: str, _stores: object, before: Any) -> Any:
        known.append(before)
        if len(known) > 1:
            return then
        async with ledger.begin() as connection:
            await losses.note(connection, "intake", 3, NOW)
            await losses.recover(connection, "intake", by="Kari", reason="a disk", now=NOW)
        return {"intake": GroupLag(0, 3)}

    if then is WELL:
        await begins(ledger, seen)
    else:
        await waits(ledger, seen)
    async with ledger.begin() as connection:
        standing = [one.group for one in await losses.standing(connection)]
    assert standing == [name for name, one in then.items() if one.beyond]
    assert known[:2] == [{}, {}]  # What stood where before the answer is not looked for.


async def test_what_was_there_before_an_answer_is_not_looked_for(ledger: Ledger) -> None:
    """Somebody else saw the loss and it was answered, between two looks of this worker."""
    known = []

    async def seen(_bootstrap: str, _stores: object, before: Any) -> Any:
        known.append(before)
        return WELL

    with patch("worker.losses.group_lags", seen):
        looking = Looking(worker_of(ledger))
        await looking.look()
        await looking.look()
        async with ledger.begin() as connection:
            await losses.note(connection, "intake", 3, NOW)
            await losses.recover(connection, "intake", by="Kari", reason="a disk", now=NOW)
        await looking.look()
    assert known == [{}, WELL, {}]


async def test_a_ledger_that_is_away_forgets_nothing(ledger: Ledger) -> None:
    """What was there at the last look that was written down is what the next one looks for."""
    first, later, known = {"intake": GroupLag(1, 0)}, {"intake": GroupLag(2, 0)}, []

    async def seen(_bootstrap: str, _stores: object, before: Any) -> Any:
        known.append(before)
        return first if len(known) == 1 else later

    context = worker_of(ledger)
    with patch("worker.losses.group_lags", seen):
        looking = Looking(context)
        await looking.look()
        for answers in (0, 1):
            context.ledger = away_after(answers, ledger)
            with pytest.raises(LedgerAway):
                await looking.look()
            assert context.here.groups is later  # What is seen is shown meanwhile.
        context.ledger = ledger
        await looking.look()
    assert known == [{}, first, first, first]


async def test_what_is_seen_at_the_start_is_written_down(ledger: Ledger) -> None:
    """So that it stands when more has come than was read before."""
    await waits(ledger, {"intake": GroupLag(0, 3)})
    await waits(ledger, WELL)
