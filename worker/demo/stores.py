"""The demo company's three stores: made, filled, and read again, past the worker.

What the tables of the story show is read here, by plain statements that know nothing of policies.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import asyncpg

from worker.demo import rows
from worker.demo.people import Person


@dataclass(frozen=True, slots=True)
class Seen:
    """One row as it stands in a store: where, which one, and its personal fields."""

    store: str
    row: str
    fields: Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class _Look:
    """How one table is read for one person; the first column says which row it is."""

    store: str
    table: str
    statement: str


_HISTORY = """
    INSERT INTO billing.account
    SELECT 1000000 + n, 'H' || n, '8601 11 ' || n,
           CASE WHEN n % 2 = 0 THEN current_date - (n * 7919::bigint % {days})::int END
    FROM generate_series(1, {people}) AS n;
    INSERT INTO billing.invoice
    SELECT 100000000 + n, 1000000 + n, current_date - (n * 7919::bigint % {days})::int,
           'Kunde ' || n, 'Veien ' || n, 100 * (n % 900 + 100)
    FROM generate_series(1, {people}) AS n;
    INSERT INTO billing.invoice_line
    SELECT 100000000 + n, 1, 'ski', 100 * (n % 900 + 100), 'Veien ' || n
    FROM generate_series(1, {people}) AS n;
    ANALYZE billing.account; ANALYZE billing.invoice; ANALYZE billing.invoice_line;
