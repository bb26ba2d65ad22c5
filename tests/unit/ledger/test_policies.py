"""A version of the policy means one text, whoever takes it up and whenever."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.unit.core.policies import small
from tests.unit.ledger.making import NOW
from worker.ledger import policies
from worker.ledger.database import Ledger
from worker.take_up import VersionTaken, take_up


async def test_a_version_keeps_its_text(ledger: Ledger) -> None:
    """The same file may be taken up again; another file under the same version is refused."""
    policy = small().read_from(b"one text")
    await take_up(ledger, policy, NOW)
    await take_up(ledger, policy, NOW + timedelta(days=1))
    with pytest.raises(VersionTaken, match="raise version"):
        await take_up(ledger, policy.read_from(b"another text"), NOW)
    async with ledger.begin() as connection:
        assert await policies.content(connection, policy.version) == b"one text"
        (known,) = await policies.listed(connection)
    assert (known.version, known.digest, known.taken_up_at) == (policy.version, policy.digest, NOW)


async def test_a_new_version_stands_beside_the_old(ledger: Ledger) -> None:
    """Versions are listed with the newest first; one that nobody ran on is not there."""
    old = small().read_from(b"old")
    new = old.model_copy(update={"version": "test-2"}).read_from(b"new")
    await take_up(ledger, old, NOW)
    await take_up(ledger, new, NOW + timedelta(days=1))
    async with ledger.begin() as connection:
        assert [one.version for one in await policies.listed(connection)] == ["test-2", "test-1"]
        assert await policies.content(connection, "test-3") is None


async def test_a_policy_without_a_file_leaves_no_trace(ledger: Ledger) -> None:
    """A policy made in a program has no text that could be compared."""
    await take_up(ledger, small(), NOW)
    async with ledger.begin() as connection:
        assert await policies.listed(connection) == []
