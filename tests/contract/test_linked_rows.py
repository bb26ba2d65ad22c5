"""Filtered tables, references and consents in a column."""

from __future__ import annotations

from datetime import date

import pytest

from connectors.base import Lookup, Work
from connectors.mapping import (
    Anchor,
    Evidence,
    Field,
    Filter,
    GroundUse,
    IdentifierColumn,
    ParentLink,
)
from tests.contract.linked import (
    NAME,
    UNKNOWN,
    UP,
    books,
    everybody,
    group,
    mapping,
    table,
)
from tests.contract.small import Small, Store
from tests.support.databases import MARIADB, POSTGRESQL, SQLITE


class Linked(Small):
    """Rows that are meant, kept or let go because of what stands in them or points at them."""

    async def test_a_filter_says_which_rows_a_table_means(self, store: Store) -> None:
        """Two tables on one relation: e-mails go, telephones stay, others are not touched."""
        await store.run(
            "CREATE TABLE people (id integer PRIMARY KEY, name varchar(50))",
            "CREATE TABLE contacts (no integer PRIMARY KEY, person integer, kind varchar(9), "
            "gone integer, value varchar(50))",
            "INSERT INTO people VALUES (1, 'a'), (2, 'b')",
            "INSERT INTO contacts VALUES (1, 1, 'email', 0, 'x'), (2, 1, 'phone', 0, 'y'), "
            "(3, 1, NULL, 0, 'z'), (4, 1, 'email', 1, 'v'), (5, 2, 'email', 0, 'w')",
        )
        value = (Field("value", "email", None),)
        up = ParentLink("people", (("person", "id"),))
        consent = GroundUse("consent", True, None)
        connector = store.connect(
            mapping(
                table("people", group("names", NAME, consent)),
                table(
                    "mails",
                    group("mails", value),
                    key="no",
                    parent=up,
                    relation="contacts",
                    where=(Filter("kind", ("email",)), Filter("gone", (False,))),
                ),
                table(
                    "phones",
                    group("phones", value, consent),
                    key="no",
                    parent=up,
                    relation="contacts",
                    where=(Filter("kind", ("phone", None)),),
                ),
            )
        )
        effects = await connector.erase(everybody(1, 2, shape=("consent",)))
        left = await store.rows("SELECT no FROM contacts ORDER BY no")
        assert [number for (number,) in left] == [2, 3, 4]
        assert effects[(1,)]["mails"].deleted + effects[(2,)]["mails"].deleted == 2
        again = await connector.verify(everybody(1, 2, shape=("consent",)))
        assert again[(1,)]["phones"].kept[0].rows == 2
        assert "mails" not in again[(1,)]

    async def test_a_filter_says_what_a_row_is_not(self, store: Store) -> None:
        """With ``not``, rows of other values and of none are meant; the root is found by it too."""
        await store.run(
            "CREATE TABLE people (id integer PRIMARY KEY, name varchar(50), state varchar(9))",
            "INSERT INTO people VALUES (1, 'a', 'merged'), (2, 'a', 'live'), (3, 'a', NULL)",
        )
        named = IdentifierColumn("name", "name", ignore_case=False, strong=True)
        where = (Filter("state", ("merged",), negated=True),)
        people = table("people", group("names", NAME), identifiers=(named,), where=where)
        connector = store.connect(mapping(people))
        found = await connector.resolve([Lookup(7, (("name", "a"),))])
        assert sorted(match.key for match in found) == [(2,), (3,)]
        await connector.erase(everybody(1, 2, 3))
        assert [row[0] for row in await store.rows()] == [1]

    async def test_a_row_that_is_pointed_at_stays(self, store: Store) -> None:
        """An address stays, emptied, while an invoice points at it, and goes with the invoice."""
        await store.run(
            "CREATE TABLE people (id integer PRIMARY KEY, name varchar(50))",
            "CREATE TABLE addresses (no integer PRIMARY KEY, person integer, street varchar(50))",
            "CREATE TABLE bills (no integer PRIMARY KEY, person integer, address integer "
            "REFERENCES addresses (no), issued date)",
            "INSERT INTO people VALUES (1, 'a')",
            "INSERT INTO addresses VALUES (1, 1, 'Storgata 1'), (2, 1, 'Storgata 2')",
            "INSERT INTO bills VALUES (1, 1, 1, '2026-03-10')",
        )
        address = table(
            "addresses", group("streets", (Field("street", "address", None),)), key="no", parent=UP
        )
        bill = table(
            "bills",
            group(
                "bills",
                (Field("address", "address", None),),
                books(Anchor("issued", False, UNKNOWN)),
            ),
            key="no",
            parent=UP,
            references=(ParentLink("addresses", (("address", "no"),)),),
        )
        connector = store.connect(mapping(table("people", group("names", NAME)), address, bill))
        await connector.erase(everybody(1))
        assert await store.rows("SELECT * FROM addresses") == [(1, 1, None)]
        later = Work((), {"books": date(2026, 12, 31)}, [(1,)])
        await connector.erase(later)
        for name in ("bills", "addresses", "people"):
            assert await store.rows(f"SELECT * FROM {name}") == []

    async def test_an_address_lives_as_long_as_the_invoice_that_points_at_it(
        self, store: Store
    ) -> None:
        """A linked row may be one that points here: its date keeps the address readable."""
        await store.run(
            "CREATE TABLE people (id integer PRIMARY KEY, name varchar(50))",
            "CREATE TABLE addresses (no integer PRIMARY KEY, person integer, street varchar(50))",
            "CREATE TABLE bills (no integer PRIMARY KEY, person integer, address integer, "
            "issued date)",
            "INSERT INTO people VALUES (1, 'a')",
            "INSERT INTO addresses VALUES (1, 1, 'Storgata 1'), (2, 1, 'Storgata 2')",
            "INSERT INTO bills VALUES (1, 1, 1, '2026-03-10')",
        )
        use = books(Anchor("issued", False, UNKNOWN, ParentLink("bills", (("no", "address"),))))
        street = group("streets", (Field("street", "address", None),), use)
        bill = table(
            "bills",
            key="no",
            parent=UP,
            references=(ParentLink("addresses", (("address", "no"),)),),
        )
        address = table("addresses", street, key="no", parent=UP)
        connector = store.connect(mapping(table("people", group("names", NAME)), address, bill))
        await connector.erase(everybody(1))
        assert await store.rows("SELECT * FROM addresses") == [(1, 1, "Storgata 1")]

    async def test_a_consent_that_the_store_records(self, store: Store) -> None:
        """A consent lives in the rows that say so, and in none once it was withdrawn."""
        await store.run(
            "CREATE TABLE people (id integer PRIMARY KEY, name varchar(50), agreed integer)",
            "INSERT INTO people VALUES (1, 'a', 1), (2, 'b', 0), (3, 'c', NULL)",
        )
        consent = GroundUse("news", True, None, evidence=Evidence(Filter("agreed", (True,))))
        connector = store.connect(mapping(table("people", group("names", NAME, consent))))
        work = everybody(1, 2, 3, shape=("news",))
        await connector.erase(work)
        assert [row[0] for row in await store.rows()] == [1]
        again = await connector.verify(work)
        assert [(kept.ground, kept.rows) for kept in again[(1,)]["names"].kept] == [("news", 1)]
        await connector.erase(everybody(1, 2, 3))
        assert await store.rows() == []


class TestPostgreSQL(Linked):
    """On PostgreSQL."""

    dialect = POSTGRESQL


@pytest.mark.mariadb
class TestMariaDB(Linked):
    """On MariaDB."""

    dialect = MARIADB


class TestSQLite(Linked):
    """On SQLite."""

    dialect = SQLITE