"""

_LOOKS = (
    _Look(
        "crm",
        "customer",
        "SELECT customer_no, name, fax, address, phone, email, notes"
        " FROM crm.customer WHERE customer_no = $1",
    ),
    _Look(
        "crm",
        "contact_log",
        "SELECT contacted_on, message FROM crm.contact_log WHERE customer_no = $1 ORDER BY 1",
    ),
    _Look(
        "crm",
        "survey_answer",
        "SELECT survey, respondent_name, comment FROM crm.survey_answer"
        " WHERE customer_no = $1 ORDER BY 1",
    ),
    _Look(
        "billing",
        "account",
        "SELECT account_no, bank_account FROM billing.account WHERE customer_no = $1",
    ),
    _Look(
        "billing",
        "invoice",
        "SELECT invoice_no || ', ' || issued_on, buyer_name, buyer_address"
        " FROM billing.invoice JOIN billing.account USING (account_no)"
        " WHERE customer_no = $1 ORDER BY invoice_no",
    ),
    _Look(
        "billing",
        "invoice_line",
        "SELECT invoice_no || '/' || line_no, delivered_to FROM billing.invoice_line"
        " JOIN billing.invoice USING (invoice_no) JOIN billing.account USING (account_no)"
        " WHERE customer_no = $1 ORDER BY invoice_no, line_no",
    ),
    _Look(
        "billing",
        "packing_slip",
        "SELECT slip_no || ', ' || packed_on, recipient FROM billing.packing_slip"
        " JOIN billing.invoice USING (invoice_no) JOIN billing.account USING (account_no)"
        " WHERE customer_no = $1 ORDER BY slip_no",
    ),
    _Look(
        "newsletter",
        "subscriber",
        "SELECT id, email, name FROM subscriber WHERE id IN (SELECT value FROM json_each(?))",
    ),
    _Look(
        "newsletter",
        "subscription_event",
        "SELECT kind, sent_to FROM subscription_event"
        " WHERE subscriber_id IN (SELECT value FROM json_each(?)) ORDER BY id",
    ),
)

_COUNTS = {
    "crm": {
        "customers with an address": "SELECT count(address) FROM crm.customer",
        "customers with a note": "SELECT count(notes) FROM crm.customer",
        "messages in the contact log": "SELECT count(message) FROM crm.contact_log",
        "survey answers with a name": "SELECT count(*) FROM crm.survey_answer"
        " WHERE respondent_name <> 'anonym'",
    },
    "billing": {
        "accounts with a bank account": "SELECT count(bank_account) FROM billing.account",
        "invoices with a buyer": "SELECT count(buyer_address) FROM billing.invoice",
        "packing slips with a recipient": "SELECT count(recipient) FROM billing.packing_slip",
    },
    "newsletter": {
        "subscribers": "SELECT count(email) FROM subscriber",
        "addresses in the sending log": "SELECT count(sent_to) FROM subscription_event",
    },
}


class Stores:
    """Connections to the three stores, as their own administrator has them."""

    def __init__(self, crm: Any, billing: Any, newsletter: Path) -> None:
        self._pools = {"crm": crm, "billing": billing}
        self._newsletter = newsletter

    @classmethod
    async def open(cls, crm: str, billing: str, newsletter: Path) -> Stores:
        """Connect. ``crm`` and ``billing`` are URLs of PostgreSQL, ``newsletter`` a SQLite file."""
        return cls(await asyncpg.connect(crm), await asyncpg.connect(billing), newsletter)

    async def close(self) -> None:
        """Disconnect."""
        for connection in self._pools.values():
            await connection.close(timeout=5)

    async def create(self, schema: Path) -> None:
        """Create the empty tables from the schema files in a directory."""
        for store, connection in self._pools.items():
            await connection.execute((schema / f"{store}.postgresql.sql").read_text("utf-8"))
        with self._sqlite() as connection:
            connection.executescript((schema / "newsletter.sqlite.sql").read_text("utf-8"))

    async def fill(self, people: Sequence[Person]) -> None:
        """Write everybody into every store they belong to."""
        for store, columns, filled in (
            ("crm", rows.CRM, rows.crm(people)),
            ("billing", rows.BILLING, rows.billing(people)),
        ):
            for table, records in filled.items():
                await self._pools[store].copy_records_to_table(
                    table, schema_name=store, columns=columns[table], records=records
                )
            await self._pools[store].execute("ANALYZE")
        self._subscribe(people)

    async def add_history(self, people: int, years: int) -> None:
        """Give the accounts system customers of so many years, each with an invoice and its line.

        Every other one has left, on the day of the invoice.
        """
        await self._pools["billing"].execute(_HISTORY.format(people=people, days=365 * years))

    async def older_than(self, day: date) -> int:
        """Count the invoices of a day and before."""
        count: int = await self._pools["billing"].fetchval(
            "SELECT count(*) FROM billing.invoice WHERE issued_on <= $1", day
        )
        return count

    def subscribe(self, person: Person) -> None:
        """Enter somebody into the newsletter, as its sign-up form does."""
        self._subscribe([person])

    def subscribers(self, person: Person) -> list[int]:
        """Keys of somebody's rows in the newsletter, by which they are found when emptied too."""
        with self._sqlite() as connection:
            found = connection.execute(
                "SELECT id FROM subscriber WHERE lower(email) = ?", (person.email,)
            )
            return [key for (key,) in found]

    async def look(self, person: Person, subscribers: Sequence[int]) -> list[Seen]:
        """Read every row of somebody, ``subscribers`` being their keys in the newsletter."""
        seen: list[Seen] = []
        for look in _LOOKS:
            if look.store == "newsletter":
                found = self._ask(look.statement, str(list(subscribers)))
            else:
                connection = self._pools[look.store]
                found = [
                    dict(record)
                    for record in await connection.fetch(look.statement, person.customer_no)
                ]
            for record in found:
                which, *fields = record.items()
                name = look.table if which[1] is None else f"{look.table} {which[1]}"
                seen.append(Seen(look.store, name, dict(fields)))
        return seen

    async def count(self) -> dict[tuple[str, str], int]:
        """How much personal data each store holds, by (store, what)."""
        counted: dict[tuple[str, str], int] = {}
        for store, statements in _COUNTS.items():
            for what, statement in statements.items():
                if store == "newsletter":
                    ((number,),) = (record.values() for record in self._ask(statement))
                else:
                    number = await self._pools[store].fetchval(statement)
                counted[store, what] = number
        return counted

    def _subscribe(self, people: Sequence[Person]) -> None:
        with self._sqlite() as connection:
            (first,) = connection.execute(
                "SELECT coalesce(max(subscriber_id), 0) + 1 FROM subscription_event"
            ).fetchone()
            for table, records in rows.newsletter(people, first).items():
                columns = rows.NEWSLETTER[table]
                places = ", ".join("?" * len(columns))
                connection.executemany(
                    f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places})",  # noqa: S608 - names of ours
                    records,
                )

    def _ask(self, statement: str, *binds: object) -> list[dict[str, Any]]:
        with self._sqlite() as connection:
            cursor = connection.execute(statement, binds)
            names = [column[0] for column in cursor.description]
            return [dict(zip(names, record, strict=True)) for record in cursor]

    @contextmanager
    def _sqlite(self) -> Iterator[sqlite3.Connection]:
        """One transaction on the newsletter's file."""
        with closing(sqlite3.connect(self._newsletter, timeout=10)) as connection, connection:
            yield connection
