"""Drivers' errors, by code: what each means for the work, and that its words go nowhere."""

from __future__ import annotations

import asyncio
import sqlite3
import traceback

import asyncpg
import pytest
from asyncmy import errors as asyncmy_errors
from sqlalchemy.exc import OperationalError

from connectors.faults import Fault, Misfit, Refused, RetryLater
from connectors.mapping import StoreMapping
from connectors.registry import KINDS, connect
from connectors.sql.errors import Phase, guarded, translate
from tests.contract.layouts import LAYOUTS, mapping

SECRET = "kari@example.com"


def wrapped(error: Exception) -> OperationalError:
    """An error as SQLAlchemy hands it on."""
    return OperationalError("SELECT", {"mail": SECRET}, error)


def on_postgresql(state: str) -> Exception:
    """An error of PostgreSQL's."""
    error = asyncpg.PostgresError(f"Key (email)=({SECRET})")
    error.sqlstate = state
    return wrapped(error)


def on_mariadb(number: int) -> Exception:
    """An error of MariaDB's."""
    return wrapped(asyncmy_errors.OperationalError(number, f"Duplicate entry '{SECRET}'"))


def on_sqlite(code: int) -> Exception:
    """An error of SQLite's."""
    error = sqlite3.OperationalError(SECRET)
    error.sqlite_errorcode = code
    return wrapped(error)


@pytest.mark.parametrize(
    ("error", "kind", "code"),
    [
        (on_postgresql("23503"), Refused, "constraint"),
        (on_postgresql("P0001"), Refused, "trigger"),
        (on_postgresql("42501"), Refused, "permission"),
        (on_postgresql("22001"), Refused, "data"),
        (on_postgresql("57014"), RetryLater, "timeout"),
        (on_postgresql("55P03"), RetryLater, "busy"),
        (on_postgresql("40P01"), RetryLater, "busy"),
        (on_postgresql("40001"), RetryLater, "busy"),
        (on_postgresql("53300"), RetryLater, "unavailable"),
        (on_postgresql("57P03"), RetryLater, "unavailable"),
        (on_postgresql("25006"), RetryLater, "unavailable"),
        (on_postgresql("08006"), RetryLater, "unavailable"),
        (on_postgresql("42P01"), Misfit, "no-such-table"),
        (on_postgresql("28P01"), Misfit, "login"),
        (on_postgresql("3D000"), Misfit, "login"),
        (on_postgresql("42601"), Misfit, "statement"),
        (on_postgresql("ZZ999"), Refused, "unexpected"),
        (on_mariadb(1451), Refused, "constraint"),
        (on_mariadb(1644), Refused, "trigger"),
        (on_mariadb(1142), Refused, "permission"),
        (on_mariadb(1406), Refused, "data"),
        (on_mariadb(1205), RetryLater, "busy"),
        (on_mariadb(1213), RetryLater, "busy"),
        (on_mariadb(1040), RetryLater, "unavailable"),
        (on_mariadb(2013), RetryLater, "unavailable"),
        (on_mariadb(1969), RetryLater, "timeout"),
        (on_mariadb(1146), Misfit, "no-such-table"),
        (on_mariadb(1045), Misfit, "login"),
        (on_mariadb(60000), Refused, "unexpected"),
        (on_sqlite(sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY), Refused, "constraint"),
        (on_sqlite(sqlite3.SQLITE_CONSTRAINT_TRIGGER), Refused, "trigger"),
        (on_sqlite(sqlite3.SQLITE_READONLY), Refused, "permission"),
        (on_sqlite(sqlite3.SQLITE_BUSY), RetryLater, "busy"),
        (on_sqlite(sqlite3.SQLITE_IOERR), RetryLater, "unavailable"),
        (on_sqlite(sqlite3.SQLITE_FULL), RetryLater, "unavailable"),
        (on_sqlite(sqlite3.SQLITE_ERROR), Misfit, "no-such-table"),
        (ConnectionRefusedError(SECRET), RetryLater, "unavailable"),
        (TimeoutError(SECRET), RetryLater, "timeout"),
        (ValueError(SECRET), Refused, "unexpected"),
    ],
)
async def test_what_an_error_means(error: Exception, kind: type[Fault], code: str) -> None:
    """Each driver's error is the fault that its code calls for, and carries none of its words."""

    async def work() -> None:
        raise error

    with pytest.raises(kind) as caught:
        await guarded(work)
    assert caught.value.code == code
    fault = caught.value
    assert SECRET not in "".join(traceback.format_exception(fault)) + repr(fault.args)
    assert fault.__context__ is None


@pytest.mark.parametrize(
    ("error", "in_doubt"),
    [
        (on_postgresql("08006"), True),
        (on_postgresql("57P01"), True),
        (on_postgresql("40001"), False),
        (on_mariadb(2013), True),
        (on_mariadb(1213), False),
        (ConnectionResetError(), True),
        (TimeoutError(), True),
    ],
)
def test_doubt_begins_with_the_commit(error: Exception, in_doubt: bool) -> None:
    """A line lost in the commit is in doubt, one lost before it and a rollback we know of are not.

    The store says of a deadlock or a failed serialization that it has rolled back.
    """
    during, before = translate(error, committing=True), translate(error)
    assert isinstance(during, RetryLater)
    assert isinstance(before, RetryLater)
    assert during.in_doubt is in_doubt
    assert before.in_doubt is False


async def test_a_stop_is_not_a_fault() -> None:
    """Cancelling a call cancels it: it is not taken for an error of the store."""

    async def work() -> None:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await guarded(work, Phase())


@pytest.fixture
def declared() -> StoreMapping:
    """Any mapping."""
    return mapping(LAYOUTS["crm"], None)


def test_kinds(declared: StoreMapping) -> None:
    """Every kind that may stand in a policy has a connector, and nothing else has."""
    assert set(KINDS) >= {"billing", "crm", "newsletter", "sql"}
    for kind in KINDS:
        assert connect(kind, declared, "sqlite:///store.db").mapping is declared
    with pytest.raises(Misfit, match="crm"):
        connect("fax", declared, "sqlite:///store.db")


@pytest.mark.parametrize(
    "url", ["oracle://u:hunter2@h/d", "hunter2", "postgresql://u:hunter2@h:x/d"]
)
def test_a_url_that_is_none(declared: StoreMapping, url: str) -> None:
    """A URL of no database that we speak is a misfit, and is not shown: it holds a password."""
    with pytest.raises(Misfit) as caught:
        connect("crm", declared, url)
    text = "".join(traceback.format_exception(caught.value))
    assert "hunter2" not in text.replace(f'"{url}"', "")
    assert caught.value.__context__ is None
