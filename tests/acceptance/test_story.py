"""What a user does from the first event to the last decision, with the command alone."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from tests.acceptance.installation import (
    Installation,
    Running,
    customers,
    event,
    wait_for,
)

MARK = "merket"
"""Stands in every identifier of this module, and may stand in nothing that is printed."""


@pytest.fixture(scope="module")
def worker(installation: Installation) -> Iterator[Running]:
    """Give a running worker."""
    with installation.running() as running:
        yield running
        assert running.stop() == 0


@pytest.fixture
def person(installation: Installation) -> str:
    """Give the customer number of a former customer with old and new invoices."""
    number = f"{MARK}-{uuid4().hex[:8]}"
    email = f"{number}@example.no"
    customers(
        installation,
        [{"customer_no": number, "email": email, "contract_ended_on": "2020-01-01"}],
    )
    account = int(uuid4().int % 1_000_000_000)
    installation.sql(
        "billing",
        f"INSERT INTO billing.account VALUES ({account}, '{number}', '86011117947', '2020-01-01');"
        f"INSERT INTO billing.invoice VALUES ({account}, {account}, '2010-05-05', 'K', 'S', 100),"
        f" ({account} + 1, {account}, CURRENT_DATE, 'K', 'S', 100)",
    )
    installation.newsletter(
        "INSERT INTO subscriber (email, name, subscribed_at)"
        f" VALUES ('{email.upper()}', 'K', '2024-01-01')"
    )
    return number


def outcomes(told: Any) -> dict[str, Any]:
    """The newest outcome of each field group."""
    return {one["group"]: one for store in told["stores"] for one in store["outcomes"]}


@pytest.mark.usefixtures("worker")
def test_a_request_is_carried_out_and_explained(installation: Installation, person: str) -> None:
    """An erasure request closes; ``case`` says what went, what stays, until when and by which law.

    The stores themselves show the same.
    """
    request = event("erasure.requested", {"email": f"{person}@example.no"}, channel="telephone")
    installation.publish(request)
    told = installation.until(request, "closed")
    found = outcomes(told)
    assert found["customer.name"]["result"] == "erased"
    assert found["subscriber.email+name"]["result"] == "erased"
    kept = found["invoice.buyer_name+buyer_address"]
    assert (kept["result"], kept["rows"]) == ("retained", 1)
    assert kept["until"].endswith("-01-01")
    assert kept["grounds"][0]["name"] == "bookkeeping"
    assert "bokføringsloven § 13" in kept["grounds"][0]["terms"]["reference"]
    assert {one["store"] for one in told["stores"]} == {"billing", "crm", "newsletter"}
    steps = [step["what"] for step in told["timeline"]]
    assert "stop published" in steps
    assert steps[-1] == "closed"
    assert told["channel"] == "telephone"

    text = installation.erasure("case", told["id"]).out
    assert f"kept until {kept['until']}" in text
    assert "The Bookkeeping Act requires us to keep accounting material." in text
    assert "attempted (1.)" in text

    assert not installation.sql("crm", f"SELECT 1 FROM crm.customer WHERE customer_no = '{person}'")
    assert (
        len(
            installation.sql(
                "billing",
                "SELECT 1 FROM billing.invoice JOIN billing.account USING (account_no)"
                f" WHERE customer_no = '{person}'",
            )
        )
        == 1
    )
    assert not installation.newsletter(
        f"SELECT 1 FROM subscriber WHERE lower(email) = '{person}@example.no'"
    )


@pytest.mark.usefixtures("worker")
def test_what_is_kept_is_looked_at_again(installation: Installation, person: str) -> None:
    """``case`` and ``obligations`` say when; ``check`` misses the key that is needed until then."""
    request = event("erasure.requested", {"email": f"{person}@example.no"})
    installation.publish(request)
    told = installation.until(request, "closed")
    until = outcomes(told)["invoice.buyer_name+buyer_address"]["until"]
    assert told["obligations"] == [{"store": "billing", "on": until}]
    text = installation.erasure("case", told["id"]).out
    assert f"billing is looked at again on {until}, by itself" in text

    answer = installation.erasure("obligations", "--store", "billing", "--json")
    (day,) = [one for one in answer.json if one["look_on"] == until]
    assert day["tasks"] >= 1
    assert until in installation.erasure("obligations").out
    before = installation.erasure("obligations", "--until", "2026-11-01")
    assert before.out == "nothing is to be looked at again\n"

    other = base64.b64encode(bytes(32)).decode()
    rotated = {"K1": "", "K2": other}
    keys = {f"ERASURE_PAYLOAD_KEYS__{name}": key for name, key in rotated.items()}
    checked = installation.erasure("check", env={**keys, "ERASURE_PAYLOAD_KEY": "k2"})
    assert checked.code == 1
    assert "obligations are sealed with the payload key" in checked.out


@pytest.mark.usefixtures("worker")
def test_a_missing_date_is_listed(installation: Installation, person: str) -> None:
    """What is kept because a date is missing is counted and listed, with where to enter it."""
    installation.sql(
        "billing",
        "UPDATE billing.invoice SET issued_on = NULL WHERE account_no ="
        f" (SELECT account_no FROM billing.account WHERE customer_no = '{person}')",
    )
    request = event("erasure.requested", {"email": f"{person}@example.no"})
    installation.publish(request)
    told = installation.until(request, "closed")
    assert outcomes(told)["invoice.buyer_name+buyer_address"]["why"] == "unknown-anchor"
    listed = installation.erasure("cases", "--missing-date", "--json").json
    (mine,) = [one for one in listed if one["case"]["id"] == told["id"]]
    assert mine["where"] == ["billing/invoice.buyer_name+buyer_address"]
    text = installation.erasure("cases", "--missing-date").out
    assert told["id"] in text
    assert "because a date is missing in a store" in text


@pytest.mark.usefixtures("worker")
@pytest.mark.parametrize("mode", ["structured", "binary"])
def test_both_modes_are_understood(installation: Installation, person: str, mode: str) -> None:
    """A withdrawal published in either mode of CloudEvents ends in a closed case."""
    withdrawn = event("consent.withdrawn", {"customer_id": person}, purposes=["newsletter"])
    answer = installation.erasure("publish", "-", "--mode", mode, given=json.dumps(withdrawn))
    assert answer.out == "1 event published: 1 to privacy.consent\n"
    installation.until(withdrawn, "closed")


@pytest.mark.usefixtures("worker")
def test_a_parked_case_is_resumed_with_a_key(installation: Installation) -> None:
    """Two customers with one address park the case; resumed with a key, that customer alone goes.

    Until then nothing is erased, and ``case`` says why and what to do, with no value of anybody.
    """
    email, right, wrong = twins(installation)
    request = event("erasure.requested", {"email": email})
    installation.publish(request)
    told = installation.until(request, "parked")
    assert told["reason"]["why"] == "ambiguous-identity"
    assert told["reason"]["people"] == 2
    assert f"erasure case resume {told['id']} --key crm=KEY" in told["todo"]
    assert told["id"] in installation.erasure("cases", "--state", "parked").out
    assert left(installation, right, wrong) == {right, wrong}

    again = installation.erasure("case", "resume", told["id"], "--key", "crm=nobody")
    assert (again.code, again.out.startswith("parked again")) == (0, True)
    answer = installation.erasure("case", "resume", told["id"], "--key", f"crm={right}")
    assert answer.code == 0, answer.err
    installation.until(request, "closed")
    assert left(installation, right, wrong) == {wrong}
    late = installation.erasure("case", "resume", told["id"])
    assert (late.code, "only a parked case" in late.err) == (1, True)


@pytest.mark.usefixtures("worker")
def test_a_parked_case_is_rejected(installation: Installation) -> None:
    """Rejected by a named person with a reason, the case ends and nobody is erased."""
    email, one, other = twins(installation)
    request = event("erasure.requested", {"email": email})
    installation.publish(request)
    case = installation.until(request, "parked")["id"]
    command = ("case", "reject", case, "--by", "Kari Nordmann", "--reason")
    assert installation.erasure(*command, f"same as {email}").code == 2
    answer = installation.erasure(*command, "cannot tell who it is")
    assert (answer.code, answer.err) == (0, "")
    told = installation.until(request, "rejected")
    assert "Kari Nordmann decided: cannot tell who it is" in told["reason_words"]
    assert left(installation, one, other) == {one, other}


@pytest.mark.usefixtures("worker")
def test_a_dead_letter_is_retried_when_the_cause_is_gone(
    installation: Installation, person: str
) -> None:
    """A customer whom the CRM will not let go becomes a dead letter; retried later, it closes."""
    installation.sql(
        "crm",
        "CREATE FUNCTION crm.refuse() RETURNS trigger LANGUAGE plpgsql AS"
        f" $$ BEGIN IF OLD.customer_no = '{person}' THEN RAISE EXCEPTION 'no'; END IF;"
        " RETURN OLD; END $$;"
        "CREATE TRIGGER refuse BEFORE DELETE OR UPDATE ON crm.customer"
        " FOR EACH ROW EXECUTE FUNCTION crm.refuse()",
    )
    request = event("erasure.requested", {"customer_id": person})
    installation.publish(request)

    wait_for(
        lambda: installation.sql("ledger", "SELECT 1 FROM commands WHERE state = 'dead'"),
        "a dead letter",
    )
    (letter,) = installation.erasure("dead-letters", "list", "--json").json
    assert letter["cases"] == [installation.case(request)["id"]]
    assert letter["store"] == "crm"
    assert "trigger" in letter["reason"]
    told = installation.case(request)
    assert told["state"] == "open"
    assert f"erasure dead-letters retry {letter['id']}" in told["todo"]
    assert installation.erasure("ledger", "status", "--json").json["dead_letters"] == 1

    installation.sql("crm", "DROP TRIGGER refuse ON crm.customer; DROP FUNCTION crm.refuse")
    answer = installation.erasure("dead-letters", "retry", "--all", "--json")
    assert answer.json == {"retried": [letter["id"]], "not_dead_letters": []}
    installation.until(request, "closed")
    assert installation.erasure("dead-letters", "list", "--json").json == []
    assert not left(installation, person)


def test_no_identifier_was_printed(installation: Installation, worker: Running) -> None:
    """Nothing that a command printed or the worker logged until now holds an identifier."""
    said = [*installation.said, worker.log.read_text()]
    assert len(said) > 10
    assert not [text for text in said if MARK in text]


def twins(installation: Installation) -> tuple[str, str, str]:
    """Two customers with one e-mail address: the address and both customer numbers."""
    mark = f"{MARK}-{uuid4().hex[:8]}"
    rows = [
        {"customer_no": f"{mark}-{at}", "email": f"{mark}@example.no", "contract_ended_on": day}
        for at, day in ((1, "2020-01-01"), (2, "2020-01-01"))
    ]
    customers(installation, rows)
    return f"{mark}@example.no", f"{mark}-1", f"{mark}-2"


def left(installation: Installation, *numbers: str) -> set[str]:
    """Which of these customers are still in the CRM."""
    among = ", ".join(f"'{number}'" for number in numbers)
    rows = installation.sql(
        "crm", f"SELECT customer_no FROM crm.customer WHERE customer_no IN ({among})"
    )
    return {row[0] for row in rows}
