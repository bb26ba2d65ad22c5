"""Is the ledger as this worker needs it? Asked before anything is done with it."""

from __future__ import annotations

import asyncio
from pathlib import Path

from worker.ledger.database import Ledger, LedgerAway, LedgerConflict
from worker.ledger.upgrade import current, head
from worker.settings import Settings, SettingsError

LIMIT_SECONDS = 8.0
"""How long it may take to answer."""


class LedgerRefuses(Exception):
    """The ledger's server is there and does not let us in. The text says what to correct."""


class LedgerBehind(Exception):
    """The ledger does not have the schema that this worker needs. The text says how it gets it."""


def ledger_of(settings: Settings) -> Ledger:
    """The ledger that the settings name, not connected yet. Raises SettingsError."""
    try:
        return Ledger(settings.ledger.get_secret_value())
    except ValueError as error:
        raise SettingsError(f"ERASURE_LEDGER: {error}") from None


async def revision_of(ledger: Ledger) -> str | None:
    """The revision of a ledger's schema; None when it is empty. Changes nothing.

    Raises LedgerAway when it does not answer, LedgerRefuses when it does not let us in.
    """
    if _is_no_file(ledger):
        return None  # Looking into it would make the file.
    try:
        async with asyncio.timeout(LIMIT_SECONDS):
            return await current(ledger)
    except (LedgerAway, LedgerConflict):
        raise
    except TimeoutError:
        raise LedgerAway(f"no answer within {LIMIT_SECONDS:g} s") from None
    except Exception as error:  # noqa: BLE001 - a driver refuses a login with errors of its own
        name = type(error).__name__
    raise LedgerRefuses(
        f"the ledger refuses the connection ({name}); correct user, password and database in "
        "ERASURE_LEDGER"
    )


async def make_sure(ledger: Ledger) -> None:
    """Return when the ledger is up to date.

    Raises LedgerBehind when it is not, LedgerAway or LedgerRefuses when nobody can tell.
    """
    revision = await revision_of(ledger)
    if revision == head():
        return
    if revision is None:
        raise LedgerBehind("the ledger is empty; run: erasure ledger upgrade")
    raise LedgerBehind(
        f"the ledger is at revision {revision} and this worker needs {head()}; run: erasure ledger "
        "upgrade, with the newest worker that uses it"
    )


def _is_no_file(ledger: Ledger) -> bool:
    file = ledger.engine.url.database if ledger.dialect == "sqlite" else None
    return bool(file) and not Path(str(file)).exists()
