"""The stores of the made-up company Nordlys, filled with people whose every field is a mark.

A mark is a random word that occurs nowhere else, so that what is left of a person can be found by
looking for it: in a store, on a topic, in the ledger, in a log.
"""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from tests.support.databases import POSTGRESQL, SQLITE, Database
from tests.support.elsewhere import elsewhere
from tests.support.lines import Row, line

ROOT = Path(__file__).parents[2]
POLICY = ROOT / "deploy" / "policy" / "nordlys.yaml"
SCHEMAS = ROOT / "deploy" / "policy" / "nordlys-schema"

LONG_AGO = date(2010, 3, 10)
"""A contract that ended and an invoice of then are kept by nothing any more."""
SOURCE = "/tests/shop"

TABLES = {
    "crm": ("customer", "contact_log", "survey_answer"),
    "billing": ("account", "invoice", "invoice_line", "packing_slip"),
    "newsletter": ("subscriber", "subscription_event"),
}
Dump = dict[str, list[Row]]
"""Every row of every table, by ``store.table``, sorted."""


def word() -> str:
    """A random word that occurs nowhere else."""
    return "z" + uuid4().hex[:15]


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody, and what the stores hold of them. By default all of it may go at once."""

    mark: str = field(default_factory=word)
    phone: str = field(default_factory=lambda: f"+474{random.randrange(10**7):07d}")
    number: int = field(default_factory=lambda: random.randrange(10**8, 2 * 10**9))
    contract_ended: date | None = LONG_AGO
    in_crm: bool = True
    in_billing: bool = True
    subscriptions: int = 1
    invoices: Sequence[date | None] = (LONG_AGO,)
    slips: Sequence[date | None] = ()
    """Packing slips of the first invoice."""
    contacts: Sequence[date | None] = (LONG_AGO,)
    surveys: int = 0

    @property
    def customer_no(self) -> str:
        """The key in the CRM, by which billing knows the person too."""
        return f"K{self.mark}"

    @property
    def email(self) -> str:
        """The address as an event gives it; the stores write it in capitals here and there."""
        return f"{self.mark}@example.no"

    @property
    def name(self) -> str:
        """A name nobody else has."""
        return f"Kari {self.mark}"

    @property
    def marks(self) -> tuple[str, ...]:
        """What may stand nowhere once the person is gone, in lower case."""
        return (self.mark, self.phone.removeprefix("+"))


def today() -> date:
    """The day it is for the company: in Oslo, where it begins an hour or two before that of UTC."""
    return datetime.now(ZoneInfo("Europe/Oslo")).date()


def customer(**more: Any) -> Person:
    """Somebody with a running contract, of whom no period is over: only an event ends anything."""
    day = today()
    return Person(**{"contract_ended": None, "invoices": [day], "contacts": [day], **more})


def event(
    kind: str,
    subject: Mapping[str, str],
    *,
    purposes: Sequence[str] = (),
    time: datetime | None = None,
    source: str = SOURCE,
    event_id: str | None = None,
    **data: Any,
) -> dict[str, Any]:
    """An upstream event in the JSON format of CloudEvents; ``kind`` without its affixes."""
    content: dict[str, Any] = {"subject": dict(subject), **data}
    if purposes:
        content["purposes"] = list(purposes)
    return {
        "id": event_id or str(uuid4()),
        "source": source,
        "type": f"privacy.{kind}.v1",
        "time": (time or datetime.now(UTC)).isoformat(),
        "data": content,
    }


def erasure(person: Person, **more: Any) -> dict[str, Any]:
    """A request for erasure that names the person by e-mail alone."""
    return event("erasure.requested", {"email": person.email}, **more)


def withdrawal(person: Person, *purposes: str, **more: Any) -> dict[str, Any]:
    """A withdrawal of consent, by e-mail; to the newsletter when no purpose is named."""
    named = purposes or ("newsletter",)
    return event("consent.withdrawn", {"email": person.email}, purposes=named, **more)


def consent(person: Person, *purposes: str, **more: Any) -> dict[str, Any]:
    """A consent given, by e-mail; to the newsletter when no purpose is named."""
    named = purposes or ("newsletter",)
    return event("consent.given", {"email": person.email}, purposes=named, **more)


def objection(person: Person, **more: Any) -> dict[str, Any]:
    """An objection to direct marketing, by e-mail."""
    return event("marketing.objected", {"email": person.email}, **more)


@dataclass(frozen=True, slots=True)
class Stores:
    """The three stores: CRM and billing in databases of one kind, the newsletter in SQLite.

    Nordlys has the first two in PostgreSQL. What a test writes in its words (``crm.customer``)
    means the same table elsewhere, where there is no schema.
    """

    crm: Database
    billing: Database
    newsletter: Path

    @property
    def dialect(self) -> str:
        """The kind of database of CRM and billing."""
        return self.crm.dialect

    @property
    def urls(self) -> dict[str, str]:
        """What the worker's settings say."""
        return {
            "crm": self.crm.text,
            "billing": self.billing.text,
            "newsletter": f"sqlite:///{self.newsletter}",
        }

    async def create(self) -> None:
        """Create the tables."""
        for store in ("crm", "billing"):
            await self.run(store, (SCHEMAS / f"{store}.postgresql.sql").read_text())
        await self.run("newsletter", (SCHEMAS / "newsletter.sqlite.sql").read_text())

    async def run(self, store: str, script: str) -> None:
        """Run statements in one store, as its own administrator."""
        async with line(self._database(store)) as its:
            await its.script(elsewhere(script, store, self.dialect))

    async def add(self, *people: Person) -> None:
        """Put people into the stores."""
        known = [p for p in people if p.in_crm]
        async with line(self.crm) as crm:
            await crm.insert(
                self._name("crm", "customer")
                + " (customer_no, name, address, email, phone, fax, contract_ended_on, notes)",
                [
                    (
                        p.customer_no,
                        p.name,
                        f"{p.mark} vei 1",
                        p.email.upper(),
                        p.phone,
                        p.mark,
                        p.contract_ended,
                        p.mark,
                    )
                    for p in known
                ],
            )
            await crm.insert(
                self._name("crm", "contact_log") + " (customer_no, contacted_on, channel, message)",
                [(p.customer_no, day, "telephone", p.mark) for p in known for day in p.contacts],
            )
            await crm.insert(
                self._name("crm", "survey_answer")
                + " (customer_no, survey, score, respondent_name, comment)",
                [
                    (p.customer_no, "autumn", 4, p.name, p.mark)
                    for p in known
                    for _ in range(p.surveys)
                ],
            )
        await self._bill([p for p in people if p.in_billing])
        self._subscribe(people)

    async def _bill(self, people: Sequence[Person]) -> None:
        invoices = [(p.number + at, p, day) for p in people for at, day in enumerate(p.invoices)]
        async with line(self.billing) as billing:
            await billing.insert(
                self._name("billing", "account")
                + " (account_no, customer_no, bank_account, closed_on)",
                [(p.number, p.customer_no, p.mark, p.contract_ended) for p in people],
            )
            await billing.insert(
                self._name("billing", "invoice"),
                [(no, p.number, day, p.name, p.mark, 10_000) for no, p, day in invoices],
            )
            await billing.insert(
                self._name("billing", "invoice_line"),
                [(no, 1, "ski", 10_000, p.mark) for no, p, _ in invoices],
            )
            await billing.insert(
                self._name("billing", "packing_slip"),
                [
                    (p.number + at, p.number, day, p.name)
                    for p in people
                    for at, day in enumerate(p.slips)
                ],
            )

    def _subscribe(self, people: Iterable[Person]) -> None:
        with closing(sqlite3.connect(self.newsletter, timeout=30)) as connection, connection:
            for p in people:
                for _ in range(p.subscriptions):
                    subscriber = connection.execute(
                        "INSERT INTO subscriber (email, name, subscribed_at)"
                        " VALUES (?, ?, '2020-01-01T00:00:00Z')",
                        (p.email.capitalize(), p.name),
                    ).lastrowid
                    connection.execute(
                        "INSERT INTO subscription_event (subscriber_id, happened_at, kind, sent_to)"
                        " VALUES (?, '2020-01-01T00:00:00Z', 'sent', ?)",
                        (subscriber, p.email),
                    )

    async def dump(self) -> Dump:
        """Everything that the stores hold."""
        found: Dump = {}
        for store, tables in TABLES.items():
            async with line(self._database(store)) as its:
                for table in tables:
                    rows = await its.rows(self._name(store, table))
                    found[f"{store}.{table}"] = sorted(rows, key=repr)
        return found

    def _database(self, store: str) -> Database:
        lite = Database(SQLITE, sa.URL.create("sqlite", database=str(self.newsletter)), None)
        return {"crm": self.crm, "billing": self.billing, "newsletter": lite}[store]

    def _name(self, store: str, table: str) -> str:
        """A table's name in the database of its store."""
        declared = store != "newsletter" and self.dialect == POSTGRESQL
        return f"{store}.{table}" if declared else table


def traces(dump: Dump, person: Person) -> dict[str, int]:
    """Rows by table in which a mark of the person stands."""
    return {table: count for table, rows in dump.items() if (count := len(_theirs(rows, person)))}


def about(dump: Dump, people: Iterable[Person]) -> Dump:
    """The rows in which marks of these people stand."""
    everyone = tuple(people)
    return {
        table: [row for person in everyone for row in _theirs(rows, person)]
        for table, rows in dump.items()
    }


def _theirs(rows: Iterable[Row], person: Person) -> list[Row]:
    return [row for row in rows if any(m in repr(row).lower() for m in person.marks)]
