"""Rows that belong to several people go with the last link to them."""

from __future__ import annotations

import pytest

from connectors.base import Done
from connectors.faults import Refused
from connectors.mapping import (
    Field,
    Key,
    ParentLink,
    StoreMapping,
    Table,
)
from tests.contract.linked import (
    NAME,
    everybody,
    group,
    mapping,
    table,
)
from tests.contract.small import Small, Store
from tests.support.databases import MARIADB, POSTGRESQL, SQLITE


class Shared(Small):
    """Meetings, and who was there."""

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


class Silent(Shared):
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
class TestMariaDB(Shared):
    """On MariaDB."""

    dialect = MARIADB


class TestSQLite(Silent):
    """On SQLite."""

    dialect = SQLITE
