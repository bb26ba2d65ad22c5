"""Questions about the record of consents, on both databases."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from tests.unit.ledger.making import NOW, a_batch, some_cases
from topics.events import EventKind
from worker.core.decisions import ConsentState
from worker.core.lifecycle import CaseState
from worker.ledger import answers, consents, endings
from worker.ledger.database import Connection, Ledger

P, Q = b"p" * 32, b"q" * 32


async def recorded(
    connection: Connection, batch_id: int, *rows: tuple[bytes, str, str, int], **case: Any
) -> UUID:
    """A case that recorded (pseudonym, purpose, effect, minutes after NOW)."""
    (case_id,) = await some_cases(connection, batch_id, **case)
    await consents.record(
        connection,
        [
            (p, purpose, case_id, effect, NOW + timedelta(minutes=m))
            for p, purpose, effect, m in rows
        ],
    )
    return case_id


async def test_the_newest_of_each_effect_is_the_state(ledger: Ledger) -> None:
    """In whatever order rows were written; an objection is a withdrawal too; purposes are apart."""
    async with ledger.begin() as connection:
        batch_id = await a_batch(connection)
        await recorded(connection, batch_id, (P, "newsletter", "given", 5))
        await recorded(connection, batch_id, (P, "newsletter", "withdrawn", 9))
        await recorded(connection, batch_id, (P, "newsletter", "withdrawn", 1))
        await recorded(connection, batch_id, (P, "newsletter", "objected", 3))
        await recorded(connection, batch_id, (P, "survey", "objected", 2), (Q, "x", "given", 1))

        def at(minutes: int) -> datetime:
            return NOW + timedelta(minutes=minutes)

        assert await consents.states(connection, [P]) == {
            P: {
                "newsletter": ConsentState(at(9), at(3), at(5)),
                "survey": ConsentState(at(2), at(2), None),
            }
        }
        assert await consents.states(connection, []) == {}
        assert await consents.states(connection, [b"0" * 32]) == {}


async def test_a_case_stands_under_all_the_pseudonyms_it_recorded(ledger: Ledger) -> None:
    """What is known of a subject is what is known under any of its event's identifiers."""
    async with ledger.begin() as connection:
        batch_id = await a_batch(connection)
        both = await recorded(
            connection,
            batch_id,
            (P, "newsletter", "withdrawn", 1),
            (Q, "newsletter", "withdrawn", 1),
        )
        only = await recorded(connection, batch_id, (Q, "newsletter", "given", 7))
        states = await consents.states_of_cases(connection, [both, only])
        expected = ConsentState(NOW + timedelta(minutes=1), None, NOW + timedelta(minutes=7))
        assert states == {both: {"newsletter": expected}, only: {"newsletter": expected}}
        assert await consents.pseudonyms_of_cases(connection, [both, only]) == {
            both: {P, Q}, only: {Q}
        }  # fmt: skip
        assert await consents.pseudonyms_of_batch(connection, batch_id) == {P, Q}
        assert await consents.states_of_cases(connection, []) == {}


async def test_cases_that_stand_for_a_pseudonym(ledger: Ledger) -> None:
    """Open and parked ones that stopped something; not those that gave, not those that ended."""
    async with ledger.begin() as connection:
        batch_id = await a_batch(connection)
        open_ = await recorded(
            connection, batch_id, (P, "newsletter", "withdrawn", 1), (P, "survey", "withdrawn", 1)
        )
        parked = await recorded(
            connection, batch_id, (P, "x", "objected", 1), state="parked", reason={"why": "x"}
        )
        await recorded(connection, batch_id, (P, "newsletter", "given", 2))
        await recorded(connection, batch_id, (Q, "newsletter", "withdrawn", 2))
        done = await recorded(connection, batch_id, (P, "newsletter", "withdrawn", 3))
        answer_id = await answers.open_answer(connection, batch_id, None, NOW)
        await endings.end(connection, [done], state=CaseState.CLOSED, answer_id=answer_id, now=NOW)
        standing = await consents.standing(connection, [P])
        assert {case.case_id for case in standing} == {open_, parked}
        assert {case.kind for case in standing} == {EventKind.ERASURE_REQUESTED}
        assert await consents.standing(connection, []) == []
