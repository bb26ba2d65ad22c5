"""A whole sweep of any policy's store, whoever dies in it, leaves what the plain model leaves."""

from __future__ import annotations

from typing import ClassVar

import pytest
from hypothesis import given

from tests.contract.generated.agreeing import agree_whole
from tests.contract.generated.running import Engine
from tests.contract.generated.settings import examples
from tests.contract.generated.whole import Whole, wholes
from tests.support.databases import MARIADB, POSTGRESQL, SQLITE


class Swept:
    """The same on each database."""

    dialect: ClassVar[str]

    @examples(8)
    @given(whole=wholes())
    def test_a_whole_sweep_leaves_what_the_policy_says(self, engine: Engine, whole: Whole) -> None:
        """Row by row; its proof counts nothing, and just those who lost data have a receipt."""
        agree_whole(engine, whole)


class TestPostgreSQL(Swept):
    """On PostgreSQL."""

    dialect = POSTGRESQL


@pytest.mark.mariadb
class TestMariaDB(Swept):
    """On MariaDB."""

    dialect = MARIADB


class TestSQLite:
    """On SQLite, where an example costs least."""

    dialect = SQLITE

    @examples(30)
    @given(whole=wholes())
    def test_a_whole_sweep_leaves_what_the_policy_says(self, engine: Engine, whole: Whole) -> None:
        """Row by row; its proof counts nothing, and just those who lost data have a receipt."""
        agree_whole(engine, whole)
