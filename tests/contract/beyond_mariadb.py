"""What PostgreSQL and SQLite can do to us and MariaDB cannot, so that it is shown on these two."""

from __future__ import annotations

import pytest

from connectors.base import Connector
from connectors.faults import Refused
from tests.contract import misbehaviour
from tests.contract.failing import SECRET, tells_nothing
from tests.contract.suite import Contract, left, work
from tests.contract.world import Deal, World


class BeyondMariaDB(Contract):
    """MariaDB has no deferred constraints, and no trigger of it keeps a row from being deleted."""

    async def test_a_stranger_who_speaks_up_late(self, world: World, connector: Connector) -> None:
        """A constraint that is checked at the commit refuses the work there, beyond doubt."""
        await world.add(1, Deal(items=1), name=SECRET)
        await misbehaviour.point_at(world, "root", world.key(1), late=True)
        before = await world.everything()
        with pytest.raises(Refused) as caught:
            await connector.erase(work(world, 1))
        tells_nothing(caught.value)
        assert await world.everything() == before

    async def test_a_swallowed_delete_is_seen(self, world: World, connector: Connector) -> None:
        """A trigger that keeps the row back makes the task fail for each group of the row."""
        await world.add(1, Deal(items=1))
        await misbehaviour.swallow_delete(world, "deal")
        await connector.erase(work(world, 1))
        found = left(await connector.verify(work(world, 1)))
        assert found == {world.key(1): {"delivery": 1, "memos": 1}}
