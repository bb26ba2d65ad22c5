"""A version of the policy means one text, whoever takes it up and whenever."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.unit.core.policies import NORDLYS, small
from tests.unit.ledger.making import NOW
from worker.ledger import policies
from worker.ledger.database import Ledger
from worker.policy_file import load
from worker.take_up import VersionTaken, take_up
from worker.versions import policy_of


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


async def test_a_decision_is_told_by_the_policy_it_was_taken_under(ledger: Ledger) -> None:
    """An old version comes from the ledger; one that is lost, or can be read no more, is none."""
    now = load(NORDLYS)
    before = now.content.replace(b"period: 5y", b"period: 7y").replace(
        now.version.encode(), b"before", 1
    )
    for version, content in (("before", before), ("broken", b"stores: 1")):
        old = now.model_copy(update={"version": version}).read_from(content)
        await take_up(ledger, old, NOW)
    async with ledger.begin() as connection:
        found = await policy_of(connection, "before", now)
        assert found is not None
        assert str(found.grounds["bookkeeping"].period) == "7y"
        assert await policy_of(connection, now.version, now) is now
        assert await policy_of(connection, None, now) is now
        assert await policy_of(connection, "lost", now) is None
        assert await policy_of(connection, "broken", now) is None


async def test_a_policy_without_a_file_leaves_no_trace(ledger: Ledger) -> None:
    """A policy made in a program has no text that could be compared."""
    await take_up(ledger, small(), NOW)
    async with ledger.begin() as connection:
        assert await policies.listed(connection) == []
