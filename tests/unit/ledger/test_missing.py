"""The ledger lists what is kept because a date is missing."""

from __future__ import annotations

from tests.unit.ledger.making import NOW, a_batch, a_command, some_cases
from worker.ledger import answers, missing
from worker.ledger.answers import Receipt
from worker.ledger.database import Ledger


async def test_missing_dates_are_listed_with_their_place(ledger: Ledger) -> None:
    """Cases, newest first, each with its stores and groups; others are left out."""
    unknown = {"group": "invoice.buyer", "result": "retained", "why": "unknown-anchor"}
    other = {"group": "account.bank", "result": "erased", "rows": 1}
    async with ledger.begin() as connection:
        batch_id = await a_batch(connection)
        one, two, three = await some_cases(connection, batch_id, 3)
        command_id = await a_command(connection, batch_id, [one, two, three])
        answer_id = await answers.open_answer(connection, batch_id, command_id, NOW)
        await answers.add_receipts(
            connection,
            answer_id,
            [
                Receipt([one, two], "billing", [unknown, other], NOW, "v1"),
                Receipt([three], "billing", [other], NOW, "v1"),
                Receipt([two], "crm", [{**unknown, "group": "log.text"}], NOW, "v1"),
            ],
        )
        assert await missing.dates(connection, 10) == {
            one: ("billing/invoice.buyer",),
            two: ("billing/invoice.buyer", "crm/log.text"),
        }
        assert len(await missing.dates(connection, 1)) == 1
