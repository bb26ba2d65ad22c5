"""How a table is walked by a sweep: every row in one part and no more, on each database."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from connectors.base import Effects
from connectors.mapping import (
    Field,
    Key,
)
from connectors.sql import SqlConnector
from connectors.sql.spans import has_pages
from connectors.sweeping import Span, Walk
from tests.contract.small import ANCHORED, CUTOFF, Small, Store, people, with_notes
from tests.support.databases import MARIADB, POSTGRESQL, SQLITE, Database

NAME = Field("name", "name", None)
TABLE = "CREATE TABLE people (id integer PRIMARY KEY, name text, since date)"
FILL = "INSERT INTO people SELECT n, 'a', '2010-01-01' FROM generate_series(1, 2000) AS n"


class TestWhichWay(Small):
    """By pages where PostgreSQL has them, by keys elsewhere."""

    dialect = POSTGRESQL

    async def test_by_pages(self, store: Store) -> None:
        """A plain table and one in partitions are walked by pages, and each row is met once."""
        parted = TABLE.replace("PRIMARY KEY", "") + " PARTITION BY RANGE (id)"
        await store.run(
            parted,
            "ALTER TABLE people ADD PRIMARY KEY (id)",
            "CREATE TABLE few PARTITION OF people FOR VALUES FROM (0) TO (100)",
            "CREATE TABLE many PARTITION OF people FOR VALUES FROM (100) TO (9999)",
            FILL,
        )
        sweeping = store.connect(people(NAME, grounds=(ANCHORED,))).sweeping
        assert await sweeping.walk("people") is Walk.PAGES
        met: list[Key] = []
        after, parts = None, 0
        while True:
            span = await sweeping.span("people", Walk.PAGES, after, 2, {"kept": CUTOFF})
            met += await sweeping.due(span, {"kept": CUTOFF})
            after, parts = span.upto, parts + 1
            if after is None:
                break
        assert sorted(met) == [(n,) for n in range(1, 2001)]
        assert parts > 3

    async def test_by_the_pages_of_the_parent_that_decides(self, store: Store) -> None:
        """Each row of which the parent's date is over goes once, and none of which it is not."""
        await store.run(
            TABLE,
            FILL,
            "UPDATE people SET since = '2026-01-01' WHERE id % 2 = 0",
            "CREATE TABLE notes (id integer PRIMARY KEY, person integer, note text)",
            "CREATE INDEX ON notes (person)",
            # Against the order of their people, and some of nobody's.
            "INSERT INTO notes SELECT n, 2050 - n, 'b' FROM generate_series(1, 2040) AS n",
        )
        sweeping = store.connect(with_notes()).sweeping
        assert await sweeping.walk("people") is Walk.PAGES
        assert await sweeping.walk("notes") is Walk.PARENTS
        met: list[Key] = []
        after, parts = None, 0
        while True:
            span = await sweeping.span("notes", Walk.PARENTS, after, 2, {"kept": CUTOFF})
            due = await sweeping.due(span, {"kept": CUTOFF})
            effects = await sweeping.sweep(span, {"kept": CUTOFF}, ())
            assert sorted(effects) == sorted(due)
            assert await sweeping.left(span, {"kept": CUTOFF}, ()) == 0
            met, after, parts = met + list(effects), span.upto, parts + 1
            if after is None:
                break
        assert sorted(met) == [(n,) for n in range(11, 2001, 2)]
        assert parts > 3
        kept = await store.rows("SELECT person FROM notes WHERE person BETWEEN 1 AND 2000")
        assert sorted(kept) == [(n,) for n in range(10, 2001, 2)]

    async def test_rows_go_along_with_those_that_they_hang_on(self, store: Store) -> None:
        """In one part, notes before their people, however they lie; of each as if walked alone."""
        await store.run(
            TABLE,
            FILL,
            "UPDATE people SET since = '2026-01-01' WHERE id % 2 = 0",
            "CREATE TABLE notes (id integer PRIMARY KEY, note text,"
            " person integer REFERENCES people)",
            "CREATE INDEX ON notes (person)",
            "INSERT INTO notes SELECT n, 'b', 2001 - n FROM generate_series(1, 1990) AS n",
        )
        sweeping = store.connect(with_notes()).sweeping
        met: list[Key] = []
        after, parts = None, 0
        while True:
            found = await sweeping.span("people", Walk.PAGES, after, 2, {"kept": CUTOFF})
            span = replace(found, along=("notes",))
            due = await sweeping.due(span, {"kept": CUTOFF})
            assert await sweeping.left(span, {"kept": CUTOFF}, due) == 0
            assert (await sweeping.left(span, {"kept": CUTOFF}, ()) > 0) == bool(due)
            effects = await sweeping.sweep(span, {"kept": CUTOFF}, ())
            assert sorted(effects) == sorted(due)
            assert await sweeping.left(span, {"kept": CUTOFF}, ()) == 0
            assert all(
                effects[key].keys() == ({"all", "notes"} if key > (10,) else {"all"}) for key in due
            )
            met, after, parts = met + list(effects), span.upto, parts + 1
            if after is None:
                break
        assert sorted(met) == [(n,) for n in range(1, 2001, 2)]
        assert parts > 3
        for kept in ("SELECT id FROM people", "SELECT person FROM notes WHERE person > 10"):
            assert {n % 2 for (n,) in await store.rows(kept)} == {0}

    async def test_a_part_that_may_not_be_is_rolled_back(self, store: Store) -> None:
        """Whoever is asked sees what would go; without his word nothing went."""
        await store.run(TABLE, FILL)
        sweeping = store.connect(people(NAME, grounds=(ANCHORED,))).sweeping
        assert await sweeping.patient()
        span = await sweeping.span("people", Walk.PAGES, None, 100, {"kept": CUTOFF})
        seen: list[int] = []

        async def may(effects: Effects, _: float) -> bool:
            seen.append(len(effects))
            return False

        assert await sweeping.sweep(span, {"kept": CUTOFF}, (), may) == {}
        assert seen == [2000]
        assert await store.rows("SELECT count(*) FROM people") == [(2000,)]

    async def test_an_older_server_is_walked_by_keys(
        self, store: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Before version 14 a range of pages is looked for in the whole table."""
        await store.run(TABLE)

        async def older(connection: Any, relation: Any) -> bool:
            with monkeypatch.context() as patch:
                patch.setattr(connection.dialect, "server_version_info", (13, 22))
                return await has_pages(connection, relation)

        monkeypatch.setattr("connectors.sql.walking.has_pages", older)
        sweeping = store.connect(people(NAME, grounds=(ANCHORED,))).sweeping
        assert await sweeping.walk("people") is Walk.KEYS

    async def test_what_lies_elsewhere_is_walked_by_keys(self, store: Store) -> None:
        """A foreign table below a table has no pages to ask for."""
        await store.run(
            TABLE,
            "CREATE FOREIGN DATA WRAPPER elsewhere",
            "CREATE SERVER there FOREIGN DATA WRAPPER elsewhere",
            "CREATE FOREIGN TABLE remote () INHERITS (people) SERVER there",
        )
        sweeping = store.connect(people(NAME, grounds=(ANCHORED,))).sweeping
        assert await sweeping.walk("people") is Walk.KEYS


class Crowds(Small):
    """People with whom a sweep does the same are told as one: their receipt is one row."""

    async def test_a_crowd_shares_what_was_done(self, store: Store) -> None:
        """Who lost one row of a table, and who lost two, are two crowds, however many they are."""
        await store.run(
            TABLE,
            "CREATE TABLE notes (id integer PRIMARY KEY, person integer, note text)",
            *(f"INSERT INTO people VALUES ({n}, 'a', '2010-01-01')" for n in range(1, 31)),
            *(f"INSERT INTO notes VALUES ({n}, {1 + n % 20}, 'b')" for n in range(1, 31)),
        )
        sweeping = store.connect(with_notes()).sweeping
        for table, crowds in (("notes", 2), ("people", 1)):
            span = Span(table, Walk.KEYS, None, None)
            effects = await sweeping.sweep(span, {"kept": CUTOFF}, ())
            assert len(effects) == (20 if table == "notes" else 30)
            assert len({id(done) for done in effects.values()}) == crowds


class TestCrowdsOnPostgreSQL(Crowds):
    """On PostgreSQL."""

    dialect = POSTGRESQL


@pytest.mark.mariadb
class TestCrowdsOnMariaDB(Crowds):
    """On MariaDB."""

    dialect = MARIADB


class TestCrowdsOnSQLite(Crowds):
    """On SQLite."""

    dialect = SQLITE


LETTERS = st.text(st.sampled_from("aAbBzZåÅöØæ 0-_"), min_size=1, max_size=6).map(str.strip)
KINDS: dict[str, tuple[dict[str, Any], st.SearchStrategy[Any]]] = {
    "negative": ({"id": sa.Integer()}, st.tuples(st.integers(-1000, 1000))),
    "composite": (
        {"a": sa.Integer(), "b": sa.String(8), "c": sa.Integer()},
        st.tuples(st.integers(-2, 2), st.sampled_from(["a", "B", "ø"]), st.integers(0, 3)),
    ),
    "text": ({"id": sa.String(8)}, st.tuples(LETTERS.filter(bool))),
    "uuid": ({"id": sa.Uuid()}, st.tuples(st.uuids(version=4))),
    "binary": ({"id": sa.LargeBinary(8)}, st.tuples(st.binary(min_size=1, max_size=8))),
}
few = settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def plain(key: Sequence[Any], dialect: str) -> Key:
    """A key as connectors give it."""
    return tuple(
        ("\\x" if dialect == POSTGRESQL else "") + v.hex()
        if isinstance(v, bytes)
        else v
        if isinstance(v, int | str)
        else (v.hex if dialect == "sqlite" else str(v))
        for v in key
    )


async def visit(database: Database, kind: str, keys: Sequence[Any], size: int) -> list[Key]:
    """Fill a table anew, walk it by keys, and tell whom each part showed, in that order."""
    columns, _ = KINDS[kind]
    metadata = sa.MetaData()
    made = [
        sa.Column(
            name,
            sa.BINARY(8) if kind == "binary" and database.dialect == MARIADB else type_,
            primary_key=True,
            autoincrement=False,
        )
        for name, type_ in columns.items()
    ]
    table = sa.Table(
        "people", metadata, *made, sa.Column("name", sa.Text), sa.Column("since", sa.Date)
    )
    admin = create_async_engine(database.url, poolclass=NullPool)
    async with admin.begin() as connection:
        await connection.run_sync(metadata.drop_all)
        await connection.run_sync(metadata.create_all)
        rows = [
            {
                **dict(zip(columns, key, strict=True)),
                "name": "a",
                "since": CUTOFF.replace(year=2010),
            }
            for key in keys
        ]
        if rows:
            await connection.execute(table.insert(), rows)
    await admin.dispose()
    mapping = people(NAME, grounds=(ANCHORED,), key=tuple(columns))
    connector = SqlConnector(mapping, database.text)
    met: list[Key] = []
    try:
        after: Key | None = None
        while True:
            span = await connector.sweeping.span("people", Walk.KEYS, after, size, {"kept": CUTOFF})
            met += await connector.sweeping.due(span, {"kept": CUTOFF})
            after = span.upto
            if after is None:
                return met
    finally:
        await connector.close()


def told_apart(kind: str, keys: Sequence[Any], dialect: str) -> list[Any]:
    """Leave out keys that a collation without regard to case (MariaDB's) takes for one."""
    if dialect != MARIADB or kind != "text":
        return list(dict.fromkeys(keys))
    folded = {
        "".join({"å": "a", "ö": "o", "ø": "o"}.get(c, c) for c in key[0].casefold()): key
        for key in keys
    }
    return list(folded.values())


@pytest.mark.parametrize("kind", list(KINDS))
@few
@given(data=st.data(), size=st.integers(1, 9))
def test_by_keys_every_row_is_met_once(
    any_database: Database, kind: str, data: st.DataObject, size: int
) -> None:
    """Whatever the key is made of, and however small the parts: each row is met in just one."""
    keys = told_apart(kind, data.draw(st.lists(KINDS[kind][1], max_size=30)), any_database.dialect)
    if kind == "binary" and any_database.dialect == MARIADB:
        keys = list(dict.fromkeys((key[0].ljust(8, b"\0"),) for key in keys))
    met = asyncio.run(visit(any_database, kind, keys, size))
    assert sorted(met) == sorted(plain(key, any_database.dialect) for key in keys)
