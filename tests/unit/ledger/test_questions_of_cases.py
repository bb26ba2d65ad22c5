"""Questions about cases and batches: each does what its docstring says, on both databases."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta
from uuid import uuid4

import pytest

from tests.unit.ledger.making import (
    LATER,
    NOW,
    STORES,
    a_batch,
    case_row,
    some_cases,
    state_of,
)
from topics.events import EventKind
from worker.core.lifecycle import CaseState
from worker.ledger import answers, batches, cases, endings
from worker.ledger.database import Ledger, LedgerConflict


async def test_a_case_is_read_as_it_was_accepted(ledger: Ledger) -> None:
    """Times come back in UTC to the microsecond, lists as tuples, words as they were."""
    async with ledger.begin() as connection:
        batch_id = await a_batch(connection)
        row = case_row(batch_id, channel="e-mail", purposes=["survey", "æøå"])
        await cases.accept(connection, [row])
        case = await cases.read(connection, row["id"])
        assert await cases.read(connection, uuid4()) is None
    assert case is not None
    assert (case.id, case.batch_id, case.source, case.event_id) == (
        row["id"], batch_id, "/tests", row["event_id"]
    )  # fmt: skip
    assert case.kind is EventKind.ERASURE_REQUESTED
    assert case.purposes == ("survey", "æøå")
    assert case.event_time == case.received_at == NOW
    assert case.due_on == date(2026, 4, 10)
    assert (case.state, case.reason, case.closed_at) == (CaseState.OPEN, None, None)


async def test_an_event_that_was_accepted_is_known(ledger: Ledger) -> None:
    """Dedupe: of the ids asked for, those that are there."""
    async with ledger.begin() as connection:
        ids = await some_cases(connection, await a_batch(connection), 3)
        assert await cases.known(connection, [ids[0], ids[2], uuid4()]) == {ids[0], ids[2]}
        assert await cases.known(connection, []) == set()


async def test_a_case_accepted_twice_is_a_conflict_and_writes_nothing(ledger: Ledger) -> None:
    """Two workers with the same event: the second one's whole batch is as if it had not been."""
    async with ledger.begin() as connection:
        batch_id = await a_batch(connection)
        row = case_row(batch_id)
        await cases.accept(connection, [row])
    other = case_row(batch_id)
    with pytest.raises(LedgerConflict) as conflict:
        async with ledger.begin() as connection:
            await cases.accept(connection, [other, row])
    assert str(row["id"]) not in str(conflict.value)
    assert conflict.value.__cause__ is None
    async with ledger.begin() as connection:
        assert await cases.known(connection, [other["id"]]) == set()


async def test_cases_are_listed_by_deadline_and_counted_by_state(ledger: Ledger) -> None:
    """The most urgent first, the ended last, in one state or all, no more than asked for."""
    async with ledger.begin() as connection:
        batch_id = await a_batch(connection)
        (late,) = await some_cases(connection, batch_id, due_on=date(2026, 5, 1))
        (soon,) = await some_cases(connection, batch_id, due_on=date(2026, 4, 1))
        (done,) = await some_cases(connection, batch_id, due_on=date(2026, 3, 1))
        (parked,) = await some_cases(
            connection, batch_id, due_on=date(2026, 4, 15), state="parked", reason={"why": "x"}
        )
        answer_id = await answers.open_answer(connection, batch_id, None, NOW)
        await endings.end(connection, [done], state=CaseState.CLOSED, answer_id=answer_id, now=NOW)
        every = await cases.listed(connection, state=None, limit=10)
        assert [case.id for case in every] == [soon, parked, late, done]
        only = await cases.listed(connection, state=CaseState.OPEN, limit=1)
        assert [case.id for case in only] == [soon]
        assert await cases.counts(connection) == {
            CaseState.OPEN: 2, CaseState.PARKED: 1, CaseState.CLOSED: 1
        }  # fmt: skip


async def test_the_open_cases_of_a_batch(ledger: Ledger) -> None:
    """What a command may still act for: not the ended, not the parked, not another batch's."""
    async with ledger.begin() as connection:
        batch_id, other = await a_batch(connection), await a_batch(connection)
        first, second, third = await some_cases(connection, batch_id, 3)
        await some_cases(connection, other)
        await cases.set_aside(connection, third, other, CaseState.PARKED, {"why": "x"})
        answer_id = await answers.open_answer(connection, batch_id, None, NOW)
        await endings.end(
            connection, [second], state=CaseState.CLOSED, answer_id=answer_id, now=NOW
        )
        assert await cases.open_ids(connection, batch_id) == {first}
        assert await cases.of_batch(connection, batch_id) == {
            first: (EventKind.ERASURE_REQUESTED, ("newsletter",))
        }


