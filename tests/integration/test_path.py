"""The whole path, from an event on Kafka to rows in three databases and a completion on Kafka."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from tests.support.judging import (
    assert_gone_honestly,
    assert_receipts_published,
    assert_told_once,
)
from tests.support.nordlys import (
    Person,
    about,
    consent,
    erasure,
    event,
    objection,
    today,
    traces,
    withdrawal,
)
from tests.support.world import World, id_of
from topics import names
from topics.publishing import Mode

pytestmark = pytest.mark.asyncio(loop_scope="module")

MODES: list[Mode] = ["structured", "binary"]
NOW = datetime.now(UTC)


@pytest.mark.parametrize("mode", MODES)
async def test_a_request_for_erasure_erases_in_every_store(town: World, mode: Mode) -> None:
    """A former customer vanishes from all three stores, verified, told, and nobody else does."""
    person, other = Person(subscriptions=2, contacts=[date(2012, 1, 1), None]), Person()
    # A contact without a date is kept by nothing else: an interest that a request ends.
    await town.stores.add(person, other)
    before = await town.stores.dump()
    request = erasure(person)
    await town.publish(request, mode=mode)
    await town.until_told(request)
    await assert_gone_honestly(town, before, [(person, request)])
    await assert_told_once(town, [request])
    await assert_receipts_published(town, [request])
    after = await town.stores.dump()
    assert about(after, [other]) == about(before, [other])


@pytest.mark.parametrize("mode", MODES)
async def test_a_withdrawal_ends_consent_to_its_purposes_alone(town: World, mode: Mode) -> None:
    """A customer who leaves the newsletter stays a customer, and the answer says by what ground."""
    person = Person(contract_ended=None, invoices=[today()])
    await town.stores.add(person)
    before = await town.stores.dump()
    withdrawn = withdrawal(person)
    await town.publish(withdrawn, mode=mode)
    await town.until_told(withdrawn)
    after = await town.stores.dump()
    left = traces(after, person)
    assert left == {
        table: rows
        for table, rows in traces(before, person).items()
        if not table.startswith("newsletter.")
    }
    outcomes = await town.outcomes(withdrawn)
    assert outcomes["newsletter/subscriber.email+name"]["result"] == "erased"
    kept = outcomes["crm/customer.email"]
    assert (kept["result"], kept["grounds"], kept["until"]) == (
        "retained",
        ["customer-contract"],
        None,
    )
    await assert_told_once(town, [withdrawn])


async def test_a_withdrawal_tells_which_contracts_it_touches(town: World) -> None:
    """Who withdraws with a running contract is told so; who has none, or an ended one, is not."""
    customer, former = Person(contract_ended=None), Person(contract_ended=date(2012, 1, 1))
    await town.stores.add(customer, former)
    touching, free = withdrawal(customer), withdrawal(former)
    await town.publish(touching, free)
    await town.until_told(touching, free)
    (told,), (other,) = await town.completions(touching), await town.completions(free)
    assert told["state"] == "closed"
    assert told["impact"]["crm"] == 1
    assert "impact" not in other


@pytest.mark.parametrize("mode", MODES)
async def test_an_objection_ends_direct_marketing_whatever_its_ground(
    town: World, mode: Mode
) -> None:
    """Newsletter and the marketing interest go; what only the contract's own use keeps, stays."""
    # The contract ended within the year: address and phone are held for marketing alone.
    person = Person(contract_ended=today() - timedelta(days=60), contacts=[today()])
    await town.stores.add(person)
    objected = objection(person)
    await town.publish(objected, mode=mode)
    await town.until_told(objected)
    outcomes = await town.outcomes(objected)
    assert outcomes["newsletter/subscriber.email+name"]["result"] == "erased"
    assert outcomes["crm/customer.address+phone"]["result"] == "erased"
    assert outcomes["crm/contact_log.message"]["result"] == "retained"
    left = traces(await town.stores.dump(), person)
    assert not {table for table in left if table.startswith("newsletter.")}
    assert "crm.contact_log" in left


@pytest.mark.parametrize("mode", MODES)
async def test_a_consent_erases_nothing(town: World, mode: Mode) -> None:
    """A consent given is accepted, closed and told, and no store is touched."""
    person = Person()
    await town.stores.add(person)
    before = await town.stores.dump()
    given = consent(person, "newsletter", "survey")
    await town.publish(given, mode=mode)
    await town.until_told(given)
    assert about(await town.stores.dump(), [person]) == about(before, [person])
    assert await town.receipts(given) == []
    await assert_told_once(town, [given])


