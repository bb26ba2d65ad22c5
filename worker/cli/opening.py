"""Opening what a command needs, with an error that says what to do when it cannot be opened.

Each part is loaded when it is opened: who lists cases does not wait for a broker's client.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from worker import logs
from worker.ledger.database import Ledger
from worker.ready import ledger_of, make_sure
from worker.settings import Settings, SettingsError
from worker.settings import load as load_settings

if TYPE_CHECKING:
    from connectors.base import Connector
    from worker.context import Context
    from worker.core.policy import Policy


def read_settings() -> Settings:
    """Read the settings. Raises SettingsError."""
    quieten()
    return load_settings()


def quieten() -> None:
    """Keep the libraries from logging: a command speaks for itself."""
    logs.configure("console", "warning")
    for name in logs.NOISY:
        # They tell at length what the error that they raise says as well.
        logging.getLogger(name).setLevel(logging.CRITICAL)


def read_policy(settings: Settings, *, whole: bool = False) -> Policy:
    """Read the policy that the settings name. Raises SettingsError or PolicyError.

    ``whole``: one with a hole is refused, as it must be before anything is erased by it.
    """
    from worker.policy_file import load, load_whole

    try:
        return load_whole(settings.policy) if whole else load(settings.policy)
    except OSError as error:
        raise SettingsError(
            f"ERASURE_POLICY: {settings.policy} cannot be read ({error.strerror})"
        ) from None


@asynccontextmanager
async def open_ledger(settings: Settings) -> AsyncIterator[Ledger]:
    """The ledger alone, reachable and up to date; see :func:`worker.ready.make_sure`."""
    ledger = ledger_of(settings)
    try:
        await make_sure(ledger)
        yield ledger
    finally:
        await ledger.close()


@asynccontextmanager
async def open_stores(
    settings: Settings, policy: Policy, patience: float
) -> AsyncIterator[dict[str, Connector]]:
    """The stores alone, for looking at them; ``patience`` is in seconds a statement."""
    from worker.bootstrap import open_connectors

    connectors = open_connectors(settings, policy, statement_timeout=patience)
    try:
        yield connectors
    finally:
        for connector in connectors.values():
            await connector.close()


@asynccontextmanager
async def open_worker() -> AsyncIterator[Context]:
    """All parts, with the ledger reachable and up to date; stores and broker may be away."""
    from worker.bootstrap import open_context

    settings = read_settings()
    policy = read_policy(settings)
    async with open_ledger(settings), open_context(settings, policy=policy) as context:
        yield context
