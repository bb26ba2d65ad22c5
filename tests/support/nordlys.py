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

import asyncpg

from tests.support.databases import Database

ROOT = Path(__file__).parents[2]
POLICY = ROOT / "deploy" / "policy" / "nordlys.yaml"
SCHEMAS = ROOT / "deploy" / "policy" / "nordlys-schema"

LONG_AGO = date(2010, 3, 10)
"""A contract that ended and an invoice of then are kept by nothing any more."""
SOURCE = "/tests/shop"

Row = tuple[Any, ...]
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


def customer(**more: Any) -> Person:
    """Somebody with a running contract, of whom no period is over: only an event ends anything."""
    today = datetime.now(UTC).date()
    return Person(**{"contract_ended": None, "invoices": [today], "contacts": [today], **more})


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
    """The three stores: CRM and billing in PostgreSQL, the newsletter in SQLite."""

    crm: Database
    billing: Database
    newsletter: Path

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
        await self.run("crm", (SCHEMAS / "crm.postgresql.sql").read_text())
        await self.run("billing", (SCHEMAS / "billing.postgresql.sql").read_text())
        await self.run("newsletter", (SCHEMAS / "newsletter.sqlite.sql").read_text())

    async def run(self, store: str, script: str) -> None:
        """Run statements in one store, as its own administrator."""
        if store == "newsletter":
            with closing(sqlite3.connect(self.newsletter, timeout=30)) as connection:
                connection.executescript(script)
            return
        connection = await asyncpg.connect(dsn(self.crm if store == "crm" else self.billing))
        try:
            await connection.execute(script)
        finally:
            await connection.close()

    async def add(self, *people: Person) -> None:
        """Put people into the stores."""
        crm = await asyncpg.connect(dsn(self.crm))
        try:
            await crm.executemany(
                "INSERT INTO crm.customer VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
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
                    for p in people
                    if p.in_crm
                ],
            )
            await crm.executemany(
                "INSERT INTO crm.contact_log (customer_no, contacted_on, channel, message)"
                " VALUES ($1, $2, 'telephone', $3)",
                [(p.customer_no, day, p.mark) for p in people if p.in_crm for day in p.contacts],
            )
            await crm.executemany(
                "INSERT INTO crm.survey_answer (customer_no, survey, score, respondent_name,"
                " comment) VALUES ($1, 'autumn', 4, $2, $3)",
                [
                    (p.customer_no, p.name, p.mark)
                    for p in people
                    if p.in_crm
                    for _ in range(p.surveys)
                ],
            )
        finally:
            await crm.close()
        await self._bill([p for p in people if p.in_billing])
        self._subscribe(people)

    async def _bill(self, people: Sequence[Person]) -> None:
        invoices = [(p.number + at, p, day) for p in people for at, day in enumerate(p.invoices)]
        billing = await asyncpg.connect(dsn(self.billing))
        try:
            await billing.executemany(
                "INSERT INTO billing.account VALUES ($1, $2, $3, $4)",
                [(p.number, p.customer_no, p.mark, p.contract_ended) for p in people],
            )
            await billing.executemany(
                "INSERT INTO billing.invoice VALUES ($1, $2, $3, $4, $5, 10000)",
                [(no, p.number, day, p.name, p.mark) for no, p, day in invoices],
            )
            await billing.executemany(
                "INSERT INTO billing.invoice_line VALUES ($1, 1, 'ski', 10000, $2)",
                [(no, p.mark) for no, p, _ in invoices],
            )
            await billing.executemany(
                "INSERT INTO billing.packing_slip VALUES ($1, $2, $3, $4)",
                [
                    (p.number + at, p.number, day, p.name)
                    for p in people
                    for at, day in enumerate(p.slips)
                ],
            )
        finally:
            await billing.close()

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
        for store, database, tables in (
            ("crm", self.crm, ("customer", "contact_log", "survey_answer")),
            ("billing", self.billing, ("account", "invoice", "invoice_line", "packing_slip")),
        ):
            connection = await asyncpg.connect(dsn(database))
            try:
                for table in tables:
                    rows = await connection.fetch(f"SELECT * FROM {store}.{table}")
                    found[f"{store}.{table}"] = sorted((tuple(row) for row in rows), key=repr)
            finally:
                await connection.close()
        with closing(sqlite3.connect(self.newsletter, timeout=30)) as lite:
            for table in ("subscriber", "subscription_event"):
                rows = lite.execute(f"SELECT * FROM {table}").fetchall()
                found[f"newsletter.{table}"] = sorted(rows, key=repr)
        return found


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


def dsn(database: Database) -> str:
    """The address of a PostgreSQL database as asyncpg takes it."""
    return database.url.set(drivername="postgresql").render_as_string(hide_password=False)
