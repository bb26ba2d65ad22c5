"""Questions about pauses and about what operators did, on both kinds of ledger."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.unit.ledger.making import NOW, a_batch, a_command, some_cases
from worker.ledger import actions, commands, leases, pauses
from worker.ledger.actions import Did, Origin, Who
from worker.ledger.batches import Lane
from worker.ledger.database import Connection, Ledger, LedgerConflict

LONG = timedelta(hours=1)
SOON = timedelta(minutes=1)


async def a_pause(connection: Connection, store: str = "crm", *, draining: bool = False) -> int:
    """Let a store rest."""
    return await pauses.place(
        connection, store, by="Kari Nordmann", reason="restore test", draining=draining, now=NOW
    )


async def test_a_store_rests_once(ledger: Ledger) -> None:
    """A second pause of the same store is refused while the first one stands; then it is taken."""
    async with ledger.begin() as connection:
        first = await a_pause(connection)
        await a_pause(connection, "billing")
    with pytest.raises(LedgerConflict):
        async with ledger.begin() as connection:
            await a_pause(connection)
    async with ledger.begin() as connection:
        await pauses.resume(connection, first, by="Ola", reason=None, now=NOW)
        await a_pause(connection)
        assert [one.store for one in await pauses.standing(connection)] == ["billing", "crm"]


async def test_what_rests_is_neither_taken_nor_driven(ledger: Ledger) -> None:
    """A draining store takes what is in hand and has nothing driven; another one goes on."""
    async with ledger.begin() as connection:
        batch_id = await a_batch(connection)
        command = await a_command(connection, batch_id, await some_cases(connection, batch_id))

        async def state() -> tuple[bool, int, bool]:
            due = await commands.due(connection, NOW + LONG, 10)
            rests = await commands.rests(connection, command)
            taken = await commands.take(connection, command, now=NOW, due_at=NOW)
            return rests, len(due), taken is not None

        (before,) = await commands.listed(connection)
        assert await state() == (False, 1, True)
        pause = await a_pause(connection, before.store, draining=True)
        await a_pause(connection, "another")
        assert await state() == (False, 0, True)
        await pauses.stop_draining(connection, pause)
        assert await state() == (True, 0, False)
        (line,) = await commands.listed(connection)
        assert line.attempts == 2
        await pauses.resume(connection, pause, by="Ola", reason="done", now=NOW)
        assert await state() == (False, 1, True)


async def test_what_lies_on_its_topic_is_not_driven_at_once(ledger: Ledger) -> None:
    """After a pause redrive waits with what was published, and not with what never was."""
    async with ledger.begin() as connection:
        batch_id = await a_batch(connection)
        ids = [
            await a_command(connection, batch_id, await some_cases(connection, batch_id))
            for _ in range(2)
        ]
        await commands.published(connection, ids[:1], now=NOW, due_at=NOW)
        (line, _) = await commands.listed(connection)
        await pauses.leave_in_transport(connection, line.store, NOW + LONG)
        due = await commands.due(connection, NOW + LONG - SOON, 10)
        assert [issued.id for issued, _ in due] == ids[1:]


async def test_a_drain_ends_when_nobody_has_anything_in_hand(ledger: Ledger) -> None:
    """Not before everybody has heard, not while one has work, but in spite of one that died."""
    async with ledger.begin() as connection:
        pause = await a_pause(connection, draining=True)

        async def draining(heard: timedelta, now: timedelta) -> bool:
            await pauses.end_drained(connection, NOW + heard, NOW + now)
            (one,) = await pauses.standing(connection)
            return one.draining

        await pauses.report(connection, pause, "one", Lane.PEOPLE, 3, NOW)
        await pauses.report(connection, pause, "one", Lane.SWEEPS, 0, NOW)
        assert await draining(SOON, pauses.FRESH / 2)
        await pauses.report(connection, pause, "one", Lane.PEOPLE, 0, NOW)
        assert await draining(-SOON, SOON)
        await pauses.report(connection, pause, "two", Lane.PEOPLE, 1, NOW)
        assert await draining(SOON, pauses.FRESH / 2)
        assert not await draining(SOON, pauses.FRESH)


async def test_who_may_be_at_work_is_told_by_the_ledger(ledger: Ledger) -> None:
    """A command that was begun lately and not ended, or a sweep's lease; in this store alone."""
    async with ledger.begin() as connection:
        batch_id = await a_batch(connection)
        command = await a_command(connection, batch_id, await some_cases(connection, batch_id))
        (line,) = await commands.listed(connection)

        async def busy(store: str = line.store, since: timedelta = -SOON) -> bool:
            return await pauses.busy(connection, store, NOW + since, NOW)

        assert not await busy()
        await commands.take(connection, command, now=NOW, due_at=NOW)
        assert (await busy(), await busy("another"), await busy(since=SOON)) == (True, False, False)
        await commands.failed(connection, command, "away: no route", due_at=NOW)
        assert not await busy()
        await leases.take(connection, f"sweep:{line.store}", "one", now=NOW, ttl=SOON)
        assert (await busy(), await busy("another")) == (True, False)
        await leases.give_back(connection, f"sweep:{line.store}", "one", NOW)
        assert not await busy()


async def test_what_operators_did_is_told_newest_first(ledger: Ledger) -> None:
    """All of it, or of some targets; each target of one decision is a row of its own."""
    async with ledger.begin() as connection:
        kari = Who("Kari", "mended", Origin.CLI)
        await actions.note(connection, NOW, kari, Did.RETRIED, "command:1", "command:2")
        await actions.note(connection, NOW, Who("Ola", None, Origin.PAGE), Did.STORE_PAUSED, "s:x")
        every = await actions.listed(connection)
        assert [one.target for one in every] == ["s:x", "command:2", "command:1"]
        assert (every[0].at, every[0].origin, every[0].reason) == (NOW, Origin.PAGE, None)
        (one,) = await actions.listed(connection, targets=["command:1"])
        assert (one.by, one.what, one.reason) == ("Kari", Did.RETRIED, "mended")
        assert len(await actions.listed(connection, limit=2)) == 2
