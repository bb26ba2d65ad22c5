"""A lease has one holder at a time, whoever asks and whenever."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.ledger.making import NOW
from worker.ledger import leases
from worker.ledger.database import Ledger, LedgerAway, LedgerConflict

TTL = timedelta(seconds=30)
Steps = list[tuple[str, int, bool]]


async def take(ledger: Ledger, name: str, holder: str, now: datetime) -> int | None:
    """Ask for a lease in a transaction of its own."""
    async with ledger.begin() as connection:
        return await leases.take(connection, name, holder, now=now, ttl=TTL)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    steps=st.lists(
        st.tuples(st.sampled_from("abc"), st.integers(0, 40), st.booleans()), max_size=12
    )
)
async def test_a_lease_never_has_two_holders(ledger: Ledger, steps: Steps) -> None:
    """Against a plain model: it is got when free, expired or one's own, and its epoch tells."""
    name = str(uuid4())
    now, holder, until, epoch = NOW, None, NOW, 0
    for asker, seconds, gives_back in steps:
        now += timedelta(seconds=seconds)
        if gives_back:
            async with ledger.begin() as connection:
                await leases.give_back(connection, name, asker, now)
            if asker == holder:
                until = now
            continue
        got = await take(ledger, name, asker, now)
        free = holder is None or until <= now
        if not free and asker != holder:
            assert got is None
            continue
        epoch += asker != holder
        holder, until = asker, now + TTL
        assert got == epoch


async def test_of_many_who_ask_at_once_one_gets_it(ledger: Ledger) -> None:
    """Eight connections at the same moment: one epoch, and the others are turned away."""

    async def ask(number: int) -> int | None:
        try:
            return await take(ledger, "redrive", f"worker-{number}", NOW)
        except (LedgerConflict, LedgerAway):
            return None

    got = await asyncio.gather(*(ask(number) for number in range(8)))
    assert [epoch for epoch in got if epoch is not None] == [1]
    got = await asyncio.gather(*(ask(number) for number in range(8)))
    # Its holder renews it, the others are turned away again.
    assert [epoch for epoch in got if epoch is not None] == [1]


async def test_who_slept_through_the_end_of_a_lease_can_tell(ledger: Ledger) -> None:
    """The epoch has grown when a lease came back to its first holder by way of another."""
    assert await take(ledger, "job", "a", NOW) == 1
    assert await take(ledger, "job", "a", NOW + TTL / 2) == 1
    assert await take(ledger, "job", "b", NOW + TTL) is None
    assert await take(ledger, "job", "b", NOW + 2 * TTL) == 2
    assert await take(ledger, "job", "a", NOW + 4 * TTL) == 3


async def test_nobody_ends_the_lease_of_another(ledger: Ledger) -> None:
    """Giving back what one does not hold changes nothing."""
    assert await take(ledger, "job", "a", NOW) == 1
    async with ledger.begin() as connection:
        await leases.give_back(connection, "job", "b", NOW)
    assert await take(ledger, "job", "b", NOW) is None
    async with ledger.begin() as connection:
        await leases.give_back(connection, "job", "a", NOW)
    assert await take(ledger, "job", "b", NOW) == 2


async def test_a_transaction_that_fails_takes_no_lease(ledger: Ledger) -> None:
    """A lease taken in a transaction that rolled back is still free."""
    with pytest.raises(RuntimeError):  # noqa: PT012 - the transaction is the statement
        async with ledger.begin() as connection:
            assert await leases.take(connection, "job", "a", now=NOW, ttl=TTL) == 1
            raise RuntimeError
    assert await take(ledger, "job", "b", NOW) == 1
