"""Bringing a ledger's schema up to date, and telling whether it is."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from worker.ledger.database import Ledger

_MIGRATIONS = Path(__file__).parent / "migrations"


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    return config


def head() -> str:
    """The revision this version of the worker needs."""
    revision = ScriptDirectory.from_config(_config()).get_current_head()
    if revision is None:
        raise LookupError("the package holds no migrations: install it again")
    return revision


async def current(ledger: Ledger) -> str | None:
    """The revision a ledger has; None when it is empty. Raises LedgerAway."""
    async with ledger.begin() as connection:
        return await connection.run_sync(
            lambda sync: MigrationContext.configure(sync).get_current_revision()
        )


async def upgrade(ledger: Ledger) -> str:
    """Apply what is missing, in one transaction; return the revision reached. May be repeated."""

    def migrate(connection: Connection) -> None:
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")

    async with ledger.begin() as connection:
        await connection.run_sync(migrate)
    return head()
