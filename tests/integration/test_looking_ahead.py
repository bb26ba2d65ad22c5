"""Forecasts of real stores, as the command tells them: nothing but settings, policy and stores."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.support.databases import Server
from tests.support.nordlys import LONG_AGO, POLICY, Person, Stores
from worker.cli.app import app
from worker.cli.exits import Exit

OPEN = "until_revoked"
YEAR = datetime.now(UTC).year


@dataclass
class Company:
    """The stores of Nordlys, and the command line with the settings that lead to them."""

    stores: Stores
    monkeypatch: pytest.MonkeyPatch

    def set(self, **urls: str) -> None:
        """Set the settings, with other URLs for some stores."""
        key = base64.b64encode(bytes(32)).decode()
        for name, value in {
            "POLICY": str(POLICY),
            "LEDGER": "sqlite:////nowhere/ledger.db",
            "STORES": json.dumps(self.stores.urls | urls),
            "PSEUDONYM_KEY": key,
            "PAYLOAD_KEYS": json.dumps({"k": key}),
            "PAYLOAD_KEY": "k",
        }.items():
            self.monkeypatch.setenv(f"ERASURE_{name}", value)

    def run(self, *words: str) -> tuple[int, str, str]:
        """Run a command of ``erasure policy``; return exit code, standard output and error."""
        answer = CliRunner().invoke(app, ["policy", *words])
        if answer.exception is not None and not isinstance(answer.exception, SystemExit):
            raise answer.exception
        return answer.exit_code, answer.stdout, answer.stderr

    def json(self, *words: str) -> Any:
        """What a command says to a machine."""
        return json.loads(self.run(*words, "--json")[1])


@pytest.fixture
def company(
    postgresql: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Company]:
    """Empty stores and settings that lead to them; there is no ledger, for none is needed."""
    crm, billing = (asyncio.run(postgresql.create()) for _ in range(2))
    made = Company(Stores(crm, billing, tmp_path / "newsletter.db"), monkeypatch)
    asyncio.run(made.stores.create())
    made.set()
    yield made
    for database in (crm, billing):
        asyncio.run(database.drop())


def groups(told: Any) -> dict[str, Any]:
    """The field groups of a forecast by store and name."""
    return {f"{s['store']}/{g['group']}": g for s in told["stores"] for g in s["groups"]}


def test_what_falls_due_when(company: Company) -> None:
    """Due now, in its year, later, running, on a consent, without a date: each where it is."""
    asyncio.run(
        company.stores.add(
            Person(),
            Person(contract_ended=None, invoices=[date(YEAR - 4, 3, 10), date(YEAR, 1, 2), None]),
        )
    )
    told = company.json("forecast", "--by", "year", "--until", f"{YEAR + 4}-12-31")
    assert told["unanswered"] == {}
    names = [one["name"] for one in told["intervals"]]
    found = groups(told)
    bills = found["billing/invoice.buyer_name+buyer_address"]
    assert bills["due_now"] == {"rows": 1, "people": 1}
    due = {name: one["rows"] for name, one in zip(names, bills["due"], strict=True) if one["rows"]}
    assert due == {str(YEAR + 2): 1}
    assert (bills["later"]["rows"], bills["unknown_anchor"]["rows"]) == (1, 1)
    assert found["crm/customer.name+fax"]["no_end_yet"] == {"rows": 1, "people": 1}
    assert found["crm/customer.name+fax"]["due_now"] == {"rows": 1, "people": 1}
    for name in ("newsletter/subscriber.email+name", "crm/customer.notes", "crm/customer.email"):
        rows = found[name][OPEN]["rows"] + found[name]["no_end_yet"]["rows"]
        assert rows == 2
        assert found[name]["due_now"] == {"rows": 0, "people": 0}


def test_what_is_gone_already_is_not_counted(company: Company) -> None:
    """A customer whose fields were erased and whose row stays for an invoice falls due no more."""
    someone = Person(invoices=[date(YEAR, 1, 2)])
    asyncio.run(company.stores.add(someone))
    before = groups(company.json("forecast", "--store", "crm"))["crm/customer.name+fax"]
    assert before["due_now"]["rows"] == 1
    asyncio.run(company.stores.run("crm", "UPDATE crm.customer SET name = 'slettet', fax = NULL"))
    after = groups(company.json("forecast", "--store", "crm"))["crm/customer.name+fax"]
    assert after["due_now"]["rows"] == 0


def test_a_store_that_is_away_is_told_and_hides_no_other(company: Company) -> None:
    """The others are shown, the one that is away is named, and the exit code says: try again."""
    asyncio.run(company.stores.add(Person()))
    company.set(newsletter="sqlite:////nowhere/newsletter.db")
    code, said, errors = company.run("forecast")
    assert code == Exit.TRY_AGAIN
    assert "billing: what falls due until" in said
    assert "newsletter: what falls due" not in said
    assert "newsletter is not in the forecast" in errors
    assert set(company.json("forecast")["unanswered"]) == {"newsletter"}


def test_what_people_read(company: Company, tmp_path: Path) -> None:
    """Table, bars and picture name rules and counts, and nothing that a field holds."""
    someone = Person(invoices=[LONG_AGO, None])
    asyncio.run(company.stores.add(someone))
    picture = tmp_path / "ahead.svg"
    code, said, _ = company.run("forecast", "--store", "billing", "--svg", str(picture))
    assert code == Exit.OK
    assert "buyer_name, buyer_address" in said
    assert "bookkeeping" in said
    assert "unknown-anchor" in said
    assert "due now  █" in said
    drawn = picture.read_text()
    assert "billing, due now: 3 rows" in drawn
    assert not any(mark in (said + drawn).lower() for mark in someone.marks)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--store", "biling"), "no store 'biling'"),
        (("--until", "2020-01-01"), "is not ahead"),
        (("--until", "2990-01-01"), "take longer ones"),
    ],
)
def test_what_cannot_be_asked(company: Company, words: tuple[str, ...], told: str) -> None:
    """A store that is not there, a day that is over, a thousand months: told, nothing is asked."""
    from worker.cli.exits import Unusable

    with pytest.raises(Unusable, match=told):
        company.run("forecast", *words)
