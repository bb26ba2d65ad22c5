"""Types, names and constraints that are not in every textbook, on each database that has them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID, uuid4

import pytest

from connectors.base import Connector, Done, Lookup
from connectors.faults import Misfit, Refused
from connectors.mapping import Field, FieldGroup, IdentifierColumn, StoreMapping, Table
from tests.contract.small import ANCHORED, CONSENT, CUTOFF, Small, Store, left, people, work
from tests.support.databases import MARIADB, POSTGRESQL, SQLITE
from worker.context import Context
from worker.effect import Erasing, Task
from worker.ledger.commands import Command


class Alike(Small):
    """Odd stores on each database."""

    quote = '"'
    percent = "%"

    async def test_names_that_need_quoting(self, store: Store) -> None:
        """Reserved words, blanks, percent signs, colons and quotes in names are just names."""
        names = ("Order No", "select", "%d", "a:b", "c.d", "it's", 'say "x"', "æøå", "since")
        key, word, percent, colon, dot, single, double, letters, since = map(self.quoted, names)
        table = self.quoted("group by")
        percent = percent.replace("%", self.percent)
        await store.run(
            f"CREATE TABLE {table} ({key} varchar(20) PRIMARY KEY, {word} varchar(30), "
            f"{percent} varchar(30), {colon} varchar(30), {dot} varchar(30), {single} varchar(30), "
            f"{double} varchar(30), {letters} varchar(30), {since} date)",
            f"INSERT INTO {table} VALUES "
            "('k', 'a@x.no', 'b', 'c', 'd', 'e', 'f', 'g', '2020-01-01'), "
            "('l', 'b@x.no', 'b', 'c', 'd', 'e', 'f', 'g', '2026-01-01')",
        )
        mail = IdentifierColumn("email", "select", ignore_case=True, strong=True)
        overwritten = (Field(n, "name", "gone {key}") for n in names[2:7])
        groups = (
            FieldGroup("gone", (Field("select", "email", None), *overwritten), (ANCHORED,)),
            FieldGroup("stays", (Field("æøå", "name", None),), (CONSENT,)),
        )
        odd = Table("odd", "group by", None, ("Order No",), None, groups, (mail,), row_stays=True)
        connector = store.connect(StoreMapping("odd", "Europe/Oslo", (odd,)))
        found = await connector.resolve([Lookup(1, (("email", "a@x.no"),))])
        assert [match.key for match in found] == [("k",)]
        effects = await connector.erase(work(("k",), ("l",)))
        assert effects[("k",)] == {"gone": Done(overwritten=1), "stays": Done(overwritten=1)}
        assert effects[("l",)] == {"stays": Done(overwritten=1)}
        first, second = await store.rows(f"SELECT * FROM {table} ORDER BY 1")
        assert first[:8] == ("k", None, *["gone k"] * 5, None)
        assert second[:8] == ("l", "b@x.no", "b", "c", "d", "e", "f", None)
        again = await connector.verify(work(("k",), ("l",)))
        assert {group.left for groups in again.values() for group in groups.values()} == {0}

    def quoted(self, name: str) -> str:
        """A name as the database's administrator writes it."""
        return self.quote + name.replace(self.quote, self.quote * 2) + self.quote

    async def test_a_view_is_no_table(self, store: Store) -> None:
        """A view is refused with the reason and the way out, before a row is touched."""
        await store.run(
            "CREATE TABLE everybody (id integer PRIMARY KEY, name varchar(9))",
            "INSERT INTO everybody VALUES (1, 'a')",
            "CREATE VIEW people AS SELECT * FROM everybody",
        )
        connector = store.connect(people(Field("name", "name", None)))
        with pytest.raises(Misfit, match="is a view: its rows cannot be locked") as caught:
            await connector.erase(work((1,)))
        assert "declare the tables" in str(caught.value)
        assert await store.rows() == [(1, "a")]

    async def test_a_generated_column_goes_with_its_source(self, store: Store) -> None:
        """What the database computes empties with what it is computed from, and is no field."""
        await store.run(
            "CREATE TABLE people (id integer PRIMARY KEY, name varchar(20), "
            "shout varchar(20) GENERATED ALWAYS AS (upper(name)) STORED)",
            "INSERT INTO people (id, name) VALUES (1, 'kari')",
        )
        connector = store.connect(people(Field("name", "name", None), row_stays=True))
        await connector.erase(work((1,)))
        assert await store.rows() == [(1, None, None)]
        wrong = store.connect(people(Field("shout", "name", None), row_stays=True))
        with pytest.raises(Misfit, match="shout is generated") as caught:
            await wrong.erase(work((1,)))
        assert "computed from" in str(caught.value)

    async def test_a_foreign_key_of_an_undeclared_table(self, store: Store) -> None:
        """Foreign keys are in force: what an undeclared table still points at is refused."""
        await store.run(
            "CREATE TABLE people (id integer PRIMARY KEY, name varchar(9))",
            "CREATE TABLE debts (id integer PRIMARY KEY, person integer, "
            "FOREIGN KEY (person) REFERENCES people (id))",
            "INSERT INTO people VALUES (1, 'a'), (2, 'b')",
            "INSERT INTO debts VALUES (1, 1)",
        )
        connector = store.connect(people(Field("name", "name", None)))
        with pytest.raises(Refused) as caught:
            await connector.erase(work((1,), (2,)))
        assert caught.value.code == "constraint"
        assert len(await store.rows()) == 2

    async def test_keys_that_are_no_numbers(self, store: Store) -> None:
        """Composite keys of texts and numbers find, erase, overwrite and re-read their own row."""
        await store.run(
            "CREATE TABLE people (area varchar(9), no bigint, code char(4), name varchar(9), "
            "PRIMARY KEY (area, no, code))",
            "INSERT INTO people VALUES ('n', 1, 'ab', 'a'), ('n', 1, 'cd', 'a'), "
            "('s', 9000000000, 'ab', 'a'), ('s', 1, 'ab', 'a')",
        )
        keys = [("n", 1, "ab"), ("s", 9000000000, "ab")]
        mapping = people(Field("name", "name", "-"), key=("area", "no", "code"), row_stays=True)
        connector = store.connect(mapping)
        assert set(await connector.erase(work(*keys))) == set(keys)
        rows = await store.rows("SELECT area, no, name FROM people ORDER BY area, no, code")
        assert [name for _, _, name in rows] == ["-", "a", "a", "-"]
        assert left(await connector.verify(work(*keys))) == [(key, 0) for key in keys]


