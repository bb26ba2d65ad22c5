"""What must hold between two runs, whatever a model says: more grounds never erase more."""

from __future__ import annotations

from typing import ClassVar

import pytest
from hypothesis import given

from tests.contract.generated.cases import Case
from tests.contract.generated.changes import (
    Pair,
    in_another_order,
    of_one_person,
    with_a_ground_more,
    with_a_longer_period,
)
from tests.contract.generated.layout import Rows
from tests.contract.generated.running import Engine, sorted_rows
from tests.contract.generated.settings import examples
from tests.support.databases import MARIADB, POSTGRESQL, SQLITE


class Metamorphic:
    """The same on each database."""

    dialect: ClassVar[str]

    @examples(20)
    @given(pair=with_a_ground_more())
    def test_another_ground_never_erases_more(self, engine: Engine, pair: Pair) -> None:
        """What stays of a field with some grounds stays when it has one more."""
        less, more = (kept(case.rows, engine.run(case).rows) for case in pair)
        assert less <= more

    @examples(20)
    @given(pair=with_a_longer_period())
    def test_a_longer_period_never_erases_sooner(self, engine: Engine, pair: Pair) -> None:
        """What a period still keeps on a day, a longer one keeps too."""
        shorter, longer = (kept(case.rows, engine.run(case).rows) for case in pair)
        assert shorter <= longer

    @examples(20)
    @given(pair=in_another_order())
    def test_no_order_decides(self, engine: Engine, pair: Pair) -> None:
        """Grounds, fields, tables, people, events and rows in another order leave the same."""
        one, other = (sorted_rows(engine.run(case).rows) for case in pair)
        assert one == other

    @examples(20)
    @given(case=of_one_person())
    def test_twice_is_once(self, engine: Engine, case: Case) -> None:
        """A second run of the same work finds nothing to do."""
        once, twice = engine.run(case), engine.run(case, times=2)
        assert sorted_rows(once.rows) == sorted_rows(twice.rows)
        done = [outcome.rows for groups in twice.verdicts.values() for outcome in groups.values()]
        assert not any(done)


def kept(before: Rows, after: Rows) -> set[tuple[str, int, str]]:
    """The cells that hold what they held: relation, row and column."""
    found = set()
    for name in before:
        if name == "history":
            continue  # its rows have no number of their own, and triggers add to them
        there = {row["id"]: row for row in after[name]}
        for row in before[name]:
            still = there.get(row["id"], {})
            found |= {(name, row["id"], c) for c, v in row.items() if c in still and still[c] == v}
    return found


class TestPostgreSQL(Metamorphic):
    """On PostgreSQL."""

    dialect = POSTGRESQL


@pytest.mark.mariadb
class TestMariaDB(Metamorphic):
    """On MariaDB."""

    dialect = MARIADB


class TestSQLite(Metamorphic):
    """On SQLite."""

    dialect = SQLITE