async def test_a_case_ends_once(ledger: Ledger) -> None:
    """What ended before stays as it is, in state, time, reason and answer."""
    async with ledger.begin() as connection:
        batch_id = await a_batch(connection)
        first, second = await some_cases(connection, batch_id, 2)
        one = await answers.open_answer(connection, batch_id, None, NOW)
        two = await answers.open_answer(connection, batch_id, None, LATER)
        ended = await endings.end(
            connection, [first], state=CaseState.CLOSED, answer_id=one, now=NOW
        )
        assert [(e.id, e.state, e.closed_at) for e in ended] == [(first, "closed", NOW)]
        again = await endings.end(
            connection, [first, second], state=CaseState.SUPERSEDED, answer_id=two, now=LATER,
            reason={"why": "newer-consent"},
        )  # fmt: skip
        assert [e.id for e in again] == [second]
        assert (
            await endings.end(connection, [], state=CaseState.CLOSED, answer_id=two, now=LATER)
            == []
        )
        assert [e.id for e in await endings.ended_by(connection, one)] == [first]
        assert await endings.ended_by(connection, two) == again
        assert again[0].reason == {"why": "newer-consent"}
        case = await cases.read(connection, first)
        assert case is not None
        assert (case.state, case.closed_at, case.reason) == (CaseState.CLOSED, NOW, None)


async def test_only_cases_of_the_batch_end_when_one_is_named(ledger: Ledger) -> None:
    """A case that was moved away meanwhile is not closed by its old batch."""
    async with ledger.begin() as connection:
        old, new = await a_batch(connection), await a_batch(connection)
        stays, moves = await some_cases(connection, old, 2)
        await cases.move(connection, [moves], new)
        answer_id = await answers.open_answer(connection, old, None, NOW)
        ended = await endings.end(
            connection, [stays, moves], state=CaseState.CLOSED, answer_id=answer_id, now=NOW,
            batch_id=old,
        )  # fmt: skip
        assert [e.id for e in ended] == [stays]
        assert await state_of(connection, moves) is CaseState.OPEN


async def test_parking_and_moving(ledger: Ledger) -> None:
    """Only an open case is parked; moving opens a parked one and leaves an ended one alone."""
    async with ledger.begin() as connection:
        batch_id, own, new = [await a_batch(connection) for _ in range(3)]
        parked, ended = await some_cases(connection, batch_id, 2)
        answer_id = await answers.open_answer(connection, batch_id, None, NOW)
        await endings.end(connection, [ended], state=CaseState.CLOSED, answer_id=answer_id, now=NOW)
        for case_id in (parked, ended):
            await cases.set_aside(
                connection, case_id, own, CaseState.PARKED, {"why": "ambiguous", "people": 2}
            )
        case = await cases.read(connection, parked)
        assert case is not None
        assert (case.state, case.batch_id) == (CaseState.PARKED, own)
        assert case.reason == {"why": "ambiguous", "people": 2}
        assert await state_of(connection, ended) is CaseState.CLOSED
        await cases.move(connection, [parked, ended], new)
        case = await cases.read(connection, parked)
        assert case is not None
        assert (case.state, case.batch_id, case.reason) == (CaseState.OPEN, new, None)
        assert await state_of(connection, ended) is CaseState.CLOSED


async def test_a_batch_with_nothing_to_plan_is_finished_at_once(ledger: Ledger) -> None:
    """Consents alone need no store: no payload, no stores left, nothing for redrive to plan."""
    async with ledger.begin() as connection:
        batch_id = await a_batch(connection, payload=None)
        batch = await batches.read(connection, batch_id)
        assert batch is not None
        assert (batch.payload, batch.stores_left) == (None, ())
        await batches.stopped(connection, batch_id, NOW)
        assert await batches.waiting(connection, LATER, 10) == []
        assert await batches.read(connection, 4711) is None
        assert await batches.lock(connection, 4711) is None


