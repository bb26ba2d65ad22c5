"""What each database must do alike, though each would do something else by itself."""

from __future__ import annotations

import asyncio
import dataclasses

import pytest

from connectors.base import Done, Lookup
from connectors.faults import Misfit, RetryLater
from connectors.mapping import (
    Anchor,
    Field,
    FieldGroup,
    GroundUse,
    IdentifierColumn,
    NullAnchor,
    ParentLink,
    Table,
)
from tests.contract.small import ANCHORED, CONSENT, Small, Store, left, people, work
from tests.support.databases import MARIADB, POSTGRESQL, SQLITE

TRICKY = "O'Neil 100% \\ {x} :y"


class Alike(Small):
    """Small stores on each database."""

    async def test_an_overwrite_is_exact(self, store: Store) -> None:
        """A person whose name differs from the overwrite by case or blanks is overwritten too."""
        await store.run(
            "CREATE TABLE people (id integer PRIMARY KEY, name varchar(50))",
            "INSERT INTO people VALUES (1, 'ERASED'), (2, 'erased '), (3, 'erased'), (4, NULL)",
        )
        connector = store.connect(people(Field("name", "name", "erased"), row_stays=True))
        everybody = work((1,), (2,), (3,), (4,))
        assert dict(left(await connector.verify(everybody))) == {(1,): 1, (2,): 1, (3,): 0, (4,): 1}
        effects = await connector.erase(everybody)
        assert set(effects) == {(1,), (2,), (4,)}
        assert [name for _, name in await store.rows()] == ["erased"] * 4

    async def test_an_overwrite_may_hold_anything(self, store: Store) -> None:
        """Quotes, percent signs, backslashes and colons in an overwrite arrive as declared."""
        await store.run(
            "CREATE TABLE people (id integer PRIMARY KEY, name varchar(50))",
            "INSERT INTO people VALUES (1, 'Kari')",
        )
        connector = store.connect(people(Field("name", "name", TRICKY), row_stays=True))
        await connector.erase(work((1,)))
        assert await store.rows() == [(1, TRICKY)]
        assert left(await connector.verify(work((1,)))) == [((1,), 0)]

    async def test_overwrites_take_their_column_s_type(self, store: Store) -> None:
        """Numbers and dates are overwritten with numbers and dates, texts with texts."""
        await store.run(
            "CREATE TABLE people (id integer PRIMARY KEY, born date, size integer, "
            "code varchar(10), pay numeric(8, 2))",
            "INSERT INTO people VALUES (1, '1980-05-17', 46, 'abc', 12.50)",
        )
        mapping = people(
            Field("born", "voluntary", "1900-01-01"),
            Field("size", "voluntary", "0"),
            Field("code", "voluntary", 0),
            Field("pay", "voluntary", 0),
            row_stays=True,
        )
        connector = store.connect(mapping)
        await connector.erase(work((1,)))
        assert left(await connector.verify(work((1,)))) == [((1,), 0)]
        assert await connector.erase(work((1,))) == {}
        (row,) = await store.rows()
        assert [str(value) for value in row[1:4]] == ["1900-01-01", "0", "0"]

    @pytest.mark.parametrize("overwrite", ["nothing", "2.5"])
    async def test_an_overwrite_that_does_not_fit(self, store: Store, overwrite: str) -> None:
        """An overwrite that its column cannot hold stops the store before a row is touched."""
        await store.run("CREATE TABLE people (id integer PRIMARY KEY, size integer)")
        mapping = people(Field("size", "voluntary", overwrite), row_stays=True)
        connector = store.connect(mapping)
        assert [finding.level for finding in await connector.check()] == ["error"]
        with pytest.raises(Misfit, match="overwrite"):
            await connector.erase(work((1,)))

    async def test_numbers_are_not_guessed(self, store: Store) -> None:
        """A number column is asked only for numbers: no word is 0, and no prefix is enough."""
        await store.run(
            "CREATE TABLE people (id integer PRIMARY KEY, number bigint, name varchar(9))",
            "INSERT INTO people VALUES (1, 0, 'a'), (2, 7, 'b')",
        )
        customer = IdentifierColumn("customer_id", "number", ignore_case=False, strong=True)
        connector = store.connect(people(Field("name", "name", None), identifiers=(customer,)))
        asked = ["abc", "7abc", "0x7", "7.0", " 7", "\u0667", "9" * 30, "007", "7"]
        found = await connector.resolve(
            [Lookup(n, (("customer_id", value),)) for n, value in enumerate(asked)]
        )
        assert [(asked[m.ref], m.key) for m in found] == [("7", (2,))]

    async def test_text_keys_are_not_numbers(self, store: Store) -> None:
        """A key that looks like a number is text where its column is: 7 is not 7a, nor 07."""
        await store.run(
            "CREATE TABLE people (id varchar(20) PRIMARY KEY, name varchar(9))",
            "INSERT INTO people VALUES ('7', 'a'), ('7a', 'b'), ('07', 'c')",
        )
        connector = store.connect(people(Field("name", "name", None)))
        await connector.erase(work(("7",)))
        assert [key for key, _ in await store.rows()] == ["07", "7a"]

    async def test_a_key_must_be_unique(self, store: Store) -> None:
        """A declared key that the database does not hold unique stops the store."""
        await store.run("CREATE TABLE people (id integer, name varchar(9))")
        connector = store.connect(people(Field("name", "name", None)))
        with pytest.raises(Misfit, match="unique"):
            await connector.erase(work((1,)))
        await store.run("CREATE UNIQUE INDEX once ON people (id)")
        assert await connector.erase(work((1,))) == {}

    async def test_a_row_that_somebody_holds(self, store: Store) -> None:
        """A row locked by another transaction makes the store busy: try later, nothing changed."""
        await store.run(
            "CREATE TABLE people (id integer PRIMARY KEY, name varchar(9))",
            "INSERT INTO people VALUES (1, 'a')",
        )
        connector = store.connect(people(Field("name", "name", None)), timeout=1)
        async with store.holding("UPDATE people SET name = 'b' WHERE id = 1"):
            with pytest.raises(RetryLater) as caught:
                await connector.erase(work((1,)))
        assert caught.value.code in ("busy", "timeout")
        assert not caught.value.in_doubt
        assert await store.rows() == [(1, "a")]
        assert (1,) in await connector.erase(work((1,)))

    async def test_two_at_once(self, store: Store) -> None:
        """Two batches in flight share a connector and do not get in each other's way."""
        values = ", ".join(f"({n}, 'a')" for n in range(1, 201))
        await store.run(
            "CREATE TABLE people (id integer PRIMARY KEY, name varchar(9))",
            f"INSERT INTO people VALUES {values}",
        )
        connector = store.connect(people(Field("name", "name", None)))
        odd, even = ([(n,) for n in range(1, 201) if n % 2 == rest] for rest in (1, 0))
        effects = await asyncio.gather(connector.erase(work(*odd)), connector.erase(work(*even)))
        assert [set(effect) for effect in effects] == [set(odd), set(even)]
        assert await store.rows() == []

    async def test_a_table_without_groups_is_a_path_only(self, store: Store) -> None:
        """A table that declares no personal fields is never deleted from."""
        await store.run(
            "CREATE TABLE people (id integer PRIMARY KEY, name varchar(9))",
            "INSERT INTO people VALUES (1, 'a')",
        )
        mapping = people(Field("name", "name", None), grounds=(CONSENT, ANCHORED))
        root = dataclasses.replace(mapping.root, groups=())
        connector = store.connect(dataclasses.replace(mapping, tables=(root,)))
        assert await connector.erase(work((1,))) == {}
        assert await connector.verify(work((1,))) == {}
        assert await store.rows() == [(1, "a")]

    async def test_orphans_go_too(self, store: Store) -> None:
        """A row that names a person who is gone is erased, though its parent's dates are asked."""
        await store.run(
            "CREATE TABLE people (id integer PRIMARY KEY, name varchar(9), since date)",
            "CREATE TABLE notes (id integer PRIMARY KEY, person integer, note varchar(9), "
            "mood varchar(9))",
            "INSERT INTO notes VALUES (1, 5, 'a', 'glad')",
        )
        above = GroundUse("kept", False, Anchor("since", True, NullAnchor.UNKNOWN))
        always = GroundUse("always", False, None)
        groups = (
            FieldGroup("notes", (Field("note", "voluntary", None),), (above, always)),
            FieldGroup("moods", (Field("mood", "voluntary", None),), ()),
        )
        link = ParentLink("people", (("person", "id"),))
        notes = Table("notes", "notes", None, ("id",), link, groups)
        mapping = people(Field("name", "name", None))
        connector = store.connect(dataclasses.replace(mapping, tables=(mapping.root, notes)))
        assert await connector.erase(work((5,))) == {(5,): {"moods": Done(overwritten=1)}}
        assert await store.rows("SELECT note, mood FROM notes") == [("a", None)]

    async def test_a_grandchild_may_carry_the_key_itself(self, store: Store) -> None:
        """Where a row holds the person's key by way of its parent's, it needs no parent's row."""
        await store.run(
            "CREATE TABLE people (id integer PRIMARY KEY, name varchar(9))",
            "CREATE TABLE deals (person integer, no integer, what varchar(9), "
            "PRIMARY KEY (person, no))",
            "CREATE TABLE items (person integer, no integer, line integer, note varchar(9), "
            "PRIMARY KEY (person, no, line))",
            "INSERT INTO people VALUES (1, 'a'), (2, 'b')",
            "INSERT INTO deals VALUES (1, 1, 'x'), (2, 1, 'x')",
            "INSERT INTO items VALUES (1, 1, 1, 'x'), (1, 2, 1, 'orphan'), (2, 1, 1, 'x')",
        )
        deals = Table(
            "deals",
            "deals",
            None,
            ("person", "no"),
            ParentLink("people", (("person", "id"),)),
            (FieldGroup("deals", (Field("what", "voluntary", None),), ()),),
        )
        lines = Table(
            "items",
            "items",
            None,
            ("person", "no", "line"),
            ParentLink("deals", (("person", "person"), ("no", "no"))),
            (FieldGroup("items", (Field("note", "voluntary", None),), ()),),
        )
        mapping = people(Field("name", "name", None))
        connector = store.connect(dataclasses.replace(mapping, tables=(mapping.root, deals, lines)))
        effects = await connector.erase(work((1,)))
        assert effects[(1,)]["items"] == Done(deleted=2)
        assert await store.rows("SELECT person FROM items") == [(2,)]
        assert await connector.verify(work((1,))) == {}


class TestPostgreSQL(Alike):
    """On PostgreSQL."""

    dialect = POSTGRESQL


@pytest.mark.mariadb
class TestMariaDB(Alike):
    """On MariaDB."""

    dialect = MARIADB


class TestSQLite(Alike):
    """On SQLite."""

    dialect = SQLITE
