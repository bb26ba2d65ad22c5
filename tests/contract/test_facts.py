"""The facts that explain a row are those by which it is erased, on every database."""

from __future__ import annotations

from datetime import date

import pytest

from connectors.base import Fact
from connectors.mapping import (
    Anchor,
    Evidence,
    Field,
    FieldGroup,
    Filter,
    GroundUse,
    IdentifierColumn,
    NullAnchor,
    ParentLink,
    StoreMapping,
    Table,
)
from tests.contract.small import Small, Store
from tests.support.databases import MARIADB, POSTGRESQL, SQLITE

DOWN = ParentLink("bills", (("id", "person"),))
BOOKS_BELOW = GroundUse("books", False, Anchor("issued", False, NullAnchor.UNKNOWN, DOWN))
NEWS = GroundUse("news", True, None, evidence=Evidence(Filter("agreed", (1,))))
BOOKS = GroundUse("books", False, Anchor("issued", False, NullAnchor.UNKNOWN))
CONTRACT = GroundUse("contract", False, Anchor("ended", True, NullAnchor.RUNNING))
NAMES = FieldGroup("names", (Field("name", "name", None),), (BOOKS_BELOW, NEWS))
BILLS = FieldGroup("bills", (Field("buyer", "name", None),), (BOOKS, CONTRACT))
MAIL = IdentifierColumn("email", "mail", ignore_case=True, strong=True)
UP = ParentLink("people", (("person", "id"),))
MAPPING = StoreMapping(
    "small",
    "Europe/Oslo",
    (
        Table("people", "people", None, ("id",), None, (NAMES,), identifiers=(MAIL,)),
        Table("bills", "bills", None, ("no",), UP, (BILLS,)),
    ),
)


class Facts(Small):
    """Reading what decides."""

    async def test_dates_consents_and_what_is_missing(self, store: Store) -> None:
        """One row and all rows of a person: newest dates, a parent's date, what is not recorded."""
        await store.run(
            "CREATE TABLE people (id integer PRIMARY KEY, name varchar(9), mail varchar(30), "
            "agreed integer, ended date)",
            "CREATE TABLE bills (no integer PRIMARY KEY, person integer, buyer varchar(9), "
            "issued date)",
            "INSERT INTO people VALUES (1, 'a', 'A@example.no', 1, '2026-05-05'), "
            "(2, 'b', NULL, NULL, NULL)",
            "INSERT INTO bills VALUES (1, 1, 'a', '2020-01-01'), (2, 1, 'a', '2026-03-10'), "
            "(3, 2, 'b', NULL)",
        )
        connector = store.connect(MAPPING)
        (one,) = await connector.facts((2,), "bills")
        assert (one.table, one.root) == ("bills", (1,))
        assert one.facts == (
            Fact("bills", "books", date(2026, 3, 10), unknown=False, stands=True),
            Fact("bills", "contract", date(2026, 5, 5), unknown=False, stands=True),
        )
        assert "root=<masked>" in repr(one)
        rows = await connector.facts((1,))
        assert [row.table for row in rows] == ["people", "bills", "bills"]
        assert rows[0].facts == (
            Fact("names", "books", date(2026, 3, 10), unknown=False, stands=True),
            Fact("names", "news", None, unknown=False, stands=True),
        )
        person, lone = await connector.facts((2,))
        assert person.facts == (
            Fact("names", "books", None, unknown=True, stands=True),
            Fact("names", "news", None, unknown=False, stands=False),
        )
        assert [(fact.date, fact.unknown) for fact in lone.facts] == [(None, True), (None, True)]
        assert await connector.identifiers([(1,), (2,), (9,)]) == {
            (1,): (("email", "A@example.no"),),
            (2,): (),
        }
        assert await connector.identifiers([]) == {}
        assert await connector.facts((9,), "bills") == []


class TestPostgreSQL(Facts):
    """On PostgreSQL."""

    dialect = POSTGRESQL


@pytest.mark.mariadb
class TestMariaDB(Facts):
    """On MariaDB."""

    dialect = MARIADB


class TestSQLite(Facts):
    """On SQLite."""

    dialect = SQLITE
