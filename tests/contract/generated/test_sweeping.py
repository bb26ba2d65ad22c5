"""A sweep of any policy's store, part by part, leaves what the plain model leaves."""

from __future__ import annotations

from typing import ClassVar

import pytest
from hypothesis import given

from tests.contract.generated.cases import Case, cases
from tests.contract.generated.running import Engine, sorted_rows
from tests.contract.generated.settings import examples
from tests.contract.generated.sweeping import expected
from tests.support.databases import MARIADB, POSTGRESQL, SQLITE


class Swept:
    """The same on each database."""

    dialect: ClassVar[str]
    pages: ClassVar[bool] = False

    @examples(40)
    @given(case=cases())
    def test_what_is_left_is_what_the_policy_says(self, engine: Engine, case: Case) -> None:
        """Row by row and column by column; each part is empty of what is past when it is done."""
        found, wanted = (
            sorted_rows(engine.sweep(case, pages=self.pages)),
            sorted_rows(expected(case)),
        )
        for name in sorted({table.get("relation", name) for name, table in case.tables.items()}):
            assert found[name] == wanted[name], name


class TestPostgreSQLByPages(Swept):
    """On PostgreSQL, by pages."""

    dialect = POSTGRESQL
    pages = True


class TestPostgreSQLByKeys(Swept):
    """On PostgreSQL, by keys."""

    dialect = POSTGRESQL


@pytest.mark.mariadb
class TestMariaDB(Swept):
    """On MariaDB."""

    dialect = MARIADB


class TestSQLite(Swept):
    """On SQLite."""

    dialect = SQLITE
