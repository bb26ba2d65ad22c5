"""The date on which something that is kept may be due: never one that is over already."""

from __future__ import annotations

from datetime import date

import pytest

from connectors.mapping import Anchor, Field, GroundUse, NullAnchor
from tests.contract.small import CUTOFF, Small, Store, people, work
from tests.support.databases import MARIADB, POSTGRESQL, SQLITE

SINCE = Anchor("since", False, NullAnchor.UNKNOWN)
SENT = Anchor("sent", False, NullAnchor.UNKNOWN)
LATER = GroundUse("kept", False, SINCE, (SENT,))
MAPPING = people(Field("name", "name", None), grounds=(LATER,))


class Earliest(Small):
    """Several rows, each kept by the later of two dates."""

    @pytest.mark.parametrize(
        ("since", "sent", "earliest"),
        [
            ("'2020-01-01'", "'2025-03-01'", date(2025, 3, 1)),
            ("'2026-01-01'", "'2025-03-01'", date(2026, 1, 1)),
            ("'2020-01-01'", "NULL", None),
            ("NULL", "'2026-01-01'", date(2026, 1, 1)),
        ],
    )
    async def test_a_date_that_is_over_ends_nothing(
        self, store: Store, since: str, sent: str, earliest: date | None
    ) -> None:
        """A row that is kept because its other date is missing has no day, or a day to come."""
        await store.run(
            "CREATE TABLE people (id integer PRIMARY KEY, name varchar(9), since date, sent date)",
            f"INSERT INTO people VALUES (1, 'a', {since}, {sent})",
        )
        connector = store.connect(MAPPING)
        assert await connector.erase(work((1,))) == {}
        (kept,) = (await connector.verify(work((1,))))[(1,)]["all"].kept
        assert kept.earliest == earliest
        assert kept.earliest is None or kept.earliest > CUTOFF


class TestPostgreSQL(Earliest):
    """On PostgreSQL."""

    dialect = POSTGRESQL


@pytest.mark.mariadb
class TestMariaDB(Earliest):
    """On MariaDB."""

    dialect = MARIADB


class TestSQLite(Earliest):
    """On SQLite."""

    dialect = SQLITE
