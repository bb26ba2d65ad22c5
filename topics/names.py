"""Every topic the worker reads or writes: the one place for names, partitions and retention."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

CONSENT: Final = "privacy.consent"
REQUESTS: Final = "privacy.requests"
RETENTION: Final = "privacy.retention"
SUPPRESSIONS: Final = "erasure.suppressions"
RECEIPTS: Final = "erasure.receipts"
COMPLETED: Final = "erasure.completed"
REJECTED: Final = "erasure.rejected"

INBOUND: Final = (CONSENT, REQUESTS, RETENTION)
"""The topics upstream systems publish to. They alone hold personal data."""

INTAKE_GROUP: Final = "erasure-intake"
"""The consumer group of the inbound topics."""

_COMMANDS: Final = "erasure.commands."
_SWEEPS: Final = "erasure.sweeps."
_STORE = re.compile(r"[a-z0-9][a-z0-9_-]{0,99}")
_DAY_MS: Final = 24 * 60 * 60 * 1000


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic as it should be on the broker.

    ``retention_ms`` is in milliseconds; ``None`` leaves it to the broker (a compacted topic keeps
    the last message of every key whatever its age). ``what`` is a line for people.
    """

    name: str
    partitions: int
    cleanup: Literal["delete", "compact"]
    retention_ms: int | None
    what: str


def commands(store: str) -> str:
    """Name of the topic that carries the commands of one store.

    Raises ValueError when the store's name cannot be part of a topic's name.
    """
    return _COMMANDS + _named(store)


def sweeps(store: str) -> str:
    """Name of the topic that carries the sweeps of one store, and the commands that time asks for.

    They never stand before what a person has asked for. Raises ValueError as :func:`commands`.
    """
    return _SWEEPS + _named(store)


def _named(store: str) -> str:
    if not _STORE.fullmatch(store):
        raise ValueError(
            "a store's name must be 1 to 100 of a-z, 0-9, _ and -, beginning with a letter or "
            "digit: rename the store in the policy"
        )
    return store


def group_of(store: str) -> str:
    """Name of the consumer group of one store's commands: its lag is the store's lag."""
    return f"erasure-{store}"


def sweeps_group_of(store: str) -> str:
    """Name of the consumer group of one store's sweeps."""
    return f"erasure-sweeps-{store}"


def catalogue(stores: Iterable[str]) -> tuple[Topic, ...]:
    """Every topic a worker with these stores needs, in the order of the flow.

    Inbound topics hold personal data and are therefore kept for a week only: long enough to
    outlive a long weekend without an operator. Commands carry ids, and what was lost is driven
    again from the ledger, so a week is enough for them too.
    """
    inbound = (
        _delete(CONSENT, 6, 7, "consents withdrawn and given (from upstream)"),
        _delete(REQUESTS, 6, 7, "objections, erasure and restriction requests (from upstream)"),
        _delete(RETENTION, 6, 7, "retention periods that are over (from upstream)"),
    )
    orders = tuple(
        _delete(commands(store), 3, 7, f"ids of commands for the store {store}")
        for store in sorted(set(stores))
    )
    orders += tuple(
        _delete(sweeps(store), 1, 7, f"ids of sweeps of the store {store}, and of what time asks")
        for store in sorted(set(stores))
    )
    outbound = (
        Topic(SUPPRESSIONS, 6, "compact", None, "what must not be collected, by pseudonym"),
        _delete(RECEIPTS, 6, 90, "what was done in a store for a case, and that it was re-read"),
        _delete(
            COMPLETED,
            6,
            30,
            "events that are done with, by the event's source and id",
        ),
        _delete(REJECTED, 3, 30, "events nobody could read, and why; never their content"),
    )
    return inbound + orders + outbound


def _delete(name: str, partitions: int, days: int, what: str) -> Topic:
    return Topic(name, partitions, "delete", days * _DAY_MS, what)
