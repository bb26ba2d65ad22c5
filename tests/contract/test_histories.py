"""Histories that a store fills while we erase, and rows that are linked by a value alone."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

import pytest

from connectors.base import Done
from connectors.faults import Misfit, Refused
from connectors.mapping import Field, FieldGroup, ParentLink, StoreMapping, Table
from tests.contract.small import ANCHORED, Small, Store, people, work
from tests.support.databases import MARIADB, POSTGRESQL, SQLITE

HISTORY = Table(
    "history",
    "history",
    None,
    ("no",),
    ParentLink("people", (("person", "id"),)),
    (FieldGroup("history", (Field("name", "name", None),), ()),),
    after=True,
)
LOG = Table(
    "log",
    "log",
    None,
    ("id",),
    ParentLink("people", (("sent_to", "mail"),), ignore_case=True),
    (FieldGroup("log", (Field("subject", "voluntary", None),), ()),),
)


class Both(Small):
    """Histories and logs on each database."""

    serial = "integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY"

    async def test_a_history_is_cleaned_last(self, store: Store) -> None:
        """What the store's triggers copied while we erased is gone when we commit."""
        await self.people_with_a_history(store)
        connector = store.connect(_with(HISTORY))
        effects = await connector.erase(work((1,), (2,)))
        assert effects[(1,)]["history"] == Done(deleted=2)
        assert effects[(2,)] == {"all": Done(overwritten=1), "history": Done(deleted=2)}
        assert await store.rows("SELECT id, name FROM people ORDER BY id") == [(2, None), (3, "c")]
        assert await store.rows("SELECT person FROM history") == [(3,)]
        assert "history" not in (await connector.verify(work((1,), (2,)))).get((2,), {})

    async def test_a_history_that_stays_is_found(self, store: Store) -> None:
        """Rows that a history takes on after it was cleaned are counted by the re-read."""
        await self.people_with_a_history(store)
        connector = store.connect(_with(HISTORY))
        await connector.erase(work((1,)))
        await store.run("INSERT INTO history (person, name) VALUES (1, 'a')")
        found = await connector.verify(work((1,)))
        assert found[(1,)]["history"].left == 1

    async def test_a_history_must_carry_the_key(self, store: Store) -> None:
        """A history that names people by their address cannot be found once they are gone."""
        await self.people_with_a_history(store)
        by_name = dataclasses.replace(HISTORY, parent=ParentLink("people", (("name", "name"),)))
        connector = store.connect(_with(by_name))
        with pytest.raises(Misfit, match="history"):
            await connector.erase(work((1,)))

    async def people_with_a_history(self, store: Store) -> None:
        """Two people, the second of whom stays as a stub, and a history filled by triggers."""
        await store.run(
            "CREATE TABLE people (id integer PRIMARY KEY, name varchar(9) UNIQUE, since date)",
            f"CREATE TABLE history (no {self.serial}, person integer, name varchar(9))",
            "INSERT INTO people VALUES (1, 'a', NULL), (2, 'b', NULL), (3, 'c', NULL)",
            "INSERT INTO history (person, name) VALUES (1, 'old'), (2, 'old'), (3, 'old')",
            "CREATE TABLE notes (id integer PRIMARY KEY, person integer, note varchar(9), "
            "since date)",
            "INSERT INTO notes VALUES (1, 2, 'x', '2026-01-01')",
        )
        await self.fill_history(store)

    async def fill_history(self, store: Store) -> None:
        """Copy each old row into the history."""
        for event in ("DELETE", "UPDATE"):
            await store.run(
                f"CREATE TRIGGER on_{event} AFTER {event} ON people FOR EACH ROW "
                "INSERT INTO history (person, name) VALUES (OLD.id, OLD.name)"
            )

    async def test_a_log_by_value(self, store: Store) -> None:
        """Rows that name a person by an address in any case go, and nobody else's do."""
        await self.people_with_a_log(store)
        connector = store.connect(_with(LOG, mail=None))
        effects = await connector.erase(work((1,)))
        assert effects[(1,)] == {"all": Done(deleted=1), "log": Done(deleted=2)}
        assert await store.rows("SELECT id FROM log ORDER BY id") == [(3,), (4,)]

    async def test_an_address_of_two(self, store: Store) -> None:
        """Where two people may have one address, it is warned of: their log goes with the first."""
        await self.people_with_a_log(store)
        findings = await store.connect(_with(LOG, mail=None)).check()
        assert [f.level for f in findings if "with the first of them" in f.what] == ["warning"]
        await store.run("CREATE UNIQUE INDEX one ON people (mail)")
        findings = await store.connect(_with(LOG, mail=None)).check()
        assert not [f for f in findings if "with the first of them" in f.what]

    async def test_letters_beyond_ascii(self, store: Store) -> None:
        """Case is ignored for every letter, not for those of ASCII alone."""
        await self.people_with_a_log(store)
        connector = store.connect(_with(LOG, mail=None))
        effects = await connector.erase(work((2,)))
        assert effects[(2,)]["log"] == Done(deleted=1)

    async def test_an_address_that_is_itself_erased(self, store: Store) -> None:
        """Where the parent stays without its address, its log still goes, before the address."""
        await self.people_with_a_log(store)
        connector = store.connect(_with(LOG, mail=None, row_stays=True))
        effects = await connector.erase(work((1,)))
        assert effects[(1,)] == {"all": Done(overwritten=1), "log": Done(deleted=2)}
        assert await store.rows("SELECT id, mail FROM people WHERE id = 1") == [(1, None)]
        assert await store.rows("SELECT id FROM log ORDER BY id") == [(3,), (4,)]

    async def people_with_a_log(self, store: Store) -> None:
        """Two people, and a log of what was sent to whom."""
        await store.run(
            "CREATE TABLE people (id integer PRIMARY KEY, mail varchar(40), name varchar(9))",
            "CREATE TABLE log (id integer PRIMARY KEY, sent_to varchar(40), subject varchar(9))",
            "INSERT INTO people VALUES (1, 'kari@x.no', 'a'), (2, 'BjØrn@x.no', 'b')",
            "INSERT INTO log VALUES (1, 'Kari@X.no', 'x'), (2, 'kari@x.no', 'x'), "
            "(3, 'bjørn@x.no', 'x'), (4, 'xkari@x.no', 'x')",
        )


