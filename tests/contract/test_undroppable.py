"""Where the policy lets partitions be dropped, and nothing could ever be: it is warned of."""

from __future__ import annotations

import dataclasses

import pytest

from connectors.base import Connector
from connectors.mapping import (
    Anchor,
    Evidence,
    Filter,
    NullAnchor,
    ParentLink,
    Table,
)
from tests.contract.small import ANCHORED, CONSENT, Small, Store
from tests.contract.test_alongside import notes, with_notes
from tests.support.databases import POSTGRESQL, SQLITE

PEOPLE = "CREATE TABLE people (id integer PRIMARY KEY, name varchar(9))"
COLUMNS = "id integer, person integer, note varchar(9), since date, boss integer"


def dropping(**more: object) -> Table:
    """Notes of which the policy lets partitions be dropped."""
    return notes(key=("id", "since"), drop_partition=True, **more)


def on(*grounds: object) -> Table:
    """The same, kept by these grounds."""
    (group,) = notes().groups
    return dropping(groups=(dataclasses.replace(group, grounds=grounds),))  # type: ignore[arg-type] # whatever a test gives


async def warned(connector: Connector) -> list[str]:
    """What is said at ``drop_partition`` of the notes."""
    found = [one for one in await connector.count() if one.at[-1:] == ("drop_partition",)]
    assert all((one.level, one.at[:2]) == ("warning", ("tables", "notes")) for one in found)
    return [one.what for one in found]


def partitioned(by: str) -> tuple[str, ...]:
    """Statements for people and notes, which are partitioned in a way."""
    return PEOPLE, f"CREATE TABLE notes ({COLUMNS}, PRIMARY KEY (id, since)) PARTITION BY {by}"


YEAR = "CREATE TABLE notes_2010 PARTITION OF notes FOR VALUES FROM ('2010-01-01') TO ('2011-01-01')"
NEXT = "CREATE TABLE notes_2999 PARTITION OF notes FOR VALUES FROM ('2999-01-01') TO ('3000-01-01')"
LAST = "CREATE TABLE notes_last PARTITION OF notes FOR VALUES FROM ('2011-01-01') TO (MAXVALUE)"


class TestPostgreSQL(Small):
    """On PostgreSQL, which has partitions that may be dropped."""

    dialect = POSTGRESQL

    @pytest.mark.parametrize("years", [(YEAR, LAST), (NEXT,)])
    async def test_years_of_a_date(self, store: Store, years: tuple[str, ...]) -> None:
        """A range of dates that ends, over or still to come, is what it is for: nothing is said."""
        await store.run(*partitioned("RANGE (since)"), *years)
        assert await warned(store.connect(with_notes(dropping()))) == []

    @pytest.mark.parametrize(
        "statements",
        [
            (PEOPLE, f"CREATE TABLE notes ({COLUMNS}, PRIMARY KEY (id, since))"),
            partitioned("RANGE (since)"),
            (*partitioned("RANGE (since)"), LAST),
            (
                *partitioned("HASH (id)"),
                "CREATE TABLE notes_0 PARTITION OF notes FOR VALUES WITH (MODULUS 1, REMAINDER 0)",
            ),
            (
                *partitioned("RANGE (since)"),
                YEAR,
                "CREATE TABLE marks (id integer, since date, "
                "FOREIGN KEY (id, since) REFERENCES notes (id, since))",
            ),
            (
                *partitioned("RANGE (since)"),
                YEAR,
                "CREATE RULE keep AS ON DELETE TO notes DO INSTEAD NOTHING",
            ),
        ],
        ids=["a plain table", "no partition", "no end", "by hash", "a foreign key", "a rule"],
    )
    async def test_a_table_without_such_a_partition(
        self, store: Store, statements: tuple[str, ...]
    ) -> None:
        """Each of these stands in the way of every partition; where nothing is asked for, fine."""
        await store.run(*statements)
        (what,) = await warned(store.connect(with_notes(dropping())))
        assert what.startswith("no partition of notes will ever be dropped as one: it has no")
        assert await warned(store.connect(with_notes(notes(key=("id", "since"))))) == []

    async def test_another_login(self, store: Store) -> None:
        """A login that does not own the table may not drop a part of it."""
        await store.run(
            *partitioned("RANGE (since)"),
            YEAR,
            "DROP ROLE IF EXISTS reader",
            "CREATE ROLE reader LOGIN",
            "GRANT SELECT ON people, notes, notes_2010 TO reader",
        )
        (what,) = await warned(store.connect(with_notes(dropping()), login="reader"))
        assert "owned by the login" in what
        await store.run("DROP OWNED BY reader", "DROP ROLE reader")

    async def test_by_the_policy_alone(self, store: Store) -> None:
        """What keeps every row until its person says something, or goes row by row, says so."""
        await store.run(*partitioned("RANGE (since)"), YEAR)
        itself = ParentLink("notes", (("boss", "id"),))
        shown = dataclasses.replace(CONSENT, evidence=Evidence(Filter("boss", (1,))))
        last = dataclasses.replace(
            ANCHORED, anchor=Anchor("since", False, NullAnchor.UNKNOWN, itself)
        )
        for table, why in (
            (on(ANCHORED, CONSENT), "on the ground 'consent' rows stay until something is said"),
            (on(last), "its rows hold one another"),
            (dropping(references=(itself,)), "its rows hold one another"),
            (dropping(detach=(itself,)), "emptied first, row by row"),
        ):
            (what,) = await warned(store.connect(with_notes(table)))
            assert why in what
        assert await warned(store.connect(with_notes(on(shown, ANCHORED)))) == []


class TestSQLite(Small):
    """On a database without them."""

    dialect = SQLITE

    async def test_partitions_elsewhere(self, store: Store) -> None:
        """Only PostgreSQL's are dropped."""
        await store.run(PEOPLE, f"CREATE TABLE notes ({COLUMNS}, PRIMARY KEY (id, since))")
        (what,) = await warned(store.connect(with_notes(dropping())))
        assert what.endswith("partitions are dropped on PostgreSQL alone")
