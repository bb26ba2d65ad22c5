"""What a store itself deletes when we delete: foreign keys that cascade, or that stop us."""

from __future__ import annotations

import asyncio
import dataclasses

import pytest

from connectors.base import Connector
from connectors.faults import Misfit
from connectors.mapping import Field, FieldGroup, Filter, ParentLink, StoreMapping, Table
from tests.contract.small import ANCHORED, Small, Store, people, work
from tests.support.databases import MARIADB, POSTGRESQL, SQLITE

OF = ParentLink("people", (("person", "id"),))


def notes(**more: object) -> Table:
    """Notes below people, kept by their own date; ``more`` replaces parts of the table."""
    group = FieldGroup("notes", (Field("note", "voluntary", None),), (ANCHORED,))
    table = Table("notes", "notes", None, ("id",), OF, (group,))
    return dataclasses.replace(table, **more)  # type: ignore[arg-type]  # parts of a Table


def with_notes(*tables: Table, **more: object) -> StoreMapping:
    """People, of whom ``more`` replaces parts, and these tables."""
    mapping = people(Field("name", "name", None), row_stays=False)
    root = dataclasses.replace(mapping.root, **more)  # type: ignore[arg-type]  # parts of a Table
    return dataclasses.replace(mapping, tables=(root, *tables))


async def said(connector: Connector, level: str = "error") -> list[str]:
    """What a check says at one level."""
    return [one.what for one in await connector.check() if one.level == level]


class Alike(Small):
    """Foreign keys on each database."""

    async def made(self, store: Store, rule: str) -> None:
        """Two people, and notes of the first: one that is over, one that is kept."""
        await store.run(
            "CREATE TABLE people (id integer PRIMARY KEY, name varchar(9))",
            "CREATE TABLE notes (id integer PRIMARY KEY, person integer, kind varchar(9), "
            "note varchar(9), since date, "
            f"FOREIGN KEY (person) REFERENCES people (id) {rule})",
            "CREATE INDEX by_person ON notes (person)",
            "INSERT INTO people VALUES (1, 'a'), (2, 'b')",
            "INSERT INTO notes VALUES (1, 1, 'x', 'old', '2020-01-01'), "
            "(2, 1, 'x', 'new', '2026-01-01'), (3, 2, 'x', 'old', '2020-01-01')",
        )

    async def test_a_cascade_into_a_declared_child(self, store: Store) -> None:
        """It takes nothing along: a person stays, emptied, as long as a child row is kept."""
        await self.made(store, "ON DELETE CASCADE")
        connector = store.connect(with_notes(notes()))
        assert await said(connector) == []
        await connector.erase(work((1,), (2,)))
        assert await store.rows() == [(1, None)]
        assert await store.rows("SELECT id FROM notes") == [(2,)]

    async def test_a_cascade_over_a_second_pointer(self, store: Store) -> None:
        """A pointer that the policy does not name takes rows along; named, it holds."""
        await store.run(
            "CREATE TABLE people (id integer PRIMARY KEY, name varchar(9))",
            "CREATE TABLE notes (id integer PRIMARY KEY, person integer, about integer, "
            "note varchar(9), since date, FOREIGN KEY (person) REFERENCES people (id), "
            "FOREIGN KEY (about) REFERENCES people (id) ON DELETE CASCADE)",
            "INSERT INTO people VALUES (1, 'a'), (2, 'b')",
            "INSERT INTO notes VALUES (1, 1, 2, 'new', '2026-01-01')",
        )
        (what,) = await said(store.connect(with_notes(notes())))
        assert "CASCADE of about" in what
        about = ParentLink("people", (("about", "id"),))
        connector = store.connect(with_notes(notes(references=(about,))))
        assert await said(connector) == []
        await connector.erase(work((2,)))
        assert await store.rows() == [(1, "a"), (2, None)]
        assert await store.rows("SELECT id FROM notes") == [(1,)]

    async def test_a_cascade_from_a_link_to_a_shared_row(self, store: Store) -> None:
        """A shared row goes with its last link, so a cascade from it finds no link to take."""
        await store.run(
            "CREATE TABLE people (id integer PRIMARY KEY, name varchar(9))",
            "CREATE TABLE rooms (id integer PRIMARY KEY, title varchar(9))",
            "CREATE TABLE notes (id integer PRIMARY KEY, person integer, room integer, "
            "note varchar(9), since date, FOREIGN KEY (person) REFERENCES people (id), "
            "FOREIGN KEY (room) REFERENCES rooms (id) ON DELETE CASCADE)",
            "INSERT INTO people VALUES (1, 'a'), (2, 'b')",
            "INSERT INTO rooms VALUES (5, 'x'), (6, 'y')",
            "INSERT INTO notes VALUES (1, 1, 5, 'a', '2020-01-01'), (2, 2, 5, 'b', '2020-01-01'), "
            "(3, 1, 6, 'c', '2020-01-01')",
        )
        group = FieldGroup("rooms", (Field("title", "voluntary", None),), ())
        by = ParentLink("notes", (("id", "room"),))
        rooms = Table("rooms", "rooms", None, ("id",), None, (group,), shared_by=by)
        connector = store.connect(with_notes(notes(), rooms))
        assert await said(connector) == []
        await connector.erase(work((1,)))
        assert await store.rows("SELECT id FROM rooms") == [(5,)]
        assert await store.rows("SELECT id FROM notes") == [(2,)]

    async def test_a_cascade_into_a_table_nobody_declared(self, store: Store) -> None:
        """It stops the worker before a row is touched, and the way out lets it work."""
        await self.made(store, "ON DELETE CASCADE")
        connector = store.connect(with_notes())
        (what,) = await said(connector)
        assert "takes rows of" in what
        assert "notes along" in what
        with pytest.raises(Misfit, match="CASCADE"):
            await connector.erase(work((1,), (2,)))
        assert len(await store.rows("SELECT id FROM notes")) == 3
        in_place = store.connect(with_notes(row_stays=True))
        assert await said(in_place) == []
        await in_place.erase(work((1,), (2,)))
        assert await store.rows() == [(1, None), (2, None)]
        assert len(await store.rows("SELECT id FROM notes")) == 3

    async def test_a_cascade_into_rows_that_a_filter_leaves_out(self, store: Store) -> None:
        """Rows of a child that its filter does not mean hold nobody, and would go along."""
        await self.made(store, "ON DELETE CASCADE")
        some = notes(where=(Filter("kind", ("x", None)),))
        assert len(await said(store.connect(with_notes(some)))) == 1
        rest = notes(name="rest", where=(Filter("kind", ("x", None), negated=True),))
        rest = dataclasses.replace(rest, groups=(dataclasses.replace(rest.groups[0], name="rest"),))
        assert await said(store.connect(with_notes(some, rest))) == []

    async def test_a_cascade_into_a_history(self, store: Store) -> None:
        """A history is cleaned after the row that feeds it, so a cascade would take its rows."""
        await self.made(store, "ON DELETE CASCADE")
        assert len(await said(store.connect(with_notes(notes(after=True))))) == 1

    async def test_a_key_that_stops_the_deletion(self, store: Store) -> None:
        """Without a cascade the store would refuse the person: a hole, with three ways out."""
        await self.made(store, "")
        unknown = store.connect(with_notes())
        assert await said(unknown) == []
        (what,) = [one for one in await said(unknown, "hole") if "stops the deletion" in one]
        assert "notes" in what
        for mapping in (
            with_notes(notes()),
            with_notes(row_stays=True),
            with_notes(
                notes(after=True, parent=ParentLink("people", (("id", "id"),))),
                detach=(ParentLink("notes", (("id", "person"),)),),
            ),
        ):
            told = await said(store.connect(mapping), "hole")
            assert not [one for one in told if "stops the deletion" in one]

    async def test_a_key_that_lets_go(self, store: Store) -> None:
        """ON DELETE SET NULL leaves the other table's rows where they are: nothing to say."""
        await self.made(store, "ON DELETE SET NULL")
        connector = store.connect(with_notes())
        told = [*await said(connector), *await said(connector, "hole")]
        assert not [one for one in told if "notes" in one]
        await connector.erase(work((1,), (2,)))
        assert await store.rows("SELECT person FROM notes") == [(None,)] * 3

    async def test_a_self_reference_that_cascades(self, store: Store) -> None:
        """Replies would go with what they reply to, whoever wrote them, unless detached."""
        await store.run(
            "CREATE TABLE people (id integer PRIMARY KEY, name varchar(9), boss integer, "
            "FOREIGN KEY (boss) REFERENCES people (id) ON DELETE CASCADE)",
            "INSERT INTO people VALUES (1, 'a', NULL), (2, 'b', 1)",
        )
        assert len(await said(store.connect(with_notes()))) == 1
        link = ParentLink("people", (("id", "boss"),))
        connector = store.connect(with_notes(detach=(link,)))
        assert await said(connector) == []
        await connector.erase(work((1,)))
        assert await store.rows() == [(2, "b", None)]

    async def test_a_name_that_is_overwritten_elsewhere(self, store: Store) -> None:
        """A key by a column that is overwritten would carry the overwrite into other tables."""
        await store.run(
            "CREATE TABLE people (id integer PRIMARY KEY, name varchar(9) UNIQUE)",
            "CREATE TABLE books (id integer PRIMARY KEY, owner varchar(9), "
            "FOREIGN KEY (owner) REFERENCES people (name) ON UPDATE CASCADE)",
        )
        mapping = with_notes(row_stays=True)
        (what,) = await said(store.connect(mapping))
        assert "ON UPDATE CASCADE" in what


