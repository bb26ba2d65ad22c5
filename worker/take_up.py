"""Taking up a policy: a version means one text, for every worker and for all time.

Each decision names the version that it was taken under. That is worth something only if nobody can
change what a version says, so the ledger keeps each version's file and refuses another one under
the same name.
"""

from __future__ import annotations

from datetime import datetime

from worker.core.policy import Policy
from worker.ledger import policies
from worker.ledger.database import Ledger


class VersionTaken(Exception):
    """The policy was changed and its version was not. The text says what to do."""


async def take_up(ledger: Ledger, policy: Policy, now: datetime) -> None:
    """Note in the ledger that a worker runs on this policy.

    Raises VersionTaken when the ledger knows its version with another text, LedgerAway when the
    ledger does not answer. A policy that was not read from a file has no text to compare.
    """
    if not policy.content:
        return
    async with ledger.begin() as connection:
        known = await policies.take_up(
            connection, policy.version, policy.digest, policy.content, now
        )
    if known != policy.digest:
        raise VersionTaken(
            f"the policy was changed, but its version is still {policy.version}: decisions were "
            f"taken under another text of it (sha256 {known[:12]}…, this file {policy.digest[:12]}…"
            f"); raise version: in the file, or see the other text with: erasure policy show "
            f"{policy.version}"
        )
