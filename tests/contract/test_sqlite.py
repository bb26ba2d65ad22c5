"""What only SQLite does: dates as text, values without types, a file that may be missing."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from connectors.base import Kept, Lookup
from connectors.faults import Misfit, RetryLater
from connectors.mapping import Field, IdentifierColumn
from connectors.sql import SqlConnector
from tests.contract.small import ANCHORED, Small, Store, people, work
from tests.support.databases import SQLITE

NAME = Field("name", "name", None)
KEPT = {
    "2025-01-01": date(2025, 1, 1),
    "2025-01-01 00:00:00": date(2025, 1, 1),
    "2024-12-31T23:30:00Z": date(2025, 1, 1),
    "2024-12-31T23:30:00+00:00": date(2025, 1, 1),
    "9999-12-31": date(9999, 12, 31),
    "31.12.2019": None,
    "2019-02-30": None,
    "soon": None,
    "": None,
}
OVER = ("2024-12-31", " 2024-12-31 ", "2024-12-31T23:59:59", "2024-12-31T22:30:00Z")


class TestSQLite(Small):
    """Small stores on SQLite."""

    dialect = SQLITE

    @pytest.mark.parametrize("text", KEPT)
    async def test_dates_that_keep(self, store: Store, text: str) -> None:
        """A later ISO date, in the store's zone, keeps its row; so does what is no date at all."""
        await _with_date(store, text)
        connector = store.connect(people(NAME, grounds=(ANCHORED,)))
        assert await connector.erase(work((1,))) == {}
        found = await connector.verify(work((1,)))
        unknown = int(KEPT[text] is None)
        assert found[(1,)]["all"].kept == (Kept("kept", 1, KEPT[text], unknown, KEPT[text]),)

    @pytest.mark.parametrize("text", OVER)
    async def test_dates_that_are_over(self, store: Store, text: str) -> None:
        """A date up to the cut-off, in the store's zone, keeps nothing."""
        await _with_date(store, text)
        connector = store.connect(people(NAME, grounds=(ANCHORED,)))
        assert set(await connector.erase(work((1,)))) == {(1,)}

    async def test_a_number_is_no_date(self, store: Store) -> None:
        """A count of seconds is not guessed at: the row is kept as one of unknown date."""
        await store.run(
            "CREATE TABLE people (id integer PRIMARY KEY, name text, since)",
            "INSERT INTO people VALUES (1, 'a', 1577836800)",
        )
        connector = store.connect(people(NAME, grounds=(ANCHORED,)))
        assert await connector.erase(work((1,))) == {}

    async def test_columns_without_a_type(self, store: Store) -> None:
        """Keys and identifiers in columns without a type are what was put in."""
        await store.run(
            "CREATE TABLE people (id PRIMARY KEY, mail, name)",
            "INSERT INTO people VALUES (7, 'A@example.com', 'a'), ('7', 'b@example.com', 'b')",
        )
        mail = IdentifierColumn("email", "mail", ignore_case=True, strong=True)
        connector = store.connect(people(NAME, identifiers=(mail,)))
        (match,) = await connector.resolve([Lookup(1, (("email", "a@example.com"),))])
        assert match.key == (7,)
        assert set(await connector.erase(work(match.key))) == {(7,)}
        assert [row[0] for row in await store.rows()] == ["7"]

    async def test_a_file_is_not_made(self, tmp_path: Path) -> None:
        """A store whose file is missing is away: it is not replaced by an empty one."""
        path = tmp_path / "away.db"
        connector = SqlConnector(people(NAME), f"sqlite:///{path}")
        with pytest.raises(RetryLater):
            await connector.erase(work((1,)))
        assert not path.exists()
        await connector.close()

    async def test_a_store_in_memory_is_refused(self) -> None:
        """A store that lives in one connection's memory cannot be a store."""
        with pytest.raises(Misfit):
            SqlConnector(people(NAME), "sqlite://")

    async def test_foreign_keys_are_on(self, store: Store) -> None:
        """SQLite checks foreign keys only when told: an orphan is never made by us."""
        await store.run(
            "CREATE TABLE people (id integer PRIMARY KEY, name text)",
            "CREATE TABLE stranger (id integer REFERENCES people (id) ON DELETE SET NULL)",
            "INSERT INTO people VALUES (1, 'a')",
            "INSERT INTO stranger VALUES (1)",
        )
        await store.connect(people(NAME)).erase(work((1,)))
        assert await store.rows("SELECT id FROM stranger") == [(None,)]


async def _with_date(store: Store, text: str) -> None:
    await store.run(
        "CREATE TABLE people (id integer PRIMARY KEY, name text, since text)",
        f"INSERT INTO people VALUES (1, 'a', '{text}')",
    )
