"""Fields inside JSON columns, by path: taken out, overwritten, and found again by the re-read."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from connectors.base import Done
from connectors.faults import Misfit, Refused
from connectors.mapping import Field, FieldGroup, GroundUse
from connectors.sweeping import Walk
from tests.contract.small import ANCHORED, CUTOFF, Small, Store, left, people, work
from tests.support.databases import MARIADB, POSTGRESQL, SQLITE
from worker.sweeping.left import count_left

STREET = Field("profile", "address", None, path="address.street")
ORDERS = Field("profile", "email", "gone", path="orders[].email")
ANYWHERE = Field("profile", "email", None, path="**.email")
DOCUMENT = {
    "address": {"street": "Storgata 1", "town": "Oslo"},
    "orders": [{"email": "a@x.no", "no": 1}, {"no": 2}, {"email": "A@x.no", "price": 1.10}],
}


class Alike(Small):
    """Documents on each database."""

    kind = "json"

    async def given(self, store: Store, *documents: Any, name: str = "Kari") -> None:
        """People with these documents, from key 1."""
        await store.run(
            f"CREATE TABLE people (id integer PRIMARY KEY, name varchar(20), profile {self.kind}, "
            "since date)"
        )
        for key, document in enumerate(documents, start=1):
            text = document if isinstance(document, str) else json.dumps(document)
            await store.run(f"INSERT INTO people VALUES ({key}, '{name}', '{text}', '2020-01-01')")

    async def documents(self, store: Store) -> list[Any]:
        """What the documents hold now."""
        rows = await store.rows("SELECT profile FROM people ORDER BY id")
        return [json.loads(text) if isinstance(text, str) else text for (text,) in rows]

    async def test_members_go_by_path(self, store: Store) -> None:
        """The declared members go or are overwritten, and nothing else of a document changes."""
        await self.given(store, DOCUMENT, {"other": [1, "two", None, True]}, DOCUMENT)
        connector = store.connect(people(STREET, ORDERS, row_stays=True))
        assert dict(left(await connector.verify(work((1,), (2,))))) == {(1,): 1, (2,): 0}
        effects = await connector.erase(work((1,), (2,)))
        assert effects == {(1,): {"all": Done(overwritten=1)}}
        first, second, third = await self.documents(store)
        assert first == {
            "address": {"town": "Oslo"},
            "orders": [{"email": "gone", "no": 1}, {"no": 2}, {"email": "gone", "price": 1.10}],
        }
        assert (second, third) == ({"other": [1, "two", None, True]}, DOCUMENT)
        assert dict(left(await connector.verify(work((1,), (2,))))) == {(1,): 0, (2,): 0}
        assert await connector.erase(work((1,), (2,))) == {}

    async def test_a_sweep_opens_documents_to_count(self, store: Store) -> None:
        """What it has taken out of a document that stays is counted no more at its end."""
        await self.given(store, DOCUMENT, {"other": 1}, DOCUMENT)
        cutoffs = {"kept": CUTOFF}
        connector = store.connect(people(STREET, ORDERS, grounds=(ANCHORED,), row_stays=True))
        assert await count_left(connector, ["people"], cutoffs, []) == (2, 3)
        span = await connector.sweeping.span("people", Walk.KEYS, None, 10, {"kept": CUTOFF})
        effects = await connector.sweeping.sweep(span, cutoffs, [(3,)])
        assert effects == {(1,): {"all": Done(overwritten=1)}}
        assert await count_left(connector, ["people"], cutoffs, []) == (1, 3)
        assert await count_left(connector, ["people"], cutoffs, [(3,)]) == (0, 3)

    async def test_any_depth(self, store: Store) -> None:
        """``**`` finds a member in objects and arrays at any depth."""
        nested = {"email": 1, "a": [[{"email": "x"}], {"b": {"email": {"of": "x"}, "c": 1}}]}
        await self.given(store, nested, [{"email": "x"}, "email"])
        connector = store.connect(people(ANYWHERE, row_stays=True))
        await connector.erase(work((1,), (2,)))
        assert await self.documents(store) == [{"a": [[{}], {"b": {"c": 1}}]}, [{}, "email"]]
        assert dict(left(await connector.verify(work((1,), (2,))))) == {(1,): 0, (2,): 0}

    async def test_columns_and_paths_in_one_group(self, store: Store) -> None:
        """A row counts once in its group, whether its column, its document or both were due."""
        await self.given(store, DOCUMENT, {}, DOCUMENT)
        await store.run("UPDATE people SET name = NULL WHERE id = 3")
        connector = store.connect(people(Field("name", "name", None), STREET, row_stays=True))
        everybody = work((1,), (2,), (3,))
        assert dict(left(await connector.verify(everybody))) == {(1,): 1, (2,): 1, (3,): 1}
        effects = await connector.erase(everybody)
        assert effects == {(n,): {"all": Done(overwritten=1)} for n in (1, 2, 3)}
        assert dict(left(await connector.verify(everybody))) == {(1,): 0, (2,): 0, (3,): 0}

    async def test_a_living_ground_keeps_its_path(self, store: Store) -> None:
        """Two paths in one document are decided apart: one may live while the other is dead."""
        await self.given(store, DOCUMENT, DOCUMENT)
        await store.run("UPDATE people SET since = '2026-01-01' WHERE id = 1")
        kept = FieldGroup("kept", (STREET,), (ANCHORED,))
        always = FieldGroup(
            "always", (Field("name", "name", None),), (GroundUse("on", False, None),)
        )
        mapping = people(ANYWHERE)
        root = dataclasses.replace(mapping.root, groups=(*mapping.root.groups, kept, always))
        connector = store.connect(dataclasses.replace(mapping, tables=(root,)))
        effects = await connector.erase(work((1,), (2,)))
        assert set(effects[(1,)]) == {"all"}
        assert set(effects[(2,)]) == {"all", "kept"}
        first, second = await self.documents(store)
        assert (first["address"], second["address"]) == (DOCUMENT["address"], {"town": "Oslo"})
        assert "email" not in json.dumps([first, second])

    async def test_a_row_that_goes_takes_its_documents(self, store: Store) -> None:
        """Where the whole row is due, the document is not even read."""
        await self.given(store, DOCUMENT)
        connector = store.connect(people(STREET))
        assert await connector.erase(work((1,))) == {(1,): {"all": Done(deleted=1)}}
        assert await store.rows() == []

    async def test_many_rows_at_once(self, store: Store) -> None:
        """More documents than one statement takes come back each to its own row."""
        await self.given(store, *({"address": {"street": "x", "no": n}} for n in range(1, 251)))
        connector = store.connect(people(STREET, row_stays=True))
        await connector.erase(work(*((n,) for n in range(1, 251))))
        assert [d["address"] for d in await self.documents(store)] == [
            {"no": n} for n in range(1, 251)
        ]

    async def test_the_key_in_an_overwrite(self, store: Store) -> None:
        """``{key}`` in the overwrite of a path is the row's own key."""
        await self.given(store, DOCUMENT)
        connector = store.connect(
            people(dataclasses.replace(STREET, overwrite="gone-{key}"), row_stays=True)
        )
        await connector.erase(work((1,)))
        assert (await self.documents(store))[0]["address"]["street"] == "gone-1"
        assert left(await connector.verify(work((1,)))) == [((1,), 0)]

    async def test_a_wrong_path_stops_the_store(self, store: Store) -> None:
        """A path that cannot be read, or into a column without JSON, is said before any work."""
        await self.given(store)
        for field in (
            dataclasses.replace(STREET, path="address..street"),
            Field("since", "address", None, path="street"),
        ):
            with pytest.raises(Misfit, match=field.column):
                await store.connect(people(field, row_stays=True)).erase(work((1,)))

    async def test_a_store_that_keeps_documents(self, store: Store) -> None:
        """A document that a trigger puts back is found by the re-read."""
        await self.given(store, DOCUMENT)
        await self.hold_back(store)
        connector = store.connect(people(STREET, row_stays=True))
        await connector.erase(work((1,)))
        assert left(await connector.verify(work((1,)))) == [((1,), 1)]

    async def hold_back(self, store: Store) -> None:
        """Let the store silently keep the old document."""
        await store.run(
            "CREATE TRIGGER back BEFORE UPDATE ON people FOR EACH ROW SET NEW.profile = OLD.profile"
        )