class Swallowing(Both):
    """Where a trigger can keep a row back without an error; MariaDB's cannot."""

    swallow: ClassVar[tuple[str, ...]]

    async def test_a_log_that_stays_is_found(self, store: Store) -> None:
        """A log that swallows its DELETE is found before its people's addresses are gone."""
        await self.people_with_a_log(store)
        await store.run(*self.swallow)
        connector = store.connect(_with(LOG, mail=None, row_stays=True))
        with pytest.raises(Refused) as caught:
            await connector.erase(work((1,)))
        assert caught.value.code == "not-gone"
        assert await store.rows("SELECT mail FROM people WHERE id = 1") == [("kari@x.no",)]


def _with(table: Table, *, mail: str | None = "", row_stays: bool = False) -> StoreMapping:
    """People with their name (and address, unless it is ``""``), and one table below."""
    fields = [Field("name", "name", None)] + ([Field("mail", "email", mail)] if mail != "" else [])
    mapping = people(*fields, row_stays=row_stays)
    notes = Table(
        "notes",
        "notes",
        None,
        ("id",),
        ParentLink("people", (("person", "id"),)),
        (FieldGroup("notes", (Field("note", "voluntary", None),), (ANCHORED,)),),
    )
    others = (notes,) if table.after else ()
    return dataclasses.replace(mapping, tables=(mapping.root, table, *others))


class TestPostgreSQL(Swallowing):
    """On PostgreSQL."""

    dialect = POSTGRESQL
    swallow = (
        "CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$",
        "CREATE TRIGGER keep BEFORE DELETE ON log FOR EACH ROW EXECUTE FUNCTION keep()",
    )

    async def fill_history(self, store: Store) -> None:
        """Copy each old row into the history."""
        await store.run(
            "CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            "INSERT INTO history (person, name) VALUES (OLD.id, OLD.name); RETURN NULL; END $$",
            "CREATE TRIGGER note AFTER DELETE OR UPDATE ON people FOR EACH ROW "
            "EXECUTE FUNCTION note()",
        )


@pytest.mark.mariadb
class TestMariaDB(Both):
    """On MariaDB."""

    dialect = MARIADB
    serial = "integer AUTO_INCREMENT PRIMARY KEY"


class TestSQLite(Swallowing):
    """On SQLite."""

    dialect = SQLITE
    serial = "integer PRIMARY KEY AUTOINCREMENT"
    swallow = ("CREATE TRIGGER keep BEFORE DELETE ON log BEGIN SELECT RAISE(IGNORE); END",)

    async def fill_history(self, store: Store) -> None:
        """Copy each old row into the history."""
        for event in ("DELETE", "UPDATE"):
            await store.run(
                f"CREATE TRIGGER on_{event} AFTER {event} ON people FOR EACH ROW BEGIN "
                "INSERT INTO history (person, name) VALUES (OLD.id, OLD.name); END"
            )
