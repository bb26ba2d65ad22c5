"""Pointers emptied before a delete, self-references, and unique columns overwritten by key."""

from __future__ import annotations

import dataclasses

import pytest

from connectors.base import Done
from connectors.faults import Misfit, Refused
from connectors.mapping import Field, FieldGroup, ParentLink, StoreMapping, Table
from tests.contract.small import ANCHORED, Small, Store, left, people, work
from tests.support.databases import MARIADB, POSTGRESQL, SQLITE


class Alike(Small):
    """Pointers on each database."""

    async def test_self_references_within_one_delete(self, store: Store) -> None:
        """Rows that point at each other go in one batch, and others' pointers at them are empty."""
        await self.comments(store)
        connector = store.connect(_with_comments(detach=True))
        effects = await connector.erase(work((1,)))
        assert effects[(1,)]["comments"] == Done(deleted=3)
        assert await store.rows("SELECT id, reply_to FROM comments ORDER BY id") == [
            (4, None),
            (5, 4),
        ]
        assert await connector.verify(work((1,))) == {}

    async def test_without_detach_the_store_refuses(self, store: Store) -> None:
        """The same rows without a declared detachment are refused, and nothing changes."""
        await self.comments(store)
        connector = store.connect(_with_comments(detach=False))
        with pytest.raises(Refused) as caught:
            await connector.erase(work((1,)))
        assert caught.value.code == "constraint"
        assert len(await store.rows("SELECT id FROM comments")) == 5

    async def comments(self, store: Store) -> None:
        """Two people's comments: a chain of the first, to which the second replies."""
        await store.run(
            "CREATE TABLE people (id integer PRIMARY KEY, name varchar(9))",
            "CREATE TABLE comments (id integer PRIMARY KEY, person integer, note varchar(9), "
            "reply_to integer, FOREIGN KEY (reply_to) REFERENCES comments (id))",
            "INSERT INTO people VALUES (1, 'a'), (2, 'b')",
            "INSERT INTO comments VALUES (1, 1, 'x', NULL), (2, 1, 'x', 1), (3, 1, 'x', 2), "
            "(4, 2, 'x', 1), (5, 2, 'x', 4)",
        )

    async def test_pointers_of_another_table(self, store: Store) -> None:
        """A composite pointer in another table is emptied; that of a row that stays is not."""
        await store.run(
            "CREATE TABLE people (area varchar(9), no integer, name varchar(9), since date, "
            "PRIMARY KEY (area, no))",
            "CREATE TABLE teams (id integer PRIMARY KEY, area varchar(9), boss integer, "
            "name varchar(9), FOREIGN KEY (area, boss) REFERENCES people (area, no))",
            "INSERT INTO people VALUES ('n', 1, 'a', '2020-01-01'), ('n', 2, 'b', '2026-01-01')",
            "INSERT INTO teams VALUES (1, 'n', 1, 'x'), (2, 'n', 2, 'x')",
        )
        mapping = people(Field("name", "name", None), grounds=(ANCHORED,), key=("area", "no"))
        at = ParentLink("teams", (("area", "area"), ("no", "boss")))
        root = dataclasses.replace(mapping.root, detach=(at,))
        link = ParentLink("people", (("area", "area"), ("boss", "no")))
        teams = Table("teams", "teams", None, ("id",), None, ())
        teams = dataclasses.replace(teams, after=True, parent=link)  # not a child that holds it
        connector = store.connect(dataclasses.replace(mapping, tables=(root, teams)))
        effects = await connector.erase(work(("n", 1), ("n", 2)))
        assert set(effects) == {("n", 1)}
        assert await store.rows("SELECT id, area, boss FROM teams ORDER BY id") == [
            (1, None, None),
            (2, "n", 2),
        ]

    async def test_a_unique_column_takes_the_key(self, store: Store) -> None:
        """``{key}`` gives each row a value of its own, and the re-read knows it."""
        await store.run(
            "CREATE TABLE people (id integer, area varchar(9), mail varchar(60) NOT NULL UNIQUE, "
            "PRIMARY KEY (id, area))",
            "INSERT INTO people VALUES (1, 'n', 'a@x.no'), (2, 'n', 'b@x.no'), (3, 's', 'c@x.no')",
        )
        mail = Field("mail", "email", "erased-{key}@invalid ({key})")
        connector = store.connect(people(mail, key=("id", "area"), row_stays=True))
        everybody = work((1, "n"), (2, "n"), (3, "s"))
        assert set(await connector.erase(everybody)) == set(everybody.keys)
        assert [mail for _, _, mail in await store.rows()] == [
            "erased-1-n@invalid (1-n)",
            "erased-2-n@invalid (2-n)",
            "erased-3-s@invalid (3-s)",
        ]
        assert [n for _, n in left(await connector.verify(everybody))] == [0, 0, 0]
        assert await connector.erase(everybody) == {}
        await store.run("UPDATE people SET mail = 'erased-9@invalid (9)' WHERE id = 2")
        assert dict(left(await connector.verify(everybody)))[(2, "n")] == 1

    async def test_a_key_fits_texts_only(self, store: Store) -> None:
        """A number column cannot take a text with a key: it is said before any work."""
        await store.run("CREATE TABLE people (id integer PRIMARY KEY, size integer)")
        connector = store.connect(people(Field("size", "name", "{key}"), row_stays=True))
        with pytest.raises(Misfit, match="overwrite"):
            await connector.erase(work((1,)))


def _with_comments(*, detach: bool) -> StoreMapping:
    mapping = people(Field("name", "name", None))
    comments = Table(
        "comments",
        "comments",
        None,
        ("id",),
        ParentLink("people", (("person", "id"),)),
        (FieldGroup("comments", (Field("note", "voluntary", None),), ()),),
        detach=(ParentLink("comments", (("id", "reply_to"),)),) if detach else (),
    )
    return dataclasses.replace(mapping, tables=(mapping.root, comments))


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
