"""Any policy on any rows: what each table holds afterwards is what a model in plain Python says."""

from __future__ import annotations

from typing import ClassVar

import pytest
from hypothesis import given

from tests.contract.generated.agreeing import agree
from tests.contract.generated.cases import Case, cases
from tests.contract.generated.running import Engine
from tests.contract.generated.settings import examples
from tests.support.databases import MARIADB, POSTGRESQL, SQLITE


class Generated:
    """The same on each database."""

    dialect: ClassVar[str]

    @examples(80)
    @given(case=cases())
    def test_what_is_left_is_what_the_policy_says(self, engine: Engine, case: Case) -> None:
        """Row by row and column by column, and so are the outcomes of each person."""
        agree(engine, case)

    @examples(40)
    @given(case=cases())
    def test_what_is_past_is_what_a_forecast_calls_due(self, engine: Engine, case: Case) -> None:
        """In rows and people of every group; and nobody is counted twice."""
        counted = engine.count(case)
        assert {one.group: (one.rows, one.people) for one in counted.past.groups} == {
            one.group: (one.rows, one.people) for one in counted.told if one.when == 0
        }
        most = max((one.people or 0 for one in counted.past.groups), default=0)
        assert most <= counted.past.people <= sum(one.people or 0 for one in counted.past.groups)


class TestPostgreSQL(Generated):
    """On PostgreSQL."""

    dialect = POSTGRESQL


@pytest.mark.mariadb
class TestMariaDB(Generated):
    """On MariaDB."""

    dialect = MARIADB


class TestSQLite(Generated):
    """On SQLite."""

    dialect = SQLITE
