"""What a store's triggers delete, change or copy when we erase."""

from __future__ import annotations

import dataclasses

import pytest

from connectors.faults import Misfit
from connectors.mapping import Field, FieldGroup, Restriction, StoreMapping
from tests.contract.small import Small, Store, work
from tests.contract.test_alongside import notes, said, with_notes
from tests.support.databases import MARIADB, POSTGRESQL, SQLITE

TAKES = "DELETE FROM notes WHERE person = OLD.id"
CHANGES = "UPDATE notes SET note = '' WHERE person = OLD.id"
COPIES = "INSERT INTO notes (id, person, note) VALUES (OLD.id + 10, OLD.id, OLD.name)"


class Alike(Small):
    """Triggers on each database."""

    async def on(self, store: Store, event: str, statement: str) -> None:
        """Have ``people`` run a statement after an event."""
        await store.run(
            f"CREATE TRIGGER doing AFTER {event} ON people FOR EACH ROW BEGIN {statement}; END"
        )

    async def made(self, store: Store, event: str, statement: str) -> None:
        """One person with a kept note, and a trigger on people."""
        await store.run(
            "CREATE TABLE people (id integer PRIMARY KEY, name varchar(9))",
            "CREATE TABLE notes (id integer PRIMARY KEY, person integer, note varchar(9), "
            "since date)",
            "INSERT INTO people VALUES (1, 'a'), (2, 'b')",
            "INSERT INTO notes VALUES (1, 1, 'new', '2026-01-01')",
        )
        await self.on(store, event, statement)

    @pytest.mark.parametrize("statement", [TAKES, CHANGES], ids=["deletes", "updates"])
    async def test_rows_of_another_table(self, store: Store, statement: str) -> None:
        """A trigger that takes rows along, or changes them, stops the worker before any work."""
        await self.made(store, "DELETE", statement)
        connector = store.connect(with_notes())
        (what,) = await said(connector)
        assert "trigger doing of people" in what
        assert "rows of notes" in what
        with pytest.raises(Misfit, match="doing"):
            await connector.erase(work((1,)))
        assert len(await store.rows("SELECT note FROM notes WHERE note = 'new'")) == 1

    async def test_the_ways_out(self, store: Store) -> None:
        """It is harmless where no row is deleted, and where somebody says that it is."""
        await self.made(store, "DELETE", TAKES)
        in_place = store.connect(with_notes(row_stays=True))
        assert await said(in_place) == []
        await in_place.erase(work((1,), (2,)))
        assert await store.rows() == [(1, None), (2, None)]
        assert len(await store.rows("SELECT id FROM notes")) == 1
        assert await said(store.connect(with_notes(read_triggers=("doing",)))) == []

    async def test_on_update(self, store: Store) -> None:
        """A trigger on UPDATE matters where rows are overwritten, and only there."""
        await self.made(store, "UPDATE", TAKES)
        assert await said(store.connect(with_notes())) == []
        assert len(await said(store.connect(with_notes(row_stays=True)))) == 1
        inside = FieldGroup("all", (Field("name", "name", None, path="given"),), ())
        assert len(await said(store.connect(with_notes(groups=(inside,))))) == 1
        restricted = with_notes(restriction=Restriction("name", "x", None))
        assert len(await said(store.connect(restricted))) == 1

    async def test_copies(self, store: Store) -> None:
        """A copy in a table nobody declared is a hole; in a declared history it is none."""
        await self.made(store, "DELETE", COPIES)
        unknown = store.connect(with_notes())
        assert await said(unknown) == []
        assert [one for one in await said(unknown, "hole") if "writes into notes" in one]
        known = store.connect(_history())
        assert await said(known) == []
        assert not [one for one in await said(known, "hole") if "trigger" in one]

    async def test_a_history_that_is_kept_up(self, store: Store) -> None:
        """A trigger may close the entries of a declared history, but not delete them."""
        await self.made(store, "DELETE", CHANGES)
        assert await said(store.connect(_history())) == []

    async def test_a_history_that_is_cleared(self, store: Store) -> None:
        """One that deletes entries of a history deletes what a ground may keep."""
        await self.made(store, "DELETE", TAKES)
        assert len(await said(store.connect(_history()))) == 1


def _history() -> StoreMapping:
    mapping = with_notes(notes(after=True))
    return dataclasses.replace(mapping, tables=mapping.tables)


class TestPostgreSQL(Alike):
    """On PostgreSQL."""

    dialect = POSTGRESQL

    async def on(self, store: Store, event: str, statement: str) -> None:
        """Have ``people`` run a statement after an event."""
        await store.run(
            "CREATE FUNCTION doing() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN {statement}; RETURN NULL; END $$",
            f"CREATE TRIGGER doing AFTER {event} ON people FOR EACH ROW EXECUTE FUNCTION doing()",
        )

    async def test_a_rule(self, store: Store) -> None:
        """A rule of a table does what a trigger does, and is read like one."""
        await self.made(store, "DELETE", "RETURN NULL")
        await store.run(f"CREATE RULE also AS ON DELETE TO people DO ALSO {TAKES}")
        (what,) = await said(store.connect(with_notes()))
        assert "also of people deletes rows of notes" in what

    async def test_columns_of_an_update(self, store: Store) -> None:
        """A trigger on the UPDATE of a column that nobody overwrites never fires."""
        await self.made(store, "UPDATE OF id", TAKES)
        assert await said(store.connect(with_notes(row_stays=True))) == []

    async def test_code_that_cannot_be_read(self, store: Store) -> None:
        """What a trigger calls is not followed, and that is said."""
        await self.made(store, "DELETE", "PERFORM pg_sleep(0)")
        (what,) = [o for o in await said(store.connect(with_notes()), "warning") if "doing" in o]
        assert "not read" in what


@pytest.mark.mariadb
class TestMariaDB(Alike):
    """On MariaDB."""

    dialect = MARIADB

    async def test_a_login_that_sees_little(self, store: Store) -> None:
        """MariaDB shows triggers to who may make some: a login that may not is warned of."""
        await self.made(store, "DELETE", TAKES)
        name = f"few_{store.database.url.database}"[-32:]
        await store.run(
            f"CREATE USER '{name}'@'%%'",
            f"GRANT SELECT, UPDATE, DELETE ON {store.database.url.database}.* TO '{name}'@'%%'",
        )
        try:
            told = await said(store.connect(with_notes(), login=name), "warning")
            assert [one for one in told if "may not see everything" in one]
            await store.run(f"GRANT TRIGGER ON {store.database.url.database}.* TO '{name}'@'%%'")
            connector = store.connect(with_notes(), login=name)
            assert not [one for one in await said(connector, "warning") if "everything" in one]
            assert len(await said(connector)) == 1
        finally:
            await store.run(f"DROP USER '{name}'@'%%'")


class TestSQLite(Alike):
    """On SQLite."""

    dialect = SQLITE