class Deferring(Alike):
    """Where a constraint may wait for the commit."""

    async def test_a_constraint_that_fails_at_the_commit(self, store: Store) -> None:
        """A constraint deferred to the commit refuses there, and its person alone in the end."""
        await store.run(
            "CREATE TABLE people (id integer PRIMARY KEY, name varchar(9))",
            "CREATE TABLE debts (id integer PRIMARY KEY, person integer REFERENCES people (id) "
            "DEFERRABLE INITIALLY DEFERRED)",
            "INSERT INTO people VALUES (1, 'a'), (2, 'b'), (3, 'c'), (4, 'd')",
            "INSERT INTO debts VALUES (1, 3)",
        )
        connector = store.connect(people(Field("name", "name", None)))
        with pytest.raises(Refused) as caught:
            await connector.erase(work((1,), (2,), (3,), (4,)))
        assert caught.value.code == "constraint"
        assert len(await store.rows()) == 4
        cases = [uuid4() for _ in range(4)]
        effect = _effect(connector)
        await effect.act([Task(case, ((n,),)) for n, case in enumerate(cases, start=1)])
        assert set(effect.refused) == {cases[2]}
        assert await store.rows() == [(3, "c")]


def _effect(connector: Connector) -> Erasing:
    """One command's effect in a store, as the worker has it."""
    policy = SimpleNamespace(cutoffs=lambda *_: {"kept": CUTOFF})
    timing: Any = SimpleNamespace(store_timeout=SimpleNamespace(total_seconds=lambda: 60.0))
    context = SimpleNamespace(
        policy=policy, connectors={"small": connector}, day=lambda: CUTOFF, timing=timing
    )
    command = SimpleNamespace(store="small", shape=(), interrupted=False, id=UUID(int=0))
    return Erasing(cast(Context, context), cast(Command, command))


class TestPostgreSQL(Deferring):
    """On PostgreSQL, with types of its own."""

    dialect = POSTGRESQL

    async def test_arrays_enums_domains_and_the_like(self, store: Store) -> None:
        """Arrays, enums, domains, ranges and addresses are emptied or overwritten in their type."""
        await store.run(
            "CREATE TYPE mood AS ENUM ('glad', 'none')",
            "CREATE DOMAIN address AS text NOT NULL CHECK (VALUE LIKE '%@%')",
            "CREATE DOMAIN inner_mood AS mood",
            "CREATE TYPE place AS (street text, no integer)",
            "CREATE TABLE people (id uuid PRIMARY KEY, tags text[], moods mood[], "
            "mail address UNIQUE, mood inner_mood, home place, span daterange, ip inet, "
            "bits bytea, at timestamptz)",
            "INSERT INTO people VALUES ('3f2504e0-4f89-41d3-9a0c-0305e82c3301', '{a,b}', "
            "'{glad}', 'a@x.no', 'glad', '(Storgata,1)', '[2020-01-01,2021-01-01)', '10.0.0.1', "
            "'\\x00', '2020-01-01')",
        )
        mapping = people(
            Field("tags", "voluntary", "{}"),
            Field("moods", "voluntary", None),
            Field("mail", "email", "{key}@invalid"),
            Field("mood", "voluntary", "none"),
            Field("home", "address", None),
            Field("span", "voluntary", "empty"),
            Field("ip", "address", "192.0.2.0"),
            Field("bits", "voluntary", None),
            Field("at", "voluntary", "1900-01-01"),
            row_stays=True,
        )
        connector = store.connect(mapping)
        key = ("3f2504e0-4f89-41d3-9a0c-0305e82c3301",)
        assert left(await connector.verify(work(key))) == [(key, 1)]
        await connector.erase(work(key))
        query = "SELECT tags, moods, mail, mood::text, home::text, span::text, ip::text FROM people"
        assert await store.rows(query) == [
            ([], None, f"{key[0]}@invalid", "none", None, "empty", "192.0.2.0/32")
        ]
        assert left(await connector.verify(work(key))) == [(key, 0)]
        assert await connector.erase(work(key)) == {}

    async def test_a_domain_that_may_not_be_empty(self, store: Store) -> None:
        """A domain's NOT NULL counts like a column's: it is told before it refuses."""
        await store.run(
            "CREATE DOMAIN label AS text NOT NULL",
            "CREATE TABLE people (id integer PRIMARY KEY, name label)",
        )
        (finding,) = await store.connect(
            people(Field("name", "name", None), row_stays=True)
        ).check()
        assert (finding.level, "may not be empty" in finding.what) == ("hole", True)


@pytest.mark.mariadb
class TestMariaDB(Alike):
    """On MariaDB."""

    dialect = MARIADB
    quote = "`"
    percent = "%%"  # as its driver wants it in a statement written by hand


class TestSQLite(Deferring):
    """On SQLite, whose foreign keys must be switched on."""

    dialect = SQLITE