async def test_what_the_law_keeps_stays_and_says_until_when(town: World) -> None:
    """Fresh invoices outlive a request for erasure, until the first day on which they may go."""
    person = Person(contract_ended=None, invoices=[date(2026, 3, 10), date(2010, 3, 10)], surveys=1)
    await town.stores.add(person)
    request = erasure(person)
    await town.publish(request)
    await town.until_told(request)
    outcomes = await town.outcomes(request)
    invoice = outcomes["billing/invoice.buyer_name+buyer_address"]
    assert (invoice["result"], invoice["grounds"], invoice["until"], invoice["rows"]) == (
        "retained",
        ["bookkeeping"],
        "2032-01-01",
        1,
    )
    assert outcomes["crm/survey_answer.respondent_name"]["result"] == "anonymised"
    assert outcomes["crm/survey_answer.comment"]["result"] == "erased"
    left = traces(await town.stores.dump(), person)
    assert left["billing.invoice"] == left["billing.invoice_line"] == 1
    # The receipt says by which law, in the words of an explanation.
    (said,) = [
        record.json
        for record in await town.read(names.RECEIPTS)
        if record.json["store"] == "billing"
        and any(one["case"] == str(id_of(request)) for one in record.json["cases"])
    ]
    assert "bokføringsloven § 13" in said["grounds"]["bookkeeping"]["reference"]
    assert said["grounds"]["bookkeeping"]["text"].keys() == {"nb", "en"}


async def test_a_missing_date_is_retained_and_shown(town: World) -> None:
    """An invoice without a date is neither erased nor kept in silence: it says unknown-anchor."""
    person = Person(invoices=[None])
    await town.stores.add(person)
    request = erasure(person)
    await town.publish(request)
    await town.until_told(request)
    invoice = (await town.outcomes(request))["billing/invoice.buyer_name+buyer_address"]
    assert (invoice["result"], invoice["why"]) == ("retained", "unknown-anchor")
    assert traces(await town.stores.dump(), person)["billing.invoice"] == 1


async def test_an_email_leads_over_the_crm_to_billing(town: World) -> None:
    """Billing knows no e-mail: the CRM's customer number leads there, and only there."""
    person = Person(subscriptions=0)
    await town.stores.add(person)
    request = event("erasure.requested", {"email": person.email})
    await town.publish(request)
    await town.until_told(request)
    assert traces(await town.stores.dump(), person) == {}
    outcomes = await town.outcomes(request)
    assert outcomes["billing/account.bank_account"]["result"] == "erased"
    assert outcomes["newsletter/*"]["result"] == "absent"


async def test_a_customer_number_leads_to_the_newsletter(town: World) -> None:
    """The CRM's e-mail of a customer finds the subscription, however it is written there."""
    person = Person(subscriptions=2)
    await town.stores.add(person)
    request = event("erasure.requested", {"customer_id": f"  {person.customer_no} "})
    await town.publish(request)
    await town.until_told(request)
    assert traces(await town.stores.dump(), person) == {}


async def test_a_weak_identifier_leads_no_further(town: World) -> None:
    """A telephone finds the row that has it, but never another store by way of that row."""
    person = Person()
    await town.stores.add(person)
    before = await town.stores.dump()
    request = event("erasure.requested", {"phone": person.phone})
    await town.publish(request)
    await town.until_told(request)
    left = traces(await town.stores.dump(), person)
    for store in ("billing", "newsletter"):
        there = {t: n for t, n in traces(before, person).items() if t.startswith(store)}
        assert {t: n for t, n in left.items() if t.startswith(store)} == there
        assert (await town.outcomes(request))[f"{store}/*"]["result"] == "absent"
    assert not {table for table in left if table.startswith("crm.")}


async def test_somebody_nobody_knows_is_absent_everywhere(town: World) -> None:
    """Nobody found is an outcome with a receipt in every store, and the case closes."""
    request = erasure(Person())
    await town.publish(request)
    await town.until_told(request)
    assert await town.outcomes(request) == {
        f"{store}/*": {"group": "*", "result": "absent"}
        for store in ("billing", "crm", "newsletter")
    }
    await assert_told_once(town, [request])
    await assert_receipts_published(town, [request])


async def test_the_same_event_twice_is_one_case_and_one_truth(town: World) -> None:
    """On two partitions at once, in both modes, and again when all is over: nothing new."""
    person = Person()
    await town.stores.add(person)
    before = await town.stores.dump()
    request = erasure(person)
    await town.publish(request, partition=0)
    await town.publish(request, partition=3, mode="binary")
    await town.publish(request, request, partition=5)
    await town.until_told(request)
    receipts = await town.receipts(request)
    late = erasure(Person())
    await town.publish(request, partition=1)
    await town.publish(late, partition=1)
    await town.until_told(late)
    assert await town.receipts(request) == receipts
    assert len(receipts) == 3
    await assert_gone_honestly(town, before, [(person, request)])
    await assert_told_once(town, [request])


async def test_commands_carry_ids_and_nothing_else(town: World) -> None:
    """Every message on a command topic is the id of a row of the ledger."""
    person = Person()
    await town.stores.add(person)
    request = erasure(person)
    await town.publish(request)
    await town.until_told(request)
    for store in ("crm", "billing", "newsletter"):
        messages = await town.read(names.commands(store))
        assert messages
        for message in messages:
            assert list(message.json) == ["command"]
            assert isinstance(message.json["command"], int)
            assert message.key == str(message.json["command"]).encode()
            assert message.headers == ()
