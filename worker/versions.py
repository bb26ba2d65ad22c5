"""The policy that a decision was taken under, whatever the worker runs on now."""

from __future__ import annotations

from functools import lru_cache

from worker.core.policy import Policy
from worker.ledger import policies
from worker.ledger.database import Connection
from worker.policy_file import PolicyError, parse


async def policy_of(connection: Connection, version: str | None, current: Policy) -> Policy | None:
    """Return the policy of a version, from the ledger when it is not the current one.

    None: the ledger does not have it, or it can be read no more. Without a version: the current.
    """
    if version is None or version == current.version:
        return current
    content = await policies.content(connection, version)
    return None if content is None else _read(bytes(content), version)


@lru_cache(maxsize=16)
def _read(content: bytes, version: str) -> Policy | None:
    try:
        return parse(content, f"policy {version}")
    except PolicyError:
        return None  # What was allowed then may be refused today; its decisions stand.
