"""The engine against a model: random tables, grounds, anchors, shapes and rows.

What the database holds afterwards, what the engine counted and what it re-read must be, to the
row, what :mod:`tests.contract.model` says in plain Python.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from connectors.base import Effects, Remainders, Work
from connectors.mapping import (
    Anchor,
    Field,
    FieldGroup,
    GroundUse,
    NullAnchor,
    ParentLink,
    StoreMapping,
    Table,
)
from connectors.sql import SqlConnector
from tests.contract.model import Answer, Model, Store
from tests.support.databases import Database, Server, sqlite_database

CUTOFFS = {"law": date(2020, 12, 31), "deal": date(2024, 6, 30), "visit": date(2023, 1, 1)}
CONSENTS = ("news", "visit")
ORPHAN = 5
"""A parent that no row is: at the first level still a key that may be asked for."""
NAMES = ("t0", "t1", "t2", "t3")
METADATA = sa.MetaData()
TABLES = {
    name: sa.Table(
        name,
        METADATA,
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("parent_id", sa.Integer, index=True),
        *(sa.Column(f"day_{n}", sa.Date) for n in (0, 1)),
        *(sa.Column(f"field_{n}", sa.String(20)) for n in range(4)),
    )
    for name in NAMES
}

days = st.none() | st.builds(
    lambda cutoff, shift: cutoff + timedelta(days=shift),
    st.sampled_from(sorted(CUTOFFS.values())),
    st.integers(-1, 1),
)
values = st.sampled_from([None, "x", "X", "y", ""])


@st.composite
def grounds(draw: st.DrawFn, has_parent: bool) -> tuple[GroundUse, ...]:
    """Up to three different grounds, in the row, in its parent, or without a date."""
    names = draw(
        st.lists(st.sampled_from(["law", "deal", "visit", "news"]), max_size=3, unique=True)
    )
    uses = []
    for name in names:
        column = draw(st.sampled_from(["day_0", "day_1"]))
        of_parent = has_parent and draw(st.booleans())
        null = draw(st.sampled_from(NullAnchor))
        dated = name != "news" and (name != "law" or draw(st.integers(0, 4)) > 0)
        anchor = Anchor(column, of_parent, null) if dated else None
        uses.append(GroundUse(name, name in CONSENTS, anchor))
    return tuple(uses)


@st.composite
def mappings(draw: st.DrawFn) -> StoreMapping:
    """A tree of one to four tables, each with up to three field groups."""
    tables: list[Table] = []
    for number in range(draw(st.integers(1, 4))):
        parent = draw(st.sampled_from(NAMES[:number])) if number else None
        columns = draw(st.permutations([f"field_{n}" for n in range(4)]))
        groups = []
        for index in range(draw(st.integers(0 if number else 1, 3))):
            width = draw(st.integers(1, 2)) if index == 0 else 1
            mine, columns = columns[:width], columns[width:]
            fields = tuple(Field(c, "voluntary", draw(st.sampled_from([None, "x"]))) for c in mine)
            used = draw(grounds(parent is not None))
            groups.append(FieldGroup(f"t{number}-{index}", fields, used))
        link = ParentLink(parent, (("parent_id", "id"),)) if parent else None
        stays = draw(st.integers(0, 5)) == 0
        name = NAMES[number]
        tables.append(Table(name, name, None, ("id",), link, tuple(groups), (), stays))
    return StoreMapping("random", "Europe/Oslo", tuple(tables))


@st.composite
def stores(draw: st.DrawFn, mapping: StoreMapping) -> Store:
    """A few rows in each table; some hang below nobody."""
    rows: Store = {name: [] for name in NAMES}
    for table in mapping.tables:
        above = [row["id"] for row in rows[table.parent.table]] if table.parent else []
        for number in range(draw(st.integers(1, 4) if above or not table.parent else st.just(0))):
            row: dict[str, Any] = {"id": number + 1}
            row["parent_id"] = draw(st.sampled_from([*above, ORPHAN])) if table.parent else None
            row |= {f"day_{n}": draw(days) for n in (0, 1)}
            row |= {f"field_{n}": draw(values) for n in range(4)}
            rows[table.name].append(row)
    return rows


@st.composite
def cases(draw: st.DrawFn) -> tuple[StoreMapping, Store, tuple[str, ...], frozenset[int]]:
    """A mapping, rows, the consents that live, and the people to erase."""
    mapping = draw(mappings())
    rows = draw(stores(mapping))
    shape = tuple(sorted(draw(st.sets(st.sampled_from(CONSENTS)))))
    return mapping, rows, shape, draw(st.frozensets(st.integers(1, 5), min_size=1))


Case = tuple[StoreMapping, Store, tuple[str, ...], frozenset[int]]


async def engine_answers(database: Database, case: Case) -> tuple[Remainders, Answer, Effects]:
    """Fill a database, re-read, erase, re-read and erase again; read what is left in the tables."""
    mapping, rows, shape, people = case
    admin = create_async_engine(database.url, poolclass=NullPool)
    connector = SqlConnector(mapping, database.text)
    async with admin.begin() as connection:
        for name, table in TABLES.items():
            await connection.execute(table.delete())
            if rows[name]:
                await connection.execute(table.insert(), rows[name])
    work = Work(shape, CUTOFFS, [(person,) for person in sorted(people)])
    before = await connector.verify(work)
    effects = await connector.erase(work)
    remainders = await connector.verify(work)
    again = await connector.erase(work)
    async with admin.connect() as connection:
        left = {
            name: [dict(row) for row in (await connection.execute(table.select())).mappings()]
            for name, table in TABLES.items()
        }
    await connector.close()
    await admin.dispose()
    return before, Answer(_sorted(left), _counted(effects), _read(remainders)), again


def agree(database: Database, case: Case) -> None:
    """Fail where engine and model differ."""
    mapping, rows, shape, people = case
    model = Model(mapping, rows, shape, CUTOFFS)
    at_first = model.remainders(set(people))
    expected = model.erase(set(people))
    before, answer, again = asyncio.run(engine_answers(database, case))
    assert _read(before) == at_first
    assert answer.rows == _sorted(expected.rows)
    assert answer.effects == expected.effects
    assert answer.remainders == expected.remainders
    assert _counted(again) == {}


def _sorted(rows: Store) -> Store:
    return {name: sorted(found, key=lambda row: row["id"]) for name, found in rows.items()}


def _counted(effects: Effects) -> dict[int, dict[str, tuple[int, int]]]:
    counted = {
        int(key[0]): {g: (d.deleted, d.overwritten) for g, d in groups.items()}
        for key, groups in effects.items()
    }
    return {person: groups for person, groups in counted.items() if groups}


def _read(remainders: Remainders) -> dict[int, dict[str, Any]]:
    return {
        int(key[0]): {
            g: (rest.left, frozenset((k.ground, k.rows, k.latest, k.nulls) for k in rest.kept))
            for g, rest in groups.items()
        }
        for key, groups in remainders.items()
    }


async def _create(database: Database) -> None:
    engine = create_async_engine(database.url, poolclass=NullPool)
    async with engine.begin() as connection:
        await connection.run_sync(METADATA.create_all)
    await engine.dispose()


@pytest.fixture(scope="module")
def on_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Database:
    """One SQLite file for all examples."""
    database = sqlite_database(Path(tmp_path_factory.mktemp("model")))
    asyncio.run(_create(database))
    return database


@pytest.fixture(scope="module")
def on_postgresql(postgresql: Server) -> Iterator[Database]:
    """One PostgreSQL database for all examples."""
    database = asyncio.run(postgresql.create())
    asyncio.run(_create(database))
    yield database
    asyncio.run(database.drop())


@pytest.fixture(scope="module")
def on_mariadb(mariadb: Server) -> Iterator[Database]:
    """One MariaDB database for all examples."""
    database = asyncio.run(mariadb.create())
    asyncio.run(_create(database))
    yield database
    asyncio.run(database.drop())


shared = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@settings(shared, max_examples=300)
@given(case=cases())
def test_sqlite_agrees_with_the_model(on_sqlite: Database, case: Case) -> None:
    """On SQLite the engine erases, counts and re-reads exactly what the model says."""
    agree(on_sqlite, case)


@settings(shared, max_examples=60)
@given(case=cases())
def test_postgresql_agrees_with_the_model(on_postgresql: Database, case: Case) -> None:
    """On PostgreSQL the engine erases, counts and re-reads exactly what the model says."""
    agree(on_postgresql, case)


@pytest.mark.mariadb
@settings(shared, max_examples=60)
@given(case=cases())
def test_mariadb_agrees_with_the_model(on_mariadb: Database, case: Case) -> None:
    """On MariaDB the engine erases, counts and re-reads exactly what the model says."""
    agree(on_mariadb, case)
