"""Columns and rows of a running store of which the policy says nothing."""

from __future__ import annotations

import dataclasses

import pytest

from connectors.base import Finding
from connectors.mapping import (
    Anchor,
    Evidence,
    Field,
    Filter,
    GroundUse,
    IdentifierColumn,
    NullAnchor,
    ParentLink,
    Restriction,
    StoreMapping,
)
from connectors.seen import Kind
from tests.contract.small import Small, Store, people
from tests.contract.test_alongside import notes, with_notes
from tests.support.databases import MARIADB, POSTGRESQL, SQLITE

NAME = Field("name", "name", None)


def unknown(findings: object) -> list[str]:
    """The columns of which nothing is said."""
    assert isinstance(findings, list)
    return [one.unknown.name for one in findings if one.unknown is not None]


class Alike(Small):
    """Columns and rows on each database."""

    json = "json"

    async def test_a_column_added_last_night(self, store: Store) -> None:
        """A new column is a hole, with what it can hold; listed as not personal it is none."""
        await store.run(
            "CREATE TABLE people (id integer PRIMARY KEY, name varchar(9), faks varchar(20) "
            "NOT NULL UNIQUE)"
        )
        found = [*await store.connect(people(NAME)).check()]
        (column,) = [one.unknown for one in found if one.unknown is not None]
        assert (column.name, column.kind, column.length) == ("faks", Kind.TEXT, 20)
        assert (column.nullable, column.unique) == (False, True)
        assert [one.level for one in found if one.unknown is not None] == ["hole"]
        listed = _root(people(NAME), not_personal=("faks",))
        assert unknown([*await store.connect(listed).check()]) == []

    async def test_what_is_named_is_known(self, store: Store) -> None:
        """Keys, links, identifiers, anchors, evidence, filters and restrictions are spoken of."""
        await store.run(
            "CREATE TABLE people (id integer PRIMARY KEY, name varchar(9), mail varchar(9), "
            "since date, agreed integer, tenant integer, halted integer, boss integer)",
            "CREATE TABLE notes (id integer PRIMARY KEY, person integer, note varchar(9), "
            "since date, about integer)",
        )
        ground = GroundUse(
            "kept",
            False,
            Anchor("since", False, NullAnchor.UNKNOWN),
            evidence=Evidence(Filter("agreed", (1,))),
        )
        mapping = _root(
            people(
                NAME,
                grounds=(ground,),
                identifiers=(IdentifierColumn("email", "mail", False, True),),
            ),
            where=(Filter("tenant", (1,)),),
            restriction=Restriction("halted", 1, 0),
            detach=(ParentLink("people", (("id", "boss"),)),),
        )
        child = notes(references=(ParentLink("people", (("about", "id"),)),))
        mapping = dataclasses.replace(mapping, tables=(mapping.root, child))
        assert unknown([*await store.connect(mapping).check()]) == []

    async def test_each_table_over_a_relation_speaks_for_itself(self, store: Store) -> None:
        """A column that one of two tables over a relation declares is unknown to the other."""
        await store.run(
            "CREATE TABLE people (id integer PRIMARY KEY, name varchar(9))",
            "CREATE TABLE notes (id integer PRIMARY KEY, person integer, kind varchar(9), "
            "note varchar(9), since date, extra varchar(9))",
        )
        first = notes(where=(Filter("kind", ("x",)),), not_personal=("extra",))
        second = dataclasses.replace(notes(where=(Filter("kind", ("y",)),)), name="others")
        found = [*await store.connect(with_notes(first, second)).check()]
        assert [(one.at[1], one.unknown.name) for one in found if one.unknown] == [
            ("others", "extra")
        ]

    async def test_a_document_of_which_a_part_is_declared(self, store: Store) -> None:
        """Paths into a JSON column leave the rest of it open, until somebody speaks of it."""
        await store.run(f"CREATE TABLE people (id integer PRIMARY KEY, profile {self.json})")
        street = Field("profile", "address", None, path="address.street")
        found = [*await store.connect(people(street)).check()]
        assert [one.level for one in found if "only what lies at a path" in one.what] == ["hole"]
        for mapping in (
            _root(people(street), not_personal=("profile",)),
            people(Field("profile", "address", None)),
        ):
            told = await store.connect(mapping).check()
            assert [one for one in told if one.level == "hole"] == []

    async def test_a_column_that_is_gone(self, store: Store) -> None:
        """Words about a column that the store no longer has are warned of, and stop nothing."""
        await store.run("CREATE TABLE people (id integer PRIMARY KEY, name varchar(9))")
        mapping = _root(people(NAME), not_personal=("old",))
        (finding,) = await store.connect(mapping).check()
        assert (finding.level, finding.at[-2:]) == ("warning", ("not_personal", "old"))

    async def test_rows_that_no_table_means(self, store: Store) -> None:
        """Rows outside every filter, and rows inside two, are counted."""
        await store.run(
            "CREATE TABLE people (id integer PRIMARY KEY, name varchar(9))",
            "CREATE TABLE notes (id integer PRIMARY KEY, person integer, kind varchar(9), "
            "note varchar(9), since date)",
            "INSERT INTO people VALUES (1, 'a')",
            "INSERT INTO notes VALUES (1, 1, 'x', 'a', NULL), (2, 1, 'y', 'a', NULL), "
            "(3, 1, NULL, 'a', NULL), (4, 1, 'z', 'a', NULL), (5, 1, 'z', 'a', NULL)",
        )
        first = notes(where=(Filter("kind", ("x", "y")),))
        second = dataclasses.replace(notes(where=(Filter("kind", ("y",)),)), name="others")
        nobody, several = await self.counted(store, with_notes(first, second))
        assert nobody.what.startswith("3 rows of notes are meant by no table")
        assert several.what.startswith("1 rows of notes are meant by several tables")
        assert {nobody.level, several.level} == {"hole"}
        spoken = dataclasses.replace(first, others_not_personal=True)
        assert await self.counted(store, with_notes(spoken)) == []
        rest = dataclasses.replace(
            notes(where=(Filter("kind", ("x", "y"), negated=True),)), name="others"
        )
        assert await self.counted(store, with_notes(first, rest)) == []
        whole = dataclasses.replace(notes(), name="others")
        (twice,) = await self.counted(store, with_notes(first, whole))
        assert twice.what.startswith("2 rows of notes are meant by several tables")

    async def test_rows_that_lead_to_nobody(self, store: Store) -> None:
        """Rows whose link is empty, or names a row that is not there, are counted and warned of."""
        await store.run(
            "CREATE TABLE people (id integer PRIMARY KEY, name varchar(9))",
            "CREATE TABLE notes (id integer PRIMARY KEY, person integer, kind varchar(9), "
            "note varchar(9), since date)",
            "INSERT INTO people VALUES (1, 'a')",
            "INSERT INTO notes VALUES (1, 1, 'x', 'a', NULL), (2, 7, 'x', 'a', NULL), "
            "(3, NULL, 'x', 'a', NULL), (4, NULL, 'y', 'a', NULL)",
        )
        (finding,) = await self.counted(store, with_notes(notes()))
        assert finding.what.startswith("3 rows of notes name no row of people")
        assert finding.level == "warning"
        some = notes(where=(Filter("kind", ("x",)),), others_not_personal=True)
        (finding,) = await self.counted(store, with_notes(some))
        assert finding.what.startswith("2 rows of notes")

    async def counted(self, store: Store, mapping: StoreMapping) -> list[Finding]:
        """What is told of the rows."""
        return [*await store.connect(mapping).count()]

    async def test_a_unique_column_with_one_overwrite(self, store: Store) -> None:
        """The same overwrite for everybody cannot stand in a unique column; a key can."""
        await store.run(
            "CREATE TABLE people (id integer PRIMARY KEY, name varchar(90), area integer)",
            "CREATE UNIQUE INDEX one ON people (area, name)",
        )
        for overwrite, told in (("gone", 1), ("gone-{key}", 0), (None, 0)):
            mapping = _root(
                people(Field("name", "name", overwrite), row_stays=True), not_personal=("area",)
            )
            found = await store.connect(mapping).check()
            assert len([one for one in found if "is unique" in one.what]) == told

    async def test_an_overwrite_of_another_type(self, store: Store) -> None:
        """A number cannot hold a word: told before a row must stay; a number it can."""
        await store.run("CREATE TABLE people (id integer PRIMARY KEY, name numeric(9, 2))")
        for overwrite, told in (("gone", 1), ("0.5", 0), (0, 0)):
            mapping = people(Field("name", "name", overwrite), row_stays=True)
            found = await store.connect(mapping).check()
            assert len([one for one in found if "cannot hold" in one.what]) == told

    async def test_pointers_that_may_not_be_empty(self, store: Store) -> None:
        """A pointer that is to be emptied must be allowed to be empty."""
        await store.run(
            "CREATE TABLE people (id integer PRIMARY KEY, name varchar(9), boss integer NOT NULL)"
        )
        mapping = _root(people(NAME), detach=(ParentLink("people", (("id", "boss"),)),))
        found = await store.connect(mapping).check()
        assert [one.level for one in found if "detach" in one.what] == ["hole"]

    async def test_indexes_for_links(self, store: Store) -> None:
        """What is reached through a link is warned of, with the index; a date needs none."""
        await store.run(
            "CREATE TABLE people (id integer PRIMARY KEY, name varchar(9))",
            "CREATE TABLE notes (id integer PRIMARY KEY, person integer, note varchar(9), "
            "since date, about integer)",
        )
        child = notes(references=(ParentLink("people", (("about", "id"),)),))
        connector = store.connect(with_notes(child))
        wanted = [one.todo for one in await connector.check() if one.level == "warning"]
        assert wanted == [
            "CREATE INDEX notes_person ON notes (person)",
            "CREATE INDEX notes_about ON notes (about)",
        ]
        await store.run(*wanted)
        assert [one for one in await connector.check() if one.level == "warning"] == []


