"""The contract suite for every connector of this house, on every database."""

from __future__ import annotations

import pytest

from tests.contract.beyond_mariadb import BeyondMariaDB
from tests.contract.erasing import Erasing
from tests.contract.failing import Checking, Failing
from tests.contract.resolving import Resolving
from tests.contract.verifying import Verifying
from tests.support.databases import MARIADB, POSTGRESQL, SQLITE


class ConnectorContract(Resolving, Erasing, Verifying, Failing, Checking):
    """All parts of the contract together."""


class TestCrmOnPostgreSQL(ConnectorContract, BeyondMariaDB):
    """Plain names, whole-number keys."""

    kind, dialect = "crm", POSTGRESQL


@pytest.mark.mariadb
class TestCrmOnMariaDB(ConnectorContract):
    """Plain names, whole-number keys."""

    kind, dialect = "crm", MARIADB


class TestCrmOnSQLite(ConnectorContract, BeyondMariaDB):
    """Plain names, whole-number keys."""

    kind, dialect = "crm", SQLITE


class TestNewsletterOnPostgreSQL(ConnectorContract, BeyondMariaDB):
    """Text keys, names that need quoting, many rows a person."""

    kind, dialect = "newsletter", POSTGRESQL


@pytest.mark.mariadb
class TestNewsletterOnMariaDB(ConnectorContract):
    """Text keys, names that need quoting, many rows a person."""

    kind, dialect = "newsletter", MARIADB


class TestNewsletterOnSQLite(ConnectorContract, BeyondMariaDB):
    """Text keys, names that need quoting, many rows a person."""

    kind, dialect = "newsletter", SQLITE


class TestBillingOnPostgreSQL(ConnectorContract, BeyondMariaDB):
    """Composite keys, in a schema of their own."""

    kind, dialect = "billing", POSTGRESQL


@pytest.mark.mariadb
class TestBillingOnMariaDB(ConnectorContract):
    """Composite keys, in a database of their own."""

    kind, dialect = "billing", MARIADB


class TestBillingOnSQLite(ConnectorContract, BeyondMariaDB):
    """Composite keys, in a schema named by its name."""

    kind, dialect = "billing", SQLITE
