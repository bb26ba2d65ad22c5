"""Anchors in linked rows, filtered tables, references, shared rows and consents in a column."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import pytest

from connectors.base import Done, Lookup, Work
from connectors.faults import Refused
from connectors.mapping import (
    Anchor,
    Evidence,
    Field,
    FieldGroup,
    Filter,
    GroundUse,
    IdentifierColumn,
    Key,
    NullAnchor,
    ParentLink,
    Pick,
    StoreMapping,
    Table,
)
from tests.contract.small import Small, Store
from tests.support.databases import MARIADB, POSTGRESQL, SQLITE

CUTOFFS = {"books": date(2024, 12, 31)}
UNKNOWN, RUNNING = NullAnchor.UNKNOWN, NullAnchor.RUNNING
PEOPLE = "CREATE TABLE people (id integer PRIMARY KEY, name varchar(50), since date, until_ date)"
BILLS = "CREATE TABLE bills (no integer PRIMARY KEY, person integer, issued date)"
UP = ParentLink("people", (("person", "id"),))
DOWN = ParentLink("bills", (("id", "person"),))
NAME = (Field("name", "name", None),)


def table(
    name: str,
    *groups: FieldGroup,
    key: str = "id",
    parent: ParentLink | None = None,
    **more: object,
) -> Table:
    """Declare one table that is called in the database what the policy calls it."""
    relation = str(more.pop("relation", name))
    return Table(name, relation, None, (key,), parent, groups, **more)  # type: ignore[arg-type] # the caller's own words


def group(name: str, fields: tuple[Field, ...], *uses: GroundUse) -> FieldGroup:
    """Declare a field group."""
    return FieldGroup(name, fields, uses)


def books(*anchors: Anchor, earliest: bool = False) -> GroundUse:
    """The one ground with a period."""
    first, *others = anchors
    return GroundUse("books", False, first, tuple(others), earliest)


def mapping(*tables: Table) -> StoreMapping:
    """A store of some tables."""
    return StoreMapping("small", "Europe/Oslo", tables)


def everybody(*people: int, shape: Sequence[str] = ()) -> Work:
    """Work on people."""
    return Work(tuple(shape), CUTOFFS, [(number,) for number in people])


class Linked(Small):
    """Rows that are kept or let go because of other rows."""

    @pytest.mark.parametrize(
        ("pick", "stay"),
        # 1: an old and a new bill. 2: old ones. 3: none. 4: an old one and one without a date.
        [(Pick.NEWEST, [1, 4]), (Pick.OLDEST, [])],
    )
    async def test_a_row_lives_as_long_as_its_newest_or_oldest_child(
        self, store: Store, pick: Pick, stay: list[int]
    ) -> None:
        """A date among linked rows decides; a missing one keeps; without a row nothing does."""
        await store.run(
            PEOPLE,
            BILLS,
            "INSERT INTO people (id, name) VALUES (1, 'a'), (2, 'b'), (3, 'c'), (4, 'd')",
            "INSERT INTO bills VALUES (1, 1, '2020-01-01'), (2, 1, '2026-03-10'), "
            "(3, 2, '2020-01-01'), (4, 2, '2024-12-31'), (5, 4, '2020-01-01'), (6, 4, NULL)",
        )
        anchor = Anchor("issued", False, UNKNOWN, DOWN, pick)
        people = table("people", group("names", NAME, books(anchor)))
        bills = table("bills", key="no", parent=UP)
        connector = store.connect(mapping(people, bills))
        work = everybody(1, 2, 3, 4)
        before = await connector.verify(work)
        assert {key[0]: one["names"].left for key, one in before.items()} == {
            number: int(number not in stay) for number in (1, 2, 3, 4)
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
            (False, [2, 3, 4], {2: date(2025, 6, 1), 3: date(2026, 1, 1)}),
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
        for number, newest in latest.items():
            (kept,) = again[(number,)]["names"].kept
            assert kept.latest == newest

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

    async def test_a_filter_says_which_rows_a_table_means(self, store: Store) -> None:
        """Two tables on one relation: e-mails go, telephones stay, others are not touched."""
        await store.run(
            "CREATE TABLE people (id integer PRIMARY KEY, name varchar(50))",
            "CREATE TABLE contacts (no integer PRIMARY KEY, person integer, kind varchar(9), "
            "gone integer, value varchar(50))",
            "INSERT INTO people VALUES (1, 'a'), (2, 'b')",
            "INSERT INTO contacts VALUES (1, 1, 'email', 0, 'x'), (2, 1, 'phone', 0, 'y'), "
            "(3, 1, NULL, 0, 'z'), (4, 1, 'email', 1, 'v'), (5, 2, 'email', 0, 'w')",
        )
        value = (Field("value", "email", None),)
        up = ParentLink("people", (("person", "id"),))
        consent = GroundUse("consent", True, None)
        connector = store.connect(
            mapping(
                table("people", group("names", NAME, consent)),
                table(
                    "mails",
                    group("mails", value),
                    key="no",
                    parent=up,
                    relation="contacts",
                    where=(Filter("kind", ("email",)), Filter("gone", (False,))),
                ),
                table(
                    "phones",
                    group("phones", value, consent),
                    key="no",
                    parent=up,
                    relation="contacts",
                    where=(Filter("kind", ("phone", None)),),
                ),
            )
        )
        effects = await connector.erase(everybody(1, 2, shape=("consent",)))
        left = await store.rows("SELECT no FROM contacts ORDER BY no")
        assert [number for (number,) in left] == [2, 3, 4]
        assert effects[(1,)]["mails"].deleted + effects[(2,)]["mails"].deleted == 2
        again = await connector.verify(everybody(1, 2, shape=("consent",)))
        assert again[(1,)]["phones"].kept[0].rows == 2
        assert "mails" not in again[(1,)]

    async def test_a_filter_says_what_a_row_is_not(self, store: Store) -> None:
        """With ``not``, rows of other values and of none are meant; the root is found by it too."""
        await store.run(
            "CREATE TABLE people (id integer PRIMARY KEY, name varchar(50), state varchar(9))",
            "INSERT INTO people VALUES (1, 'a', 'merged'), (2, 'a', 'live'), (3, 'a', NULL)",
        )
        named = IdentifierColumn("name", "name", ignore_case=False, strong=True)
        where = (Filter("state", ("merged",), negated=True),)
        people = table("people", group("names", NAME), identifiers=(named,), where=where)
        connector = store.connect(mapping(people))
        found = await connector.resolve([Lookup(7, (("name", "a"),))])
        assert sorted(match.key for match in found) == [(2,), (3,)]
        await connector.erase(everybody(1, 2, 3))
        assert [row[0] for row in await store.rows()] == [1]

    async def test_a_row_that_is_pointed_at_stays(self, store: Store) -> None:
        """An address stays, emptied, while an invoice points at it, and goes with the invoice."""
        await store.run(
            "CREATE TABLE people (id integer PRIMARY KEY, name varchar(50))",
            "CREATE TABLE addresses (no integer PRIMARY KEY, person integer, street varchar(50))",
            "CREATE TABLE bills (no integer PRIMARY KEY, person integer, address integer "
            "REFERENCES addresses (no), issued date)",
            "INSERT INTO people VALUES (1, 'a')",
            "INSERT INTO addresses VALUES (1, 1, 'Storgata 1'), (2, 1, 'Storgata 2')",
            "INSERT INTO bills VALUES (1, 1, 1, '2026-03-10')",
        )
        address = table(
            "addresses", group("streets", (Field("street", "address", None),)), key="no", parent=UP
        )
        bill = table(
            "bills",
            group(
                "bills",
                (Field("address", "address", None),),
                books(Anchor("issued", False, UNKNOWN)),
            ),
            key="no",
            parent=UP,
            references=(ParentLink("addresses", (("address", "no"),)),),
        )
        connector = store.connect(mapping(table("people", group("names", NAME)), address, bill))
        await connector.erase(everybody(1))
        assert await store.rows("SELECT * FROM addresses") == [(1, 1, None)]
        later = Work((), {"books": date(2026, 12, 31)}, [(1,)])
        await connector.erase(later)
        for name in ("bills", "addresses", "people"):
            assert await store.rows(f"SELECT * FROM {name}") == []

    async def test_an_address_lives_as_long_as_the_invoice_that_points_at_it(
        self, store: Store
    ) -> None:
        """A linked row may be one that points here: its date keeps the address readable."""
        await store.run(
            "CREATE TABLE people (id integer PRIMARY KEY, name varchar(50))",
            "CREATE TABLE addresses (no integer PRIMARY KEY, person integer, street varchar(50))",
            "CREATE TABLE bills (no integer PRIMARY KEY, person integer, address integer, "
            "issued date)",
            "INSERT INTO people VALUES (1, 'a')",
            "INSERT INTO addresses VALUES (1, 1, 'Storgata 1'), (2, 1, 'Storgata 2')",
            "INSERT INTO bills VALUES (1, 1, 1, '2026-03-10')",
        )
        use = books(Anchor("issued", False, UNKNOWN, ParentLink("bills", (("no", "address"),))))
        street = group("streets", (Field("street", "address", None),), use)
        bill = table(
            "bills",
            key="no",
            parent=UP,
            references=(ParentLink("addresses", (("address", "no"),)),),
        )
        address = table("addresses", street, key="no", parent=UP)
        connector = store.connect(mapping(table("people", group("names", NAME)), address, bill))
        await connector.erase(everybody(1))
        assert await store.rows("SELECT * FROM addresses") == [(1, 1, "Storgata 1")]

    MEETINGS = (
        "CREATE TABLE people (id integer PRIMARY KEY, name varchar(50))",
        "CREATE TABLE meetings (no integer PRIMARY KEY, minutes varchar(50))",
        "CREATE TABLE present (person integer, meeting integer REFERENCES meetings (no), "
        "words varchar(50), PRIMARY KEY (person, meeting))",
        "INSERT INTO people VALUES (1, 'a'), (2, 'b')",
        "INSERT INTO meetings VALUES (1, 'both'), (2, 'the first alone'), (3, 'nobody')",
        "INSERT INTO present VALUES (1, 1, 'x'), (2, 1, 'y'), (1, 2, 'z')",
    )

    def meetings(self) -> StoreMapping:
        """People, the links, and the meetings they share."""
        present = Table(
            "present",
            "present",
            None,
            ("person", "meeting"),
            ParentLink("people", (("person", "id"),)),
            (group("words", (Field("words", "voluntary", None),)),),
        )
        meeting = table(
            "meetings",
            group("minutes", (Field("minutes", "voluntary", None),)),
            key="no",
            shared_by=ParentLink("present", (("no", "meeting"),)),
        )
        return mapping(table("people", group("names", NAME)), present, meeting)

    async def test_a_shared_row_goes_with_its_last_link(self, store: Store) -> None:
        """One person's links go alone; the meeting goes when nobody who was there is left."""
        await store.run(*self.MEETINGS)
        connector = store.connect(self.meetings())
        effects = await connector.erase(everybody(1))
        assert await store.rows("SELECT * FROM meetings ORDER BY no") == [
            (1, "both"),
            (3, "nobody"),
        ]
        assert await store.rows("SELECT person, meeting FROM present") == [(2, 1)]
        assert effects[(1,)]["minutes"] == Done(deleted=1)
        effects = await connector.erase(everybody(2))
        assert await store.rows("SELECT * FROM meetings") == [(3, "nobody")]
        assert effects[(2,)]["minutes"] == Done(deleted=1)

    async def test_two_people_of_one_batch_take_their_meeting_along(self, store: Store) -> None:
        """When all links of a row go in one piece of work, the row goes, counted for each."""
        await store.run(*self.MEETINGS)
        effects = await store.connect(self.meetings()).erase(everybody(1, 2))
        assert await store.rows("SELECT * FROM meetings") == [(3, "nobody")]
        counted: dict[Key, int] = {key: done["minutes"].deleted for key, done in effects.items()}
        assert counted == {(1,): 2, (2,): 1}

    async def test_a_consent_that_the_store_records(self, store: Store) -> None:
        """A consent lives in the rows that say so, and in none once it was withdrawn."""
        await store.run(
            "CREATE TABLE people (id integer PRIMARY KEY, name varchar(50), agreed integer)",
            "INSERT INTO people VALUES (1, 'a', 1), (2, 'b', 0), (3, 'c', NULL)",
        )
        consent = GroundUse("news", True, None, evidence=Evidence(Filter("agreed", (True,))))
        connector = store.connect(mapping(table("people", group("names", NAME, consent))))
        work = everybody(1, 2, 3, shape=("news",))
        await connector.erase(work)
        assert [row[0] for row in await store.rows()] == [1]
        again = await connector.verify(work)
        assert [(kept.ground, kept.rows) for kept in again[(1,)]["names"].kept] == [("news", 1)]
        await connector.erase(everybody(1, 2, 3))
        assert await store.rows() == []


class Silent(Linked):
    """Databases whose triggers can keep a row without a word; MariaDB's cannot."""

    async def test_a_shared_row_that_stays_is_noticed(self, store: Store) -> None:
        """A store that keeps a shared row although nobody holds it refuses: nothing is done."""
        await store.run(*self.MEETINGS, *KEEPING[self.dialect])
        with pytest.raises(Refused, match="not-gone"):
            await store.connect(self.meetings()).erase(everybody(1))
        assert len(await store.rows("SELECT * FROM present")) == 3


KEEPING = {
    POSTGRESQL: (
        "CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
        "CREATE TRIGGER keeping BEFORE DELETE ON meetings FOR EACH ROW EXECUTE FUNCTION keep()",
    ),
    SQLITE: ("CREATE TRIGGER keeping BEFORE DELETE ON meetings BEGIN SELECT RAISE(IGNORE); END",),
}


class TestPostgreSQL(Silent):
    """On PostgreSQL."""

    dialect = POSTGRESQL


@pytest.mark.mariadb
class TestMariaDB(Linked):
    """On MariaDB."""

    dialect = MARIADB


class TestSQLite(Silent):
    """On SQLite."""

    dialect = SQLITE
