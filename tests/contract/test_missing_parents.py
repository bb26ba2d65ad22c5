"""Rows whose parent is not there, such as those of a person whose own row was taken by hand."""

from __future__ import annotations

import pytest

from connectors.mapping import Anchor, Evidence, Field, Filter, GroundUse
from tests.contract.linked import RUNNING, UNKNOWN, UP, books, everybody, group, mapping, table
from tests.contract.small import Small, Store
from tests.support.databases import MARIADB, POSTGRESQL, SQLITE

NOTE = (Field("note", "voluntary", None),)
PARENTLESS = (
    "CREATE TABLE people (id integer PRIMARY KEY, since date, agreed integer)",
    "CREATE TABLE notes (id integer PRIMARY KEY, person integer, day date, note varchar(9))",
    "INSERT INTO notes VALUES (1, 7, '2020-01-01', 'a'), (2, 7, '2026-01-01', 'b')",
)


class Parentless(Small):
    """Notes of a person, number 7, who is not there."""

    async def test_what_does_not_wait_for_the_parent_goes(self, store: Store) -> None:
        """Of a row's own date and its parent's the earlier counts; one that is known suffices."""
        await store.run(*PARENTLESS)
        either = books(Anchor("day", False, UNKNOWN), Anchor("since", True, RUNNING), earliest=True)
        notes = table("notes", group("notes", NOTE, either), parent=UP)
        connector = store.connect(mapping(table("people"), notes))
        await connector.erase(everybody(7))
        assert await store.rows("SELECT id FROM notes") == [(2,)]
        again = await connector.verify(everybody(7))
        assert (again[(7,)]["notes"].left, again[(7,)]["notes"].kept[0].rows) == (0, 1)

    async def test_no_parent_records_no_consent(self, store: Store) -> None:
        """An empty column may stand for a consent, a row that is not there never does."""
        await store.run(*PARENTLESS)
        said = Evidence(Filter("agreed", (1, None)), of_parent=True)
        consent = GroundUse("news", True, None, evidence=said)
        notes = table("notes", group("notes", NOTE, consent), parent=UP)
        connector = store.connect(mapping(table("people"), notes))
        await connector.erase(everybody(7, shape=("news",)))
        assert await store.rows("SELECT id FROM notes") == []


class TestPostgreSQL(Parentless):
    """On PostgreSQL."""

    dialect = POSTGRESQL


@pytest.mark.mariadb
class TestMariaDB(Parentless):
    """On MariaDB."""

    dialect = MARIADB


class TestSQLite(Parentless):
    """On SQLite."""

    dialect = SQLITE
