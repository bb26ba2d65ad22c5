"""Anchors in linked rows: the newest, the oldest, the later or the earlier of several."""

from __future__ import annotations

from datetime import date

import pytest

from connectors.mapping import (
    Anchor,
    Pick,
)
from tests.contract.linked import (
    BILLS,
    DOWN,
    NAME,
    PEOPLE,
    RUNNING,
    UNKNOWN,
    UP,
    books,
    everybody,
    group,
    mapping,
    table,
)
from tests.contract.small import Small, Store
from tests.support.databases import MARIADB, POSTGRESQL, SQLITE


class Dated(Small):
    """Rows that live by dates of their own and of other rows."""

    @pytest.mark.parametrize(
        ("pick", "stay"),
        # 1: an old and a new bill. 2: old ones. 3: none. 4: an old one and one without a date.
        # 5: one of the last day that is over. 6: one of the day after.
        [(Pick.NEWEST, [1, 4, 6]), (Pick.OLDEST, [6])],
    )
    async def test_a_row_lives_as_long_as_its_newest_or_oldest_child(
        self, store: Store, pick: Pick, stay: list[int]
    ) -> None:
        """A date among linked rows decides; a missing one keeps; without a row nothing does."""
        await store.run(
            PEOPLE,
            BILLS,
            "INSERT INTO people (id, name) VALUES (1, 'a'), (2, 'b'), (3, 'c'), (4, 'd'), "
            "(5, 'e'), (6, 'f')",
            "INSERT INTO bills VALUES (1, 1, '2020-01-01'), (2, 1, '2026-03-10'), "
            "(3, 2, '2020-01-01'), (4, 2, '2024-12-31'), (5, 4, '2020-01-01'), (6, 4, NULL), "
            "(7, 5, '2024-12-31'), (8, 6, '2025-01-01')",
        )
        everyone = range(1, 7)
        anchor = Anchor("issued", False, UNKNOWN, DOWN, pick)
        people = table("people", group("names", NAME, books(anchor)))
        bills = table("bills", key="no", parent=UP)
        connector = store.connect(mapping(people, bills))
        work = everybody(*everyone)
        before = await connector.verify(work)
        assert {key[0]: one["names"].left for key, one in before.items()} == {
            number: int(number not in stay) for number in everyone
        }
        await connector.erase(work)
        named = await store.rows("SELECT id FROM people WHERE name IS NOT NULL ORDER BY id")
        assert [number for (number,) in named] == stay
        after = await connector.verify(work)
        assert all(one["names"].left == 0 for one in after.values())
        if pick is Pick.NEWEST:
            (first,), (fourth,) = after[(1,)]["names"].kept, after[(4,)]["names"].kept
            assert (first.rows, first.latest, first.nulls) == (1, date(2026, 3, 10), 0)
            assert (fourth.rows, fourth.latest, fourth.nulls) == (1, date(2020, 1, 1), 1)

    @pytest.mark.parametrize(
        ("earliest", "stay", "latest"),
        [
            (False, [2, 3, 4], {2: date(2025, 6, 1), 3: date(2026, 1, 1), 4: date(2020, 1, 1)}),
            (True, [3], {3: date(2025, 2, 2)}),
        ],
    )
    async def test_the_later_or_the_earlier_of_two_dates(
        self, store: Store, earliest: bool, stay: list[int], latest: dict[int, date]
    ) -> None:
        """Of several anchors the declared one counts; a missing date is later than any."""
        await store.run(
            PEOPLE,
            "INSERT INTO people VALUES (1, 'a', '2020-01-01', '2024-12-31'), "
            "(2, 'b', '2020-01-01', '2025-06-01'), (3, 'c', '2025-02-02', '2026-01-01'), "
            "(4, 'd', NULL, '2020-01-01')",
        )
        use = books(
            Anchor("since", False, UNKNOWN), Anchor("until_", False, RUNNING), earliest=earliest
        )
        connector = store.connect(mapping(table("people", group("names", NAME, use))))
        work = everybody(1, 2, 3, 4)
        await connector.erase(work)
        assert [row[0] for row in await store.rows()] == stay
        again = await connector.verify(work)
        for number in stay:
            (kept,) = again[(number,)]["names"].kept
            assert (kept.rows, kept.latest) == (1, latest[number])

    async def test_the_later_of_a_row_s_own_date_and_its_newest_child(self, store: Store) -> None:
        """An own date and linked rows together: one that is not over keeps the row."""
        await store.run(
            PEOPLE,
            BILLS,
            "INSERT INTO people (id, name, since) VALUES (1, 'a', '2020-01-01'), "
            "(2, 'b', '2026-01-01'), (3, 'c', '2020-01-01')",
            "INSERT INTO bills VALUES (1, 1, '2026-05-05')",
        )
        use = books(Anchor("since", False, UNKNOWN), Anchor("issued", False, UNKNOWN, DOWN))
        people = table("people", group("names", NAME, use))
        connector = store.connect(mapping(people, table("bills", key="no", parent=UP)))
        await connector.erase(everybody(1, 2, 3))
        assert [row[0] for row in await store.rows()] == [1, 2]
        again = await connector.verify(everybody(1, 2, 3))
        assert again[(1,)]["names"].kept[0].latest == date(2026, 5, 5)

    async def test_the_earlier_of_linked_rows_that_are_not_there(self, store: Store) -> None:
        """Of two, a link without rows says nothing; when both say nothing there is nothing."""
        await store.run(
            PEOPLE,
            BILLS,
            "INSERT INTO people (id, name, since) VALUES (1, 'a', '2026-01-01'), (2, 'b', NULL)",
        )
        bill = Anchor("issued", False, UNKNOWN, DOWN)
        bills = table("bills", key="no", parent=UP)
        own = books(Anchor("since", False, UNKNOWN), bill, earliest=True)
        connector = store.connect(mapping(table("people", group("names", NAME, own)), bills))
        await connector.erase(everybody(1, 2))
        assert len(await store.rows()) == 2
        told = [(await connector.facts((n,), "people"))[0].facts[0] for n in (1, 2)]
        assert [fact.date for fact in told] == [date(2026, 1, 1), None]
        assert [fact.unknown for fact in told] == [False, True]
        none = books(bill, bill, earliest=True)
        connector = store.connect(mapping(table("people", group("names", NAME, none)), bills))
        await connector.erase(everybody(1, 2))
        assert await store.rows() == []

    async def test_the_earlier_of_a_date_and_a_newest_row_that_is_not_known(
        self, store: Store
    ) -> None:
        """A bill without a date ends nothing, so the own date counts, later as it is."""
        await store.run(
            PEOPLE,
            BILLS,
            "INSERT INTO people (id, name, since) VALUES (1, 'a', '2026-01-01')",
            "INSERT INTO bills VALUES (1, 1, '2020-01-01'), (2, 1, NULL)",
        )
        bill = Anchor("issued", False, UNKNOWN, DOWN)
        use = books(Anchor("since", False, UNKNOWN), bill, earliest=True)
        bills = table("bills", key="no", parent=UP)
        connector = store.connect(mapping(table("people", group("names", NAME, use)), bills))
        await connector.erase(everybody(1))
        assert len(await store.rows()) == 1
        (row,) = await connector.facts((1,), "people")
        assert (row.facts[0].date, row.facts[0].unknown) == (date(2026, 1, 1), False)


class TestPostgreSQL(Dated):
    """On PostgreSQL."""

    dialect = POSTGRESQL


@pytest.mark.mariadb
class TestMariaDB(Dated):
    """On MariaDB."""

    dialect = MARIADB


class TestSQLite(Dated):
    """On SQLite."""

    dialect = SQLITE