def _root(mapping: StoreMapping, **more: object) -> StoreMapping:
    root = dataclasses.replace(mapping.root, **more)  # type: ignore[arg-type]  # parts of a Table
    return dataclasses.replace(mapping, tables=(root,))


class TestPostgreSQL(Alike):
    """On PostgreSQL."""

    dialect = POSTGRESQL

    async def test_words_of_an_enum(self, store: Store) -> None:
        """Enums, flags, keys of 128 bits and documents take values of their own only."""
        await store.run(
            "CREATE TYPE mood AS ENUM ('glad', 'none')",
            "CREATE TABLE people (id integer PRIMARY KEY, a mood, b boolean, c uuid, d json)",
        )
        zero = "00000000-0000-0000-0000-000000000000"
        for column, good in (("a", "none"), ("b", "false"), ("c", zero), ("d", "{}")):
            for overwrite, told in ((good, 0), ("gone", 1)):
                mapping = people(Field(column, "name", overwrite), row_stays=True)
                found = await store.connect(mapping).check()
                assert len([one for one in found if "cannot hold" in one.what]) == told

    async def test_unique_in_any_case_or_for_some(self, store: Store) -> None:
        """A unique index over an expression, or over some rows, refuses the second alike."""
        for index in ("(lower(name))", "(name) WHERE name <> ''"):
            await store.run(
                "DROP TABLE IF EXISTS people",
                "CREATE TABLE people (id integer PRIMARY KEY, name varchar(9))",
                f"CREATE UNIQUE INDEX one ON people {index}",
            )
            mapping = people(Field("name", "name", "gone"), row_stays=True)
            found = await store.connect(mapping).check()
            assert [one.level for one in found if "is unique" in one.what] == ["hole"]


@pytest.mark.mariadb
class TestMariaDB(Alike):
    """On MariaDB."""

    dialect = MARIADB


class TestSQLite(Alike):
    """On SQLite."""

    dialect = SQLITE
