"""What only PostgreSQL does: its types, its zones, its ways to lose a connection."""

from __future__ import annotations

from datetime import date

import pytest

from connectors.base import Kept, Lookup
from connectors.faults import Misfit, Refused, RetryLater
from connectors.mapping import Field, IdentifierColumn
from tests.contract.small import ANCHORED, Small, Store, left, people, with_notes, work
from tests.support.databases import POSTGRESQL
from tests.support.statements import asked

NAME = Field("name", "name", None)


class TestPostgreSQL(Small):
    """Small stores on PostgreSQL."""

    dialect = POSTGRESQL

    async def test_an_instant_has_the_date_of_the_store_s_zone(self, store: Store) -> None:
        """Half past eleven at night in UTC is tomorrow in Oslo, and tomorrow still lives."""
        await store.run(
            "CREATE TABLE people (id integer PRIMARY KEY, name text, since timestamptz)",
            "INSERT INTO people VALUES (1, 'a', '2024-12-31 23:30+00'), "
            "(2, 'b', '2024-12-31 22:30+00')",
        )
        connector = store.connect(people(NAME, grounds=(ANCHORED,)))
        await connector.erase(work((1,), (2,)))
        found = await connector.verify(work((1,), (2,)))
        assert found[(1,)]["all"].kept == (Kept("kept", 1, date(2025, 1, 1), 0, date(2025, 1, 1)),)
        assert set(found) == {(1,)}

    async def test_infinity_is_an_unknown_end(self, store: Store) -> None:
        """An anchor at infinity keeps its row and counts as one that is not known."""
        await store.run(
            "CREATE TABLE people (id integer PRIMARY KEY, name text, since date)",
            "INSERT INTO people VALUES (1, 'a', 'infinity')",
        )
        connector = store.connect(people(NAME, grounds=(ANCHORED,)))
        assert await connector.erase(work((1,))) == {}
        found = await connector.verify(work((1,)))
        assert found[(1,)]["all"].kept == (Kept("kept", 1, None, 1),)

    async def test_a_text_is_no_anchor(self, store: Store) -> None:
        """An anchor that is neither date nor time stamp stops the store, with the column's name."""
        await store.run("CREATE TABLE people (id integer PRIMARY KEY, name text, since text)")
        connector = store.connect(people(NAME, grounds=(ANCHORED,)))
        with pytest.raises(Misfit, match="since"):
            await connector.erase(work((1,)))

    async def test_types_of_its_own(self, store: Store) -> None:
        """Enums, JSON and domains are overwritten in their own type, and found to be."""
        await store.run(
            "CREATE TYPE mood AS ENUM ('glad', 'none')",
            "CREATE DOMAIN label AS varchar(20)",
            "CREATE TABLE people (id integer PRIMARY KEY, mood mood, loose json, tight jsonb, "
            "label label)",
            """INSERT INTO people VALUES (1, 'glad', '{"a": "b"}', '{"a": "b"}', 'x')""",
        )
        mapping = people(
            Field("mood", "voluntary", "none"),
            Field("loose", "voluntary", "{}"),
            Field("tight", "voluntary", "{}"),
            Field("label", "voluntary", "-"),
            row_stays=True,
        )
        connector = store.connect(mapping)
        await connector.erase(work((1,)))
        assert left(await connector.verify(work((1,)))) == [((1,), 0)]
        assert await connector.erase(work((1,))) == {}

    @pytest.mark.parametrize(
        ("kind", "value"),
        [
            ("uuid", "3f2504e0-4f89-41d3-9a0c-0305e82c3301"),
            ("char(12)", "abc"),
            ("numeric(12, 2)", "17.50"),
            ("bytea", "\\x00ff"),
            ("date", "2026-03-10"),
        ],
    )
    async def test_keys_of_any_type(self, store: Store, kind: str, value: str) -> None:
        """A key of any type is found as text, and found again by that text."""
        await store.run(
            f"CREATE TABLE people (id {kind} PRIMARY KEY, name text, mail text)",
            f"INSERT INTO people VALUES ('{value}', 'a', 'a@example.com')",
        )
        mail = IdentifierColumn("email", "mail", ignore_case=True, strong=True)
        connector = store.connect(people(NAME, identifiers=(mail,)))
        (match,) = await connector.resolve([Lookup(1, (("email", "a@example.com"),))])
        assert match.key == (value,)
        assert set(await connector.erase(work(match.key))) == {(value,)}
        assert await store.rows() == []

    async def test_composite_keys_of_mixed_types(self, store: Store) -> None:
        """The columns of a key belong together: no row of another combination is touched."""
        await store.run(
            "CREATE TABLE people (a integer, b uuid, name text, PRIMARY KEY (a, b))",
            "INSERT INTO people SELECT a, ('00000000-0000-0000-0000-00000000000' || b)::uuid, 'x' "
            "FROM generate_series(1, 3) a, generate_series(1, 3) b",
        )
        keys = [(n, f"00000000-0000-0000-0000-00000000000{n}") for n in (1, 2, 3)]
        connector = store.connect(people(NAME, key=("a", "b")))
        assert set(await connector.erase(work(*keys))) == set(keys)
        assert len(await store.rows()) == 6

    async def test_a_login_that_may_not_delete(self, store: Store) -> None:
        """A missing privilege refuses the work."""
        role = f"reader_{store.database.url.database}"
        await store.run(
            "CREATE TABLE people (id integer PRIMARY KEY, name text)",
            "INSERT INTO people VALUES (1, 'a')",
            f"CREATE ROLE {role} LOGIN",
            f"GRANT SELECT ON people TO {role}",
        )
        connector = store.connect(people(NAME), login=role)
        with pytest.raises(Refused) as caught:
            await connector.erase(work((1,)))
        assert caught.value.code == "permission"
        await store.run(f"DROP OWNED BY {role}", f"DROP ROLE {role}")

    async def test_a_line_lost_at_the_commit(self, store: Store) -> None:
        """When the connection breaks during the commit, nobody knows: the fault says so."""
        await store.run(
            "CREATE TABLE people (id integer PRIMARY KEY, name text)",
            "INSERT INTO people VALUES (1, 'a')",
            "CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$",
            "CREATE CONSTRAINT TRIGGER die AFTER DELETE ON people DEFERRABLE INITIALLY DEFERRED "
            "FOR EACH ROW EXECUTE FUNCTION die()",
        )
        connector = store.connect(people(NAME))
        with pytest.raises(RetryLater) as caught:
            await connector.erase(work((1,)))
        assert caught.value.in_doubt
        await store.run("DROP TRIGGER die ON people")
        assert set(await connector.erase(work((1,)))) == {(1,)}

    async def test_a_line_lost_between_two_calls(self, store: Store) -> None:
        """A server that threw us out costs one retry, and no doubt."""
        await store.run(
            "CREATE TABLE people (id integer PRIMARY KEY, name text)",
            "INSERT INTO people VALUES (1, 'a')",
        )
        connector = store.connect(people(NAME))
        await connector.verify(work((1,)))
        await store.run(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE application_name = 'erasure-worker' AND datname = current_database()"
        )
        with pytest.raises(RetryLater) as caught:
            await connector.erase(work((1,)))
        assert not caught.value.in_doubt
        assert set(await connector.erase(work((1,)))) == {(1,)}

    async def test_a_wrong_database(self, store: Store) -> None:
        """A database or login that does not exist is a misfit: waiting will not help."""
        wrong = (
            store.database.url.set(database="no_such_database"),
            store.database.url.set(username="no_such_login"),
        )
        for url in wrong:
            with pytest.raises(Misfit) as caught:
                await store.connect_to(people(NAME), url).erase(work((1,)))
            assert caught.value.code == "login"
            assert "no_such" not in str(caught.value)

    async def test_sessions_are_limited(self, store: Store) -> None:
        """Every session carries the store's zone and bounds on statements and on waiting."""
        await store.run(
            "CREATE TABLE people (id integer PRIMARY KEY, name text)",
            "CREATE TABLE seen (what text)",
            "CREATE FUNCTION look() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            "INSERT INTO seen SELECT current_setting(s) FROM "
            "unnest(ARRAY['TimeZone', 'statement_timeout', 'lock_timeout']) s; RETURN OLD; END $$",
            "CREATE TRIGGER look BEFORE DELETE ON people FOR EACH ROW EXECUTE FUNCTION look()",
            "INSERT INTO people VALUES (1, 'a')",
        )
        await store.connect(people(NAME), timeout=7).erase(work((1,)))
        assert await store.rows("SELECT what FROM seen") == [("Europe/Oslo",), ("7s",), ("7s",)]

    async def test_addresses_without_case_use_their_index(self, store: Store) -> None:
        """The look-up for addresses in any case is one that an index over lower() can serve."""
        await store.run(
            "CREATE TABLE people (id integer PRIMARY KEY, name text, mail text)",
            "CREATE INDEX mails ON people (lower(mail))",
        )
        mail = IdentifierColumn("email", "mail", ignore_case=True, strong=True)
        connector = store.connect(people(NAME, identifiers=(mail,)))
        assert list(await connector.check()) == []
        with asked() as seen:
            await connector.resolve([Lookup(1, (("email", "a@example.com"),))])
        (statement,) = [text for text in seen if "lower(" in text]
        query = statement.replace("$1::TEXT[]", "ARRAY['a@example.com']")
        async with store.engine.connect() as connection:
            await connection.exec_driver_sql("SET enable_seqscan = off")
            plan = (await connection.exec_driver_sql(f"EXPLAIN {query}")).scalars().all()
        assert "mails" in "\n".join(plan)

    async def test_more_tables_are_no_more_questions(self, store: Store) -> None:
        """A store is looked at as fast with many tables as with one."""
        await store.run(
            "CREATE TABLE people (id integer PRIMARY KEY, name text, since date)",
            "CREATE TABLE notes (id integer PRIMARY KEY, person integer, note text)",
        )
        counted = []
        for mapping in (people(NAME, grounds=(ANCHORED,)), with_notes()):
            with asked() as statements:
                await store.connect(mapping).people()
            counted.append(len(statements))
        assert counted[0] == counted[1]
