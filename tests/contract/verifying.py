"""Contract, part three: the re-read, and stores that do not do what they are told."""

from __future__ import annotations

from datetime import date

from connectors.base import Connector, Kept, Remainder
from tests.contract import misbehaviour
from tests.contract.layouts import NEWS, STILL_RUNS
from tests.contract.suite import Contract, left, work
from tests.contract.world import Deal, World


class Verifying(Contract):
    """What ``verify`` must report."""

    async def test_nothing_is_left(self, world: World, connector: Connector) -> None:
        """Who has no row in the store any more is not mentioned."""
        await world.add_many([1, 2], Deal(items=1, marks=1))
        await connector.erase(work(world, 1))
        assert await connector.verify(work(world, 1)) == {}

    async def test_what_has_not_been_erased_is_left(
        self, world: World, connector: Connector
    ) -> None:
        """Before an erasure, the re-read counts each group's rows that should be gone."""
        await world.add(1, Deal(items=2), Deal(issued=STILL_RUNS, items=1))
        await world.add(2, ended=None)
        assert left(await connector.verify(work(world, 1, 2))) == {
            world.key(1): {
                "items": 2,
                "delivery": 1,
                "memos": 2,
                "identity": 1,
                "voluntary": 1,
            },
            world.key(2): {"voluntary": 1},
        }

    async def test_what_is_kept_says_why(self, world: World, connector: Connector) -> None:
        """Kept rows are counted by ground, with their newest and oldest anchors."""
        await world.add(
            1,
            Deal(issued=date(2022, 5, 1)),
            Deal(issued=date(2023, 2, 28)),
            Deal(issued=None),
            ended=STILL_RUNS,
        )
        await connector.erase(work(world, 1, shape=[NEWS]))
        found = (await connector.verify(work(world, 1, shape=[NEWS])))[world.key(1)]
        assert found["delivery"] == Remainder(
            0,
            (
                Kept("book", 3, date(2023, 2, 28), 1, date(2022, 5, 1)),
                Kept("contract", 3, STILL_RUNS, 0, STILL_RUNS),
            ),
        )
        assert found["identity"] == Remainder(0, (Kept("contract", 1, STILL_RUNS, 0, STILL_RUNS),))
        assert found["voluntary"] == Remainder(0, (Kept(NEWS, 1, None, 0),))
        assert found["memos"] == Remainder(0, ())

    async def test_a_running_contract_has_no_date(self, world: World, connector: Connector) -> None:
        """A null anchor keeps its row and is counted as such."""
        await world.add(1, ended=None)
        await connector.erase(work(world, 1))
        found = (await connector.verify(work(world, 1)))[world.key(1)]
        assert found["identity"] == Remainder(0, (Kept("contract", 1, None, 1),))

    async def test_reading_changes_nothing(self, world: World, connector: Connector) -> None:
        """The re-read and the look-up leave every row as it was."""
        await world.add(1, Deal(items=1), logs=1)
        before = await world.everything()
        await connector.verify(work(world, 1))
        await connector.check()
        assert await world.everything() == before

    async def test_a_swallowed_update_is_seen(self, world: World, connector: Connector) -> None:
        """A trigger that keeps the old value makes the task fail: the group is still left."""
        await world.add(1, ended=None)
        await misbehaviour.swallow_update(world, "root", "note")
        await connector.erase(work(world, 1))
        found = await connector.verify(work(world, 1))
        assert left(found) == {world.key(1): {"voluntary": 1}}

    async def test_a_copy_made_by_a_trigger_is_seen(
        self, world: World, connector: Connector
    ) -> None:
        """What a trigger writes into another declared table while we erase is found there."""
        await world.add(1, Deal())
        await misbehaviour.copy_into_log(world, "deal")
        await connector.erase(work(world, 1))
        assert left(await connector.verify(work(world, 1))) == {world.key(1): {"sendings": 1}}
