"""Opening what a command needs, with an error that says what to do when it cannot be opened."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from worker import logs
from worker.bootstrap import open_context
from worker.check import ledger_of, ledger_problem
from worker.cli.exits import NotReady
from worker.context import Context
from worker.core.policy import Policy
from worker.ledger.database import Ledger
from worker.policy_file import load as load_policy
from worker.settings import Settings, SettingsError
from worker.settings import load as load_settings


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


def read_policy(settings: Settings) -> Policy:
    """Read the policy that the settings name. Raises SettingsError or PolicyError."""
    try:
        return load_policy(settings.policy)
    except OSError as error:
        raise SettingsError(
            f"ERASURE_POLICY: {settings.policy} cannot be read ({error.strerror})"
        ) from None


@asynccontextmanager
async def open_ledger(settings: Settings) -> AsyncIterator[Ledger]:
    """The ledger alone, reachable and up to date. Raises LedgerAway or NotReady."""
    ledger = ledger_of(settings)
    try:
        await make_sure(ledger)
        yield ledger
    finally:
        await ledger.close()


@asynccontextmanager
async def open_worker() -> AsyncIterator[Context]:
    """All parts, with the ledger reachable and up to date; stores and broker may be away."""
    settings = read_settings()
    policy = read_policy(settings)
    await ledger_of(settings).close()  # An unreadable URL is said in words.
    async with open_context(settings, policy=policy) as context:
        await make_sure(context.ledger)
        yield context


async def make_sure(ledger: Ledger) -> None:
    """Raise NotReady unless the ledger is up to date, LedgerAway when it does not answer."""
    problem = await ledger_problem(ledger)
    if problem is not None:
        raise NotReady(f"{problem.what}; {problem.todo}")
