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
    assert found["crm/customer.fax"]["no_end_yet"] == {"rows": 1, "people": 1}
    assert found["crm/customer.fax"]["due_now"] == {"rows": 1, "people": 1}
    for name in ("newsletter/subscriber.email+name", "crm/customer.notes", "crm/customer.email"):
        rows = found[name][OPEN]["rows"] + found[name]["no_end_yet"]["rows"]
        assert rows == 2
        assert found[name]["due_now"] == {"rows": 0, "people": 0}


def test_what_is_gone_already_is_not_counted(company: Company) -> None:
    """A customer whose fields were erased and whose row stays for an invoice falls due no more."""
    someone = Person(invoices=[date(YEAR, 1, 2)])
    asyncio.run(company.stores.add(someone))
    before = groups(company.json("forecast", "--store", "crm"))["crm/customer.fax"]
    assert before["due_now"]["rows"] == 1
    asyncio.run(company.stores.run("crm", "UPDATE crm.customer SET fax = NULL"))
    after = groups(company.json("forecast", "--store", "crm"))["crm/customer.fax"]
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


def changed(tmp_path: Path, *replaced: tuple[str, str]) -> str:
    """The policy of Nordlys with some of its text replaced, as a file."""
    text = POLICY.read_text()
    for old, new in replaced:
        assert old in text
        text = text.replace(old, new)
    file = tmp_path / "new.yaml"
    file.write_text(text)
    return str(file)


def test_a_shorter_period_asks_for_a_look(company: Company, tmp_path: Path) -> None:
    """Without the stores the change is told and exits 3; the change back keeps longer, and 0."""
    new = changed(tmp_path, ("period: 5y", "period: 42m"))
    code, said, _ = company.run("diff", str(POLICY), new)
    assert code == Exit.REVIEW
    assert "erases sooner    billing.invoice.buyer_name, buyer_address: kept 5 years → 42" in said
    code, said, _ = company.run("diff", new, str(POLICY))
    assert code == Exit.OK
    assert "keeps longer     billing.invoice.buyer_name, buyer_address: kept 42 months → 5" in said
    code, said, _ = company.run("diff", new, new)
    assert (code, "nothing that alters" in said) == (Exit.OK, True)


def test_counted_today(company: Company, tmp_path: Path) -> None:
    """With the stores: rows and people that one policy alone would erase today, and nobody else's.

    Where no row is concerned today the counts exclude it, and the exit code is 0.
    """
    new = changed(tmp_path, ("period: 5y", "period: 42m"))
    none = company.run("diff", str(POLICY), new, "--live")
    assert none[0] == Exit.OK
    assert "no row that was counted" in none[1]
    # After 42 months from the end of YEAR-5 it may go, after 5 years from then it has not gone.
    between = date(YEAR - 5, 3, 10)
    asyncio.run(
        company.stores.add(
            Person(invoices=[between, between]),
            Person(invoices=[between, LONG_AGO, date(YEAR, 1, 2)]),
            Person(invoices=[LONG_AGO, None]),
        )
    )
    for name in ("POLICY", "LEDGER", "PSEUDONYM_KEY", "PAYLOAD_KEYS", "PAYLOAD_KEY"):
        company.monkeypatch.delenv(f"ERASURE_{name}")  # a pipeline needs the stores' URLs alone
    told = company.json("diff", str(POLICY), new, "--live")
    counted = {(one["table"], *one["fields"]): one for one in told["live"]["counted"]}
    bills = counted["invoice", "buyer_name", "buyer_address"]
    assert bills["sooner"] == {"rows": 3, "people": 2}
    assert bills["longer"] == {"rows": 0, "people": 0}
    assert set(counted) == {
        ("invoice", "buyer_name", "buyer_address"),
        ("invoice_line", "delivered_to"),
    }
    assert told["review"] is True
    assert company.run("diff", str(POLICY), new, "--live")[0] == Exit.REVIEW
    code, said, _ = company.run("diff", new, str(POLICY), "--live")
    assert code == Exit.OK
    assert "kept longer" in said


def test_what_no_row_can_tell(company: Company, tmp_path: Path) -> None:
    """A change that only an event brings out, or that means other rows, is never excluded."""
    weaker = changed(
        tmp_path, ("anchor: contact-date", "overriding: true\n    anchor: contact-date")
    )
    code, said, _ = company.run("diff", weaker, str(POLICY), "--live")
    assert code == Exit.REVIEW
    assert "now ended by a request for erasure (service-interest)" in said
    other = changed(
        tmp_path, ("      invoice_line:\n", "      invoice_line:\n        relation: x\n")
    )
    code, said, _ = company.run("diff", str(POLICY), other, "--live")
    assert code == Exit.REVIEW
    assert "cannot be counted: billing.invoice_line, the two policies mean other rows" in said


def test_a_store_that_does_not_answer(company: Company, tmp_path: Path) -> None:
    """It excludes nothing: 3 where something may go sooner there, 75 where nothing can."""
    new = changed(tmp_path, ("period: 5y", "period: 42m"))
    company.set(billing="sqlite:////nowhere/billing.db")
    code, _, errors = company.run("diff", str(POLICY), new, "--live")
    assert code == Exit.REVIEW
    assert "billing was not counted" in errors
    assert company.run("diff", new, str(POLICY), "--live")[0] == Exit.TRY_AGAIN


def test_a_policy_that_cannot_be_read(company: Company, tmp_path: Path) -> None:
    """A file that is not there and one that is no policy are told as everywhere."""
    from worker.cli.exits import Unusable
    from worker.policy_file import PolicyError

    with pytest.raises(Unusable, match="cannot be read"):
        company.run("diff", str(POLICY), str(tmp_path / "nothing.yaml"))
    with pytest.raises(PolicyError):
        company.run("diff", str(POLICY), changed(tmp_path, ("period: 5y", "period: five years")))