async def test_a_batch_is_planned_store_by_store(ledger: Ledger) -> None:
    """Each look notes what is left and counts itself; with nothing left the batch is planned."""
    async with ledger.begin() as connection:
        batch_id = await a_batch(connection)
        await batches.stopped(connection, batch_id, NOW)
        await batches.planned(
            connection, batch_id, stores_left=["crm"], policy="v1", now=NOW, due_at=LATER,
            payload=b"more", key_id="k2",
        )  # fmt: skip
        batch = await batches.lock(connection, batch_id)
        assert batch is not None
        assert (batch.stores_left, batch.payload, batch.key_id, batch.attempts) == (
            ("crm",), b"more", "k2", 1
        )  # fmt: skip
        assert await batches.waiting(connection, NOW, 10) == []
        assert await batches.waiting(connection, LATER, 10) == [(batch_id, False)]
        await batches.planned(
            connection, batch_id, stores_left=[], policy="v1", now=NOW, due_at=LATER
        )
        assert await batches.waiting(connection, LATER, 10) == []


async def test_redrive_sees_what_is_due_and_not_done(ledger: Ledger) -> None:
    """Unplanned or unstopped batches whose time has come, oldest first, no more than asked for."""
    async with ledger.begin() as connection:
        second = await a_batch(connection, due_at=NOW)
        first = await a_batch(connection, due_at=NOW - timedelta(minutes=1))
        await a_batch(connection, due_at=LATER)
        await batches.stopped(connection, first, NOW)
        assert await batches.waiting(connection, NOW, 10) == [(first, False), (second, True)]
        assert await batches.waiting(connection, NOW, 1) == [(first, False)]
        await batches.postpone(connection, first, LATER)
        assert await batches.waiting(connection, NOW, 10) == [(second, True)]


async def test_a_planned_batch_without_its_stop_is_still_due(ledger: Ledger) -> None:
    """The stop is told even when everything else of the batch is done."""
    async with ledger.begin() as connection:
        batch_id = await a_batch(connection)
        await batches.planned(
            connection, batch_id, stores_left=[], policy="v1", now=NOW, due_at=NOW
        )
        assert await batches.waiting(connection, NOW, 10) == [(batch_id, True)]


async def test_a_batch_forgets_its_identifiers_when_nobody_needs_them(ledger: Ledger) -> None:
    """Not before it is planned, not while a case is open or parked; then the payload is gone."""
    async with ledger.begin() as connection:
        batch_id = await a_batch(connection)
        first, second = await some_cases(connection, batch_id, 2)
        answer_id = await answers.open_answer(connection, batch_id, None, NOW)

        async def payload() -> bytes | None:
            await batches.finish(connection, batch_id, NOW)
            batch = await batches.read(connection, batch_id)
            assert batch is not None
            return batch.payload

        await endings.end(connection, [first], state=CaseState.CLOSED, answer_id=answer_id, now=NOW)
        assert await payload() == b"sealed"
        await cases.set_aside(connection, second, batch_id, CaseState.PARKED, {"why": "x"})
        await batches.planned(
            connection, batch_id, stores_left=[], policy="v1", now=NOW, due_at=NOW
        )
        assert await payload() == b"sealed"
        await endings.end(
            connection, [second], state=CaseState.REJECTED, answer_id=answer_id, now=NOW
        )
        assert await payload() is None


async def test_batches_whose_stop_nobody_told(ledger: Ledger) -> None:
    """An event that comes again finds its batch as long as the stop is not known to be out."""
    async with ledger.begin() as connection:
        told, untold = await a_batch(connection), await a_batch(connection)
        a = await some_cases(connection, told, 2)
        b = await some_cases(connection, untold, 2)
        await batches.stopped(connection, told, NOW)
        assert await batches.unannounced(connection, [*a, *b]) == [untold]
        assert await batches.unannounced(connection, a) == []
        assert await batches.unannounced(connection, []) == []


async def test_who_holds_a_batch_holds_it_alone(ledger: Ledger) -> None:
    """Two stores that settle at once come one after the other, and the second sees the first."""
    async with ledger.begin() as connection:
        batch_id = await a_batch(connection)

    async def note(store: str) -> None:
        async with ledger.begin() as connection:
            batch = await batches.lock(connection, batch_id)
            assert batch is not None
            left = [name for name in batch.stores_left if name != store]
            await batches.planned(
                connection, batch_id, stores_left=left, policy="v1", now=NOW, due_at=NOW
            )

    await asyncio.gather(*(note(store) for store in STORES))
    async with ledger.begin() as connection:
        batch = await batches.read(connection, batch_id)
    assert batch is not None
    assert batch.stores_left == ()
