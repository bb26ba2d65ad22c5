"""Restrictions are written, lifted and re-read on every database, in whatever column says so."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from connectors.base import Done, Remainder
from connectors.faults import Misfit
from connectors.mapping import (
    Field,
    FieldGroup,
    Filter,
    ParentLink,
    Restriction,
    StoreMapping,
    Table,
)
from tests.contract.small import Small, Store
from tests.support.databases import MARIADB, POSTGRESQL, SQLITE

NAME = FieldGroup("people.name", (Field("name", "name", None),), ())
TEXT = FieldGroup("notes.text", (Field("text", "voluntary", None),), ())
MARK = Restriction("mark", "stop", None)
STATE = Restriction("state", 1, 0)
PEOPLE = Table("people", "people", None, ("area", "no"), None, (NAME,), restriction=MARK)
NOTES = Table(
    "notes",
    "notes",
    None,
    ("id",),
    ParentLink("people", (("area", "area"), ("person", "no"))),
    (TEXT,),
    restriction=STATE,
    where=(Filter("gone", (0,)),),
)
LOGS = replace(NOTES, name="logs", relation="logs", restriction=None, where=())
MAPPING = StoreMapping("small", "Europe/Oslo", (PEOPLE, NOTES, LOGS))
ONE, TWO = ("a", 1), ("a", 2)
ROWS = "SELECT * FROM people ORDER BY area, no"

SCHEMA = (
    "CREATE TABLE people (area varchar(3) NOT NULL, no integer NOT NULL, name varchar(9), "
    "mark varchar(9), PRIMARY KEY (area, no))",
    "CREATE TABLE notes (id integer PRIMARY KEY, area varchar(3), person integer, "
    "text varchar(9), state integer NOT NULL, gone integer NOT NULL)",
    "CREATE TABLE logs (id integer PRIMARY KEY, area varchar(3), person integer, text varchar(9))",
    "INSERT INTO people VALUES ('a', 1, 'kari', NULL), ('a', 2, 'ola', 'other')",
    "INSERT INTO notes VALUES (1, 'a', 1, 'x', 0, 0), (2, 'a', 1, 'y', 1, 0), "
    "(3, 'a', 1, 'z', 0, 1), (4, 'a', 2, 'x', 0, 0)",
    "INSERT INTO logs VALUES (1, 'a', 1, 'x')",
)


class Restricting(Small):
    """Two people, notes that say it for themselves, logs that say nothing."""

    async def test_only_the_persons_rows_say_it(self, store: Store) -> None:
        """Rows that say something else are changed and counted; others, and all else, stay."""
        await store.run(*SCHEMA)
        connector = store.connect(MAPPING)
        assert connector.capabilities.restrict
        assert not [one for one in await connector.check() if one.level == "error"]
        assert _left(await connector.restricted([ONE], lifted=False)) == {
            ONE: {"people": 1, "notes": 1}
        }
        assert await connector.restrict([ONE], lifted=False) == {
            ONE: {"people": Done(overwritten=1), "notes": Done(overwritten=1)}
        }
        assert await store.rows(ROWS) == [("a", 1, "kari", "stop"), ("a", 2, "ola", "other")]
        assert await store.rows("SELECT id, text, state FROM notes ORDER BY 1") == [
            (1, "x", 1),
            (2, "y", 1),
            (3, "z", 0),
            (4, "x", 0),
        ]
        assert _left(await connector.restricted([ONE], lifted=False)) == {
            ONE: {"people": 0, "notes": 0}
        }
        assert await connector.restrict([ONE], lifted=False) == {}

    async def test_lifting_writes_what_is_declared(self, store: Store) -> None:
        """Lifted, the columns hold their other values; an empty one is a value too."""
        await store.run(*SCHEMA)
        connector = store.connect(MAPPING)
        await connector.restrict([ONE, TWO], lifted=False)
        lifted = await connector.restrict([ONE, TWO], lifted=True)
        assert lifted[TWO] == {"people": Done(overwritten=1), "notes": Done(overwritten=1)}
        assert [row[3] for row in await store.rows(ROWS)] == [None, None]
        states = await store.rows("SELECT state FROM notes WHERE gone = 0")
        assert set(states) == {(0,)}
        assert _left(await connector.restricted([ONE, TWO], lifted=True)) == {
            ONE: {"people": 0, "notes": 0},
            TWO: {"people": 0, "notes": 0},
        }

    async def test_a_truth_value(self, store: Store) -> None:
        """A column of the database's own kind of boolean takes true and false."""
        await store.run(
            "CREATE TABLE people (area varchar(3) NOT NULL, no integer NOT NULL, "
            "name varchar(9), mark boolean NOT NULL, PRIMARY KEY (area, no))",
            "INSERT INTO people VALUES ('a', 1, 'kari', false)",
        )
        people = replace(PEOPLE, restriction=Restriction("mark", True, False))
        connector = store.connect(StoreMapping("small", "Europe/Oslo", (people,)))
        assert not [one for one in await connector.check() if one.level == "error"]
        assert ONE in await connector.restrict([ONE], lifted=False)
        assert [bool(row[3]) for row in await store.rows(ROWS)] == [True]
        assert ONE in await connector.restrict([ONE], lifted=True)
        assert [bool(row[3]) for row in await store.rows(ROWS)] == [False]

    async def test_what_cannot_be_written_is_an_error(self, store: Store) -> None:
        """NULL where none may be, a word in a number: ``check`` says so and nothing is run."""
        await store.run(*SCHEMA)
        notes = replace(NOTES, restriction=Restriction("state", "stop", None))
        connector = store.connect(StoreMapping("small", "Europe/Oslo", (PEOPLE, notes)))
        found = [one.what for one in await connector.check() if one.level == "error"]
        assert len(found) == 2
        assert all("notes.state cannot hold" in what for what in found)
        with pytest.raises(Misfit):
            await connector.restrict([ONE], lifted=False)

    async def test_a_store_that_cannot(self, store: Store) -> None:
        """Without a declared column nothing is written, and nothing is claimed."""
        await store.run(*SCHEMA)
        connector = store.connect(
            StoreMapping("small", "Europe/Oslo", (replace(PEOPLE, restriction=None),))
        )
        before = await store.rows(ROWS)
        assert not connector.capabilities.restrict
        assert await connector.restrict([ONE], lifted=False) == {}
        assert await connector.restricted([ONE], lifted=False) == {}
        assert await store.rows(ROWS) == before


def _left(found: Any) -> dict[Any, dict[str, int]]:
    return {
        key: {table: _number(remainder) for table, remainder in tables.items()}
        for key, tables in found.items()
    }


def _number(remainder: Remainder) -> int:
    assert remainder.kept == ()
    return remainder.left


class TestPostgreSQL(Restricting):
    """On PostgreSQL."""

    dialect = POSTGRESQL


@pytest.mark.mariadb
class TestMariaDB(Restricting):
    """On MariaDB."""

    dialect = MARIADB


class TestSQLite(Restricting):
    """On SQLite."""

    dialect = SQLITE
