"""The same rows go on every database, and they are those whose last day is over in Python.

``until`` is asked row by row; the databases are given one cut-off and compare. Anchors stand as
dates, as local times and as points in time, around the days on which calendars go wrong.
"""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from connectors.base import Work
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
from tests.contract.small import Small, Store
from tests.support.databases import MARIADB, POSTGRESQL, SQLITE
from worker.core.periods import Period, Rounding, cutoff, until

PERIODS = ["0d", "90d", "1m", "6m", "42m", "1y", "5y"]
STARTS = [1, 7, 12]
DAYS = [
    date(2024, 2, 29), date(2025, 2, 28), date(2026, 3, 1), date(2026, 3, 31), date(2026, 7, 1),
    date(2026, 11, 30), date(2030, 7, 1), date(2031, 12, 31), date(2032, 1, 1),
]  # fmt: skip


def anchors() -> list[date]:
    """The days around the ends of months of some years: 1,200 dates."""
    found: set[date] = set()
    for month in range(2018 * 12, 2028 * 12):
        first = date(month // 12, month % 12 + 1, 1)
        found |= {first + timedelta(days=offset) for offset in (-3, -2, -1, 0, 1, 2, 9, 14, 27, 28)}
    return sorted(found)


MAPPING = StoreMapping(
    "small",
    "Europe/Oslo",
    (
        Table(
            "people", "people", None, ("id",), None,
            (FieldGroup("names", (Field("name", "name", None),), ()),),
        ),
        Table(
            "bills", "bills", None, ("no",), ParentLink("people", (("person", "id"),)),
            (
                FieldGroup(
                    "bills",
                    (Field("buyer", "name", None),),
                    (GroundUse("books", False, Anchor("issued", False, NullAnchor.UNKNOWN)),),
                ),
            ),
        ),
    ),
)  # fmt: skip


class Dates(Small):
    """Anchors in a column of dates."""

    @pytest.mark.parametrize("written", PERIODS)
    async def test_the_rows_that_go_are_those_that_are_over(
        self, store: Store, written: str
    ) -> None:
        """For every rounding, start of the year and day: row by row what Python says."""
        period = Period.parse(written)
        days = anchors()
        rows = ", ".join(f"({n}, 1, 'x', '{day}')" for n, day in enumerate(days))
        fill = f"INSERT INTO bills VALUES {rows}, ({len(days)}, 1, 'x', NULL)"
        await store.run(
            "CREATE TABLE people (id integer PRIMARY KEY, name varchar(9))",
            "CREATE TABLE bills (no integer PRIMARY KEY, person integer, buyer varchar(9), "
            "issued date)",
        )
        connector = store.connect(MAPPING)
        for rounding in Rounding:
            fiscal = rounding is Rounding.END_OF_FISCAL_YEAR
            for start in STARTS if fiscal else [1]:
                # Later days take more, so one filling serves them all.
                await store.run("DELETE FROM bills", fill)
                for day in DAYS:
                    over = cutoff(day, period, rounding, start)
                    work = Work((), {"books": over}, [(1,)])
                    await connector.erase(work)
                    left = [n for (n,) in await store.rows("SELECT no FROM bills ORDER BY no")]
                    lives = [
                        n for n, one in enumerate(days) if until(one, period, rounding, start) > day
                    ]
                    assert left == [*lives, len(days)], (rounding, start, day)
                    again = (await connector.verify(work))[(1,)]["bills"]
                    newest = days[lives[-1]] if lives else None
                    assert (again.left, again.kept[0].latest) == (0, newest)


class TestPostgreSQL(Dates):
    """On PostgreSQL."""

    dialect = POSTGRESQL


@pytest.mark.mariadb
class TestMariaDB(Dates):
    """On MariaDB."""

    dialect = MARIADB


class TestSQLite(Dates):
    """On SQLite."""

    dialect = SQLITE
