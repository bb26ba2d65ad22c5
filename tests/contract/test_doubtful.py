"""Whom a sweep must look up: those of whom a consent decides, whatever else of theirs is over."""

from __future__ import annotations

import pytest

from connectors.mapping import Field, FieldGroup, StoreMapping, Table
from connectors.sweeping import Walk
from tests.contract.small import ANCHORED, CONSENT, CUTOFF, Small, Store
from tests.support.databases import MARIADB, POSTGRESQL, SQLITE


class Doubtful(Small):
    """The same on each database."""

    async def test_of_whom_a_consent_decides(self, store: Store) -> None:
        """Also where another group of the row is over; never where nothing of the group is left."""
        dated = FieldGroup("dated", (Field("name", "name", None),), (ANCHORED,))
        told = FieldGroup("told", (Field("note", "voluntary", None),), (CONSENT,))
        both = FieldGroup("both", (Field("mail", "email", None),), (ANCHORED, CONSENT))
        table = Table("people", "people", None, ("id",), None, (dated, told, both))
        await store.run(
            "CREATE TABLE people (id integer PRIMARY KEY, since date, name varchar(9),"
            " note varchar(9), mail varchar(9))",
            "INSERT INTO people VALUES (1, '2020-01-01', 'Kari', 'x', NULL)",
            "INSERT INTO people VALUES (2, '2020-01-01', NULL, NULL, 'm')",
            "INSERT INTO people VALUES (3, '2025-06-01', 'Ola', NULL, 'm')",
            "INSERT INTO people VALUES (4, '2025-06-01', 'Ola', 'x', NULL)",
            "INSERT INTO people VALUES (5, NULL, 'Ida', NULL, 'm')",
        )
        connector = store.connect(StoreMapping("small", "Europe/Oslo", (table,)))
        span = await connector.sweeping.span("people", Walk.KEYS, None, 100, {"kept": CUTOFF})
        cutoffs = {"kept": CUTOFF}
        assert sorted(await connector.sweeping.due(span, cutoffs)) == [(1,)]
        assert sorted(await connector.sweeping.doubtful(span, cutoffs)) == [(1,), (2,), (4,)]


class TestPostgreSQL(Doubtful):
    """On PostgreSQL."""

    dialect = POSTGRESQL


@pytest.mark.mariadb
class TestMariaDB(Doubtful):
    """On MariaDB."""

    dialect = MARIADB


class TestSQLite(Doubtful):
    """On SQLite."""

    dialect = SQLITE
