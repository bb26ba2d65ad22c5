"""Why is this kept? Asked of the real stores, before and after the person has spoken."""

from __future__ import annotations

from datetime import date

import pytest

from tests.support.nordlys import Person, today, withdrawal
from tests.support.world import World
from worker.context import NotPossible
from worker.core.explaining import GroupLine
from worker.explain import explain_row, explain_subject

pytestmark = pytest.mark.asyncio(loop_scope="module")

TODAY = today()


async def explained(town: World, person: Person, day: date = TODAY) -> dict[str, GroupLine]:
    """Every field group that is held of a person, by name."""
    async with town.context() as context:
        found, silent = await explain_subject(
            context, {"customer_id": person.customer_no, "email": person.email}, day
        )
    assert silent == []
    return {f"{row.store}/{line.group}": line for row in found for line in row.groups}


async def test_an_explanation_is_what_is_then_done(town: World) -> None:
    """What is explained to be kept is kept until the day that was named, by what was named."""
    person = Person(contract_ended=None, invoices=[date(2026, 3, 10)])
    await town.stores.add(person)
    before = await explained(town, person)
    invoice = before["billing/invoice.buyer_name+buyer_address"]
    assert (invoice.kept, invoice.until) == (True, date(2032, 1, 1))
    assert "bokføringsloven § 13" in invoice.grounds[0].terms.reference
    assert before["newsletter/subscriber.email+name"].kept
    withdrawn = withdrawal(person)
    await town.publish(withdrawn)
    await town.until_told(withdrawn)
    outcomes = await town.outcomes(withdrawn)
    after = await explained(town, person)
    assert "newsletter/subscriber.email+name" not in after
    for name, line in after.items():
        if line.kept:
            until = line.until.isoformat() if line.until else None
            assert (outcomes[name]["result"], outcomes[name]["until"]) == ("retained", until)
    email = {g.ground: g.why for g in after["crm/customer.email"].grounds}
    assert email["newsletter-consent"] == "ended by the person"


async def test_another_day(town: World) -> None:
    """On the first day without a ground the same invoice is kept by nothing."""
    person = Person(contract_ended=None, invoices=[date(2026, 3, 10)])
    await town.stores.add(person)
    for day, kept in ((date(2031, 12, 31), True), (date(2032, 1, 1), False)):
        lines = await explained(town, person, day)
        assert lines["billing/invoice.buyer_name+buyer_address"].kept is kept


async def test_one_row(town: World) -> None:
    """A row is explained by its own key, with the consents of its person; others are refused."""
    person = Person(contract_ended=None)
    await town.stores.add(person)
    async with town.context() as context:
        (row,) = await explain_row(context, "crm", "customer", [person.customer_no], TODAY)
        assert {line.group for line in row.groups} >= {"customer.email"}
        with pytest.raises(NotPossible, match="no row with this key"):
            await explain_row(context, "crm", "customer", ["nobody"], TODAY)
        with pytest.raises(NotPossible, match="it has: contact_log, customer"):
            await explain_row(context, "crm", "costumer", ["x"], TODAY)
        with pytest.raises(NotPossible, match="there is no store"):
            await explain_row(context, "crn", "customer", ["x"], TODAY)