class Locking(Alike):
    """Where a row can come in while we erase."""

    waiting: str

    async def test_a_child_that_comes_in_meanwhile(self, store: Store) -> None:
        """A row added by an open transaction is waited for, seen, and keeps its person."""
        await self.made(store, "ON DELETE CASCADE")
        connector = store.connect(with_notes(notes()))
        assert await said(connector) == []
        async with store.engine.connect() as other:
            await other.exec_driver_sql("INSERT INTO notes VALUES (4, 2, 'x', 'now', '2026-01-01')")
            erasing = asyncio.create_task(connector.erase(work((2,))))
            while not (await store.rows(self.waiting))[0][0]:
                assert not erasing.done()
                await asyncio.sleep(0.01)
            await other.commit()
        await erasing
        assert await store.rows("SELECT id FROM people WHERE id = 2") == [(2,)]
        assert await store.rows("SELECT id FROM notes WHERE person = 2") == [(4,)]


class TestPostgreSQL(Locking):
    """On PostgreSQL."""

    dialect = POSTGRESQL
    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"


@pytest.mark.mariadb
class TestMariaDB(Locking):
    """On MariaDB."""

    dialect = MARIADB
    waiting = (
        "SELECT count(*) FROM information_schema.processlist WHERE db = database() "
        "AND id <> connection_id() AND instr(info, 'FOR UPDATE') > 0"
    )


class TestSQLite(Alike):
    """On SQLite."""

    dialect = SQLITE