class Loose(Alike):
    """Documents in plain text columns."""

    kind = "text"

    async def test_what_is_no_json_is_refused(self, store: Store) -> None:
        """A text that is no JSON may hold anything: its person is refused and counted as left."""
        await self.given(store, "not {json", DOCUMENT)
        connector = store.connect(people(STREET, row_stays=True))
        with pytest.raises(Refused, match="no JSON"):
            await connector.erase(work((1,), (2,)))
        assert (await store.rows("SELECT profile FROM people WHERE id = 2"))[0][0] == json.dumps(
            DOCUMENT
        )
        await connector.erase(work((2,)))
        assert dict(left(await connector.verify(work((1,), (2,))))) == {(1,): 1, (2,): 0}

    async def test_a_member_that_stands_twice(self, store: Store) -> None:
        """A member hidden behind a second one of its name goes too."""
        await self.given(store, '{"address": {"street": "x"}, "address": {"no": 1}, "n": 1.10}')
        connector = store.connect(people(STREET, row_stays=True))
        assert left(await connector.verify(work((1,)))) == [((1,), 1)]
        await connector.erase(work((1,)))
        ((text,),) = await store.rows("SELECT profile FROM people")
        assert text == '{"address":{"no":1},"n":1.10}'
        assert left(await connector.verify(work((1,)))) == [((1,), 0)]


_BACK = (
    "CREATE FUNCTION back() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN NEW.profile := OLD.profile; RETURN NEW; END $$",
    "CREATE TRIGGER back BEFORE UPDATE ON people FOR EACH ROW EXECUTE FUNCTION back()",
)


class TestPostgreSQL(Loose):
    """Texts on PostgreSQL."""

    dialect = POSTGRESQL

    async def hold_back(self, store: Store) -> None:
        """Let the store silently keep the old document."""
        await store.run(*_BACK)


class TestBinaryJson(Alike):
    """PostgreSQL's jsonb."""

    dialect = POSTGRESQL
    kind = "jsonb"

    async def hold_back(self, store: Store) -> None:
        """Let the store silently keep the old document."""
        await store.run(*_BACK)


class TestPlainJson(TestBinaryJson):
    """PostgreSQL's json, which keeps the text."""

    kind = "json"


@pytest.mark.mariadb
class TestMariaDB(Alike):
    """MariaDB's json."""

    dialect = MARIADB


@pytest.mark.mariadb
class TestMariaDBText(Loose):
    """Texts on MariaDB."""

    dialect = MARIADB


class TestSQLite(Loose):
    """Texts on SQLite."""

    dialect = SQLITE

    async def hold_back(self, store: Store) -> None:
        """Let the store silently keep the old document."""
        await store.run(
            "CREATE TRIGGER back AFTER UPDATE OF profile ON people "
            "WHEN OLD.profile LIKE '%street%' BEGIN "
            "UPDATE people SET profile = OLD.profile WHERE id = OLD.id; END"
        )


class TestSQLiteJson(TestSQLite):
    """A column that SQLite knows as JSON, which it does not check."""

    kind = "json"
