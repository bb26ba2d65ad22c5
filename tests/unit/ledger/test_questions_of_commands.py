"""Questions about commands, answers and consents, on both databases."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from tests.unit.ledger.making import LATER, NOW, a_batch, a_command, some_cases
from worker.ledger import answers, batch_commands, batches, cases, commands
from worker.ledger.answers import Receipt
from worker.ledger.batches import Lane
from worker.ledger.commands import Command, Issued
from worker.ledger.database import Connection, Ledger, LedgerConflict

P, Q = b"p" * 32, b"q" * 32


async def taken(connection: Connection, command_id: int) -> Command:
    """Take a command that is open."""
    command = await commands.take(connection, command_id, now=NOW, due_at=LATER)
    assert command is not None
    return command


async def test_a_command_is_taken_as_it_was_issued(ledger: Ledger) -> None:
    """The attempt is noted before any effect; ids, shape and payload are those given."""
    async with ledger.begin() as connection:
        batch_id = await a_batch(connection)
        ids = await some_cases(connection, batch_id, 3)
        command_id = await a_command(connection, batch_id, ids)
        command = await taken(connection, command_id)
        assert command == Command(
            id=command_id, batch_id=batch_id, store="crm", kind=commands.CommandKind.ERASE,
            shape=("a", "b"), policy="v1",
            case_ids=tuple(ids), payload=b"sealed", key_id="k1", state="open", attempts=1,
            failures=0, lane=Lane.PEOPLE,
        )  # fmt: skip
        assert not command.interrupted
        assert await commands.take(connection, 4711, now=NOW, due_at=LATER) is None


async def test_an_attempt_that_nobody_finished_makes_the_next_one_interrupted(
    ledger: Ledger,
) -> None:
    """Only an attempt that certainly rolled back is not counted as one that may have worked."""
    async with ledger.begin() as connection:
        batch_id = await a_batch(connection)
        command_id = await a_command(connection, batch_id, await some_cases(connection, batch_id))
        assert not (await taken(connection, command_id)).interrupted
        await commands.failed(connection, command_id, "unavailable", due_at=LATER)
        assert not (await taken(connection, command_id)).interrupted
        assert (await taken(connection, command_id)).interrupted
        await commands.failed(connection, command_id, "unavailable", due_at=LATER)
        assert (await taken(connection, command_id)).interrupted
        again = await a_command(
            connection, batch_id, await some_cases(connection, batch_id), attempts=1
        )
        assert (await taken(connection, again)).interrupted


async def test_a_command_settles_once_and_drops_its_keys(ledger: Ledger) -> None:
    """The second to settle is told; a settled command is not taken, failed or buried again."""
    async with ledger.begin() as connection:
        batch_id = await a_batch(connection)
        command_id = await a_command(connection, batch_id, await some_cases(connection, batch_id))
        command = await taken(connection, command_id)
        assert await commands.settle(connection, command, LATER)
        assert not await commands.settle(connection, command, LATER)
        assert not await commands.bury(connection, command_id, "x", rolled_back=True)
        assert await commands.take(connection, command_id, now=NOW, due_at=LATER) is None
        (line,) = await commands.listed(connection, state="settled")
        assert (line.id, line.settled_at, line.attempts) == (command_id, LATER, 1)


async def test_who_did_not_know_of_another_attempt_may_not_settle(ledger: Ledger) -> None:
    """Two attempts side by side: the one that counted on being alone leaves it to the other."""
    async with ledger.begin() as connection:
        batch_id = await a_batch(connection)
        command_id = await a_command(connection, batch_id, await some_cases(connection, batch_id))
        first = await taken(connection, command_id)
        second = await taken(connection, command_id)
        assert not await commands.settle(connection, first, NOW)
        assert second.interrupted
        assert await commands.settle(connection, second, NOW)


async def test_a_dead_letter_waits_and_may_be_revived(ledger: Ledger) -> None:
    """It keeps its keys and its fault, is not due for redrive, and opens again for a retry."""
    async with ledger.begin() as connection:
        batch_id = await a_batch(connection)
        command_id = await a_command(connection, batch_id, await some_cases(connection, batch_id))
        await taken(connection, command_id)
        assert await commands.bury(connection, command_id, "constraint: x", rolled_back=True)
        assert await commands.due(connection, LATER + timedelta(days=99), 10) == []
        assert await commands.take(connection, command_id, now=NOW, due_at=LATER) is None
        (line,) = await commands.listed(connection, state="dead")
        assert (line.id, line.fault) == (command_id, "constraint: x")
        assert await commands.revive(connection, [command_id, 4711], due_at=NOW) == [
            Issued("crm", command_id)
        ]
        assert await commands.revive(connection, [command_id], due_at=NOW) == []
        revived = await taken(connection, command_id)
        assert revived.payload == b"sealed"
        assert not revived.interrupted


async def test_a_letter_that_died_after_its_effect_is_interrupted_when_revived(
    ledger: Ledger,
) -> None:
    """Verification failed, so part of the effect may be there: the repeat must say so."""
    async with ledger.begin() as connection:
        batch_id = await a_batch(connection)
        command_id = await a_command(connection, batch_id, await some_cases(connection, batch_id))
        await taken(connection, command_id)
        await commands.bury(connection, command_id, "not-gone", rolled_back=False)
        await commands.revive(connection, [command_id], due_at=NOW)
        assert (await taken(connection, command_id)).interrupted


async def test_commands_that_do_not_move_are_due(ledger: Ledger) -> None:
    """Open ones whose time has come, oldest first; publishing, trying and driving put them off."""
    async with ledger.begin() as connection:
        batch_id = await a_batch(connection)
        ids = await some_cases(connection, batch_id)
        second = await a_command(connection, batch_id, ids, due_at=NOW)
        first = await a_command(
            connection, batch_id, ids, store="billing", due_at=NOW - timedelta(seconds=1)
        )
        await a_command(connection, batch_id, ids, due_at=LATER)
        assert await commands.due(connection, NOW, 10) == [
            (Issued("billing", first), 0), (Issued("crm", second), 0)
        ]  # fmt: skip
        assert await commands.due(connection, NOW, 1) == [(Issued("billing", first), 0)]
        await commands.driven(connection, first, NOW)
        assert (Issued("billing", first), 1) in await commands.due(connection, NOW, 10)
        await commands.published(connection, [first], now=NOW, due_at=LATER)
        await taken(connection, second)
        assert await commands.due(connection, NOW, 10) == []


async def test_cases_that_wait_for_a_store(ledger: Ledger) -> None:
    """A case in an open or dead command of its batch cannot close; a settled one frees it."""
    async with ledger.begin() as connection:
        batch_id, other = await a_batch(connection), await a_batch(connection)
        one, two, three = await some_cases(connection, batch_id, 3)
        crm = await a_command(connection, batch_id, [one, two])
        billing = await a_command(connection, batch_id, [two, three], store="billing")
        await a_command(connection, other, await some_cases(connection, other))
        assert await batch_commands.cases_in_unsettled(connection, batch_id) == {one, two, three}
        assert await batch_commands.cases_by_store(connection, batch_id) == {
            "crm": {one, two}, "billing": {two, three}
        }  # fmt: skip
        assert await commands.settle(connection, await taken(connection, crm), NOW)
        assert await batch_commands.cases_in_unsettled(connection, batch_id) == {two, three}
        await taken(connection, billing)
        await commands.bury(connection, billing, "x", rolled_back=True)
        assert await batch_commands.cases_in_unsettled(connection, batch_id) == {two, three}


async def test_commands_are_listed_for_an_operator(ledger: Ledger) -> None:
    """By batch, by state, oldest first, no more than asked for."""
    async with ledger.begin() as connection:
        batch_id, other = await a_batch(connection), await a_batch(connection)
        ids = [
            await a_command(connection, b, await some_cases(connection, b))
            for b in (batch_id, batch_id, other)
        ]
        assert [c.id for c in await commands.listed(connection)] == ids
        assert [c.id for c in await commands.listed(connection, batch_id=batch_id)] == ids[:2]
        assert await commands.listed(connection, state="dead") == []
        assert [c.id for c in await commands.listed(connection, limit=1)] == ids[:1]


async def test_answers_and_their_receipts(ledger: Ledger) -> None:
    """What was settled is read back as it was written, with the policy it was decided under."""
    outcomes = [{"group": "customer.name", "result": "erased", "rows": 2}]
    async with ledger.begin() as connection:
        batch_id = await a_batch(connection)
        await batches.planned(
            connection, batch_id, stores_left=[], policy="v2", now=NOW, due_at=NOW
        )
        one, two = await some_cases(connection, batch_id, 2)
        command_id = await a_command(connection, batch_id, [one, two])
        by_command = await answers.open_answer(connection, batch_id, command_id, NOW)
        without = await answers.open_answer(connection, batch_id, None, LATER)
        await answers.add_receipts(
            connection, by_command, [Receipt([one, two], "crm", outcomes, NOW, "v1")]
        )
        await answers.add_receipts(
            connection,
            without,
            [
                Receipt([one], "billing", outcomes, LATER, "v2"),
                Receipt([two], "billing", [], LATER, "v2"),
            ],
        )
        answer = await answers.read(connection, by_command)
        assert answer is not None
        assert (answer.command_id, answer.policy, answer.created_at) == (command_id, "v1", NOW)
        answer = await answers.read(connection, without)
        assert answer is not None
        assert (answer.command_id, answer.policy) == (None, "v2")
        assert await answers.read(connection, 4711) is None
        found = await answers.receipts_of(connection, by_command)
        assert found == [Receipt([one, two], "crm", outcomes, NOW, "v1")]
        assert await answers.receipts_of_case(connection, one) == [
            *found, Receipt([one], "billing", outcomes, LATER, "v2")
        ]  # fmt: skip
        assert await answers.receipts_of_case(connection, uuid4()) == []
        assert await answers.cases_by_store(connection, batch_id) == {"billing": {one, two}}


async def test_an_answer_is_unpublished_until_it_was_told(ledger: Ledger) -> None:
    """Redrive sees answers that nobody has told, once they are old enough, oldest first."""
    async with ledger.begin() as connection:
        batch_id = await a_batch(connection)
        command_id = await a_command(connection, batch_id, await some_cases(connection, batch_id))
        late = await answers.open_answer(connection, batch_id, None, LATER)
        early = await answers.open_answer(connection, batch_id, command_id, NOW)
        assert await answers.unpublished(connection, NOW, 10) == [early]
        assert await answers.unpublished(connection, LATER, 10) == [early, late]
        assert await answers.unpublished(connection, LATER, 1) == [early]
        assert await answers.of_command(connection, command_id) == early
        await answers.published(connection, early, LATER)
        assert await answers.unpublished(connection, LATER, 10) == [late]
        assert await answers.of_command(connection, command_id) is None


async def test_a_transaction_that_fails_leaves_nothing(ledger: Ledger) -> None:
    """Rows by COPY and rows by INSERT go together or not at all."""
    case_ids: list[UUID] = []
    with pytest.raises(RuntimeError):  # noqa: PT012 - the transaction is the statement
        async with ledger.begin() as connection:
            case_ids += await some_cases(connection, await a_batch(connection), 50)
            raise RuntimeError
    async with ledger.begin() as connection:
        assert await cases.known(connection, case_ids) == set()


async def test_writers_at_once_come_one_after_the_other_or_conflict(ledger: Ledger) -> None:
    """Ten intakes of the same event at the same moment: one case, nine that are told."""
    shared = uuid4()

    async def accept() -> bool:
        try:
            async with ledger.begin() as connection:
                await some_cases(connection, await a_batch(connection), id=shared)
        except LedgerConflict:
            return False
        return True

    done = await asyncio.gather(*(accept() for _ in range(10)))
    assert done.count(True) == 1
    async with ledger.begin() as connection:
        assert await cases.known(connection, [shared]) == {shared}
        # Nobody who conflicted left a batch behind.
        assert len(await batches.waiting(connection, LATER, 100)) == 1
