"""What only MariaDB does: collations, zero dates, time stamps of the session."""

from __future__ import annotations

from datetime import date

import pytest

from connectors.base import Kept, Lookup
from connectors.faults import Misfit, Refused, RetryLater
from connectors.mapping import (
    Field,
    FieldGroup,
    IdentifierColumn,
    ParentLink,
    StoreMapping,
    Table,
)
from tests.contract.small import ANCHORED, Small, Store, people, work
from tests.support.databases import MARIADB

NAME = Field("name", "name", None)


@pytest.mark.mariadb
class TestMariaDB(Small):
    """Small stores on MariaDB."""

    dialect = MARIADB

    async def test_a_zero_date_is_unknown(self, store: Store) -> None:
        """The date 0000-00-00 of old schemas keeps its row: nobody knows when it began."""
        await store.run(
            "CREATE TABLE people (id integer PRIMARY KEY, name text, since date)",
            "SET SESSION sql_mode = ''",
            "INSERT INTO people VALUES (1, 'a', '0000-00-00'), (2, 'b', '2020-01-01')",
        )
        connector = store.connect(people(NAME, grounds=(ANCHORED,)))
        await connector.erase(work((1,), (2,)))
        found = await connector.verify(work((1,), (2,)))
        assert set(found) == {(1,)}
        assert found[(1,)]["all"].kept == (Kept("kept", 1, None, 1),)

    async def test_date_and_time_are_local(self, store: Store) -> None:
        """A DATETIME says the date that it says."""
        await store.run(
            "CREATE TABLE people (id integer PRIMARY KEY, name text, since datetime(3))",
            "INSERT INTO people VALUES (1, 'a', '2024-12-31 23:59:59'), (2, 'b', '2025-01-01')",
        )
        connector = store.connect(people(NAME, grounds=(ANCHORED,)))
        await connector.erase(work((1,), (2,)))
        found = await connector.verify(work((1,), (2,)))
        assert found[(2,)]["all"].kept == (Kept("kept", 1, date(2025, 1, 1), 0, date(2025, 1, 1)),)
        assert set(found) == {(2,)}

    async def test_a_time_stamp_needs_the_zone(self, store: Store) -> None:
        """A TIMESTAMP is read in the policy's zone, or not at all when the server lacks it."""
        await store.run(
            "CREATE TABLE people (id integer PRIMARY KEY, name text, since timestamp NULL)",
            "SET time_zone = '+00:00'",
            "INSERT INTO people VALUES (1, 'a', '2024-12-31 23:30:00'), "
            "(2, 'b', '2024-12-31 22:30:00')",
        )
        connector = store.connect(people(NAME, grounds=(ANCHORED,)))
        zones = await store.rows("SELECT CONVERT_TZ('2024-01-01', 'UTC', 'Europe/Oslo')")
        if zones == [(None,)]:
            for call in (connector.erase, connector.verify):
                with pytest.raises(Misfit, match="mysql_tzinfo_to_sql"):
                    await call(work((1,)))
            with pytest.raises(Misfit):
                await connector.check()
        else:
            await connector.erase(work((1,), (2,)))
            assert set(await connector.verify(work((1,), (2,)))) == {(1,)}

    async def test_keys_that_differ_in_case(self, store: Store) -> None:
        """A child that writes its parent's key in other letters counts for the parent's key."""
        await store.run(
            "CREATE TABLE people (id varchar(20) PRIMARY KEY, name text)",
            "CREATE TABLE notes (id integer PRIMARY KEY, person varchar(20), note text)",
            "INSERT INTO people VALUES ('Ab', 'a')",
            "INSERT INTO notes VALUES (1, 'AB', 'x'), (2, 'ab', 'y')",
        )
        notes = Table(
            "notes",
            "notes",
            None,
            ("id",),
            ParentLink("people", (("person", "id"),)),
            (FieldGroup("notes", (Field("note", "voluntary", None),), ()),),
        )
        mapping = StoreMapping("small", "Europe/Oslo", (people(NAME).root, notes))
        connector = store.connect(mapping)
        effects = await connector.erase(work(("Ab",)))
        assert {key: groups["notes"].deleted for key, groups in effects.items()} == {("Ab",): 2}
        assert await store.rows() == []

    async def test_binary_keys(self, store: Store) -> None:
        """A binary key travels as hexadecimal text."""
        await store.run(
            "CREATE TABLE people (id binary(4) PRIMARY KEY, name text, mail varchar(50))",
            "INSERT INTO people VALUES (x'00ff10a0', 'a', 'a@example.com')",
        )
        mail = IdentifierColumn("email", "mail", ignore_case=True, strong=True)
        connector = store.connect(people(NAME, identifiers=(mail,)))
        (match,) = await connector.resolve([Lookup(1, (("email", "a@example.com"),))])
        assert match.key == ("00ff10a0",)
        with pytest.raises(Refused):
            await connector.erase(work(("not hexadecimal",)))
        assert set(await connector.erase(work(match.key))) == {match.key}
        assert await store.rows() == []

    async def test_a_login_that_may_not_delete(self, store: Store) -> None:
        """A missing privilege refuses the work, a login that does not exist is a misfit."""
        database = store.database.url.database
        login = f"u{database}"[:30]
        await store.run(
            "CREATE TABLE people (id integer PRIMARY KEY, name text)",
            "INSERT INTO people VALUES (1, 'a')",
            f"CREATE USER {login}@'%%' IDENTIFIED BY 'secret'",
            f"CREATE USER {login}@localhost IDENTIFIED BY 'secret'",
            f"GRANT SELECT ON {database}.people TO {login}@'%%'",
            f"GRANT SELECT ON {database}.people TO {login}@localhost",
        )
        with pytest.raises(Misfit) as misfit:
            await store.connect(people(NAME), login=login).erase(work((1,)))
        assert misfit.value.code == "login"
        url = store.database.url.set(username=login, password="secret")
        connector = store.connect_to(people(NAME), url)
        with pytest.raises(Refused) as caught:
            await connector.erase(work((1,)))
        assert caught.value.code == "permission"
        await store.run(f"DROP USER {login}@'%%'", f"DROP USER {login}@localhost")

    async def test_a_line_lost_between_two_calls(self, store: Store) -> None:
        """A server that threw us out costs one retry, and no doubt."""
        await store.run(
            "CREATE TABLE people (id integer PRIMARY KEY, name text)",
            "INSERT INTO people VALUES (1, 'a')",
        )
        connector = store.connect(people(NAME))
        await connector.verify(work((1,)))
        lines = await store.rows(
            "SELECT id FROM information_schema.processlist "
            "WHERE db = database() AND id <> connection_id()"
        )
        await store.run(*(f"KILL {line}" for (line,) in lines))
        with pytest.raises(RetryLater) as caught:
            await connector.erase(work((1,)))
        assert not caught.value.in_doubt
        assert set(await connector.erase(work((1,)))) == {(1,)}
