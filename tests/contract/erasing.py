"""Contract, part two: what goes, what is overwritten, and what stays."""

from __future__ import annotations

from datetime import timedelta

from connectors.base import Connector
from tests.contract.layouts import CUTOFFS, LONG_OVER, NEWS, PROFILE, STILL_RUNS
from tests.contract.suite import Contract, left, plain, work
from tests.contract.world import Deal, World


class Erasing(Contract):
    """What ``erase`` must do to the rows of the keys it is given."""

    async def test_everything_goes(self, world: World, connector: Connector) -> None:
        """Where no ground lives a person's rows go, children at three depths included."""
        await world.add(1, Deal(items=2, marks=3), Deal(items=1))
        effects = await connector.erase(work(world, 1))
        assert plain(effects) == {
            world.key(1): {
                "marks": (6, 0),
                "items": (3, 0),
                "delivery": (2, 0),
                "memos": (2, 0),
                "identity": (1, 0),
                "voluntary": (1, 0),
            }
        }
        rows = await world.everything()
        assert not any(rows.values())

    async def test_a_running_contract_keeps_its_fields(
        self, world: World, connector: Connector
    ) -> None:
        """A null anchor keeps what rests on it; what rests on an ended consent is emptied."""
        await world.add(1, ended=None)
        assert plain(await connector.erase(work(world, 1))) == {world.key(1): {"voluntary": (0, 1)}}
        row = await world.person(1)
        assert row["note"] is None
        assert (row["name"], row["email"]) == ("Name 1", "Person1@example.com")

    async def test_a_living_consent_keeps_its_fields(
        self, world: World, connector: Connector
    ) -> None:
        """Consents in the shape live: their fields stay, the rest is overwritten as declared."""
        await world.add(1)
        effects = await connector.erase(work(world, 1, shape=[NEWS]))
        assert plain(effects) == {world.key(1): {"identity": (0, 1)}}
        row = await world.person(1)
        assert row["note"] == "note 1"
        assert (row["name"], row["email"], row["phone"]) == ("erased", None, None)

    async def test_each_shape_is_a_statement_of_its_own(
        self, world: World, connector: Connector
    ) -> None:
        """What one shape keeps, another ends: the same connector does both in turn."""
        await world.add_many([1, 2], Deal(items=1, marks=1))
        await connector.erase(work(world, 1, shape=[NEWS, PROFILE]))
        await connector.erase(work(world, 2))
        await connector.erase(work(world, 1, shape=[PROFILE]))
        assert set(await world.read("root")) == {world.key(1)}
        assert (await world.person(1))["note"] is None
        assert [row["remark"] for row in (await world.read("mark")).values()] == ["remark 1 0"]

    async def test_an_anchor_of_the_parent_keeps_the_child(
        self, world: World, connector: Connector
    ) -> None:
        """A deal long since over stays while its customer's contract runs."""
        await world.add(1, Deal(items=1), ended=STILL_RUNS)
        effects = await connector.erase(work(world, 1))
        assert plain(effects) == {
            world.key(1): {"items": (1, 0), "memos": (0, 1), "voluntary": (0, 1)}
        }
        (deal,) = (await world.read("deal")).values()
        assert (deal["street"], deal["memo"]) == ("street 1", None)

    async def test_a_kept_child_leaves_a_stub(self, world: World, connector: Connector) -> None:
        """A parent stays for its kept child, but what it says of the person is overwritten."""
        await world.add(1, Deal(issued=STILL_RUNS), Deal(issued=LONG_OVER))
        effects = await connector.erase(work(world, 1))
        assert plain(effects) == {
            world.key(1): {
                "delivery": (1, 0),
                "memos": (1, 1),
                "identity": (0, 1),
                "voluntary": (0, 1),
            }
        }
        row = await world.person(1)
        assert (row["name"], row["email"], row["note"]) == ("erased", None, None)
        assert not left(await connector.verify(work(world, 1)))

    async def test_a_kept_grandchild_leaves_stubs_above(
        self, world: World, connector: Connector
    ) -> None:
        """What hangs below an unknown date stays, and so do the rows above it, overwritten."""
        await world.add(1, Deal(issued=None, items=1, marks=1))
        await connector.erase(work(world, 1))
        (item,) = (await world.read("item")).values()
        (deal,) = (await world.read("deal")).values()
        assert item["wording"] == "wording 1 0"
        assert (deal["street"], deal["memo"]) == ("street 1", None)
        assert (await world.person(1))["name"] == "erased"
        assert not await world.read("mark")

    async def test_a_consent_at_the_bottom_holds_the_rows_above(
        self, world: World, connector: Connector
    ) -> None:
        """A row that must stay at the third depth keeps its ancestors as stubs."""
        await world.add(1, Deal(items=1, marks=1))
        effects = await connector.erase(work(world, 1, shape=[PROFILE]))
        assert plain(effects)[world.key(1)] == {
            "items": (0, 1),
            "delivery": (0, 1),
            "identity": (0, 1),
            "voluntary": (0, 1),
        }
        (item,) = (await world.read("item")).values()
        assert item["wording"] == "-"

    async def test_a_row_that_stays_is_overwritten(
        self, world: World, connector: Connector
    ) -> None:
        """Rows declared to stay are never deleted; their fields are overwritten."""
        await world.add(1, logs=3)
        effects = await connector.erase(work(world, 1))
        assert plain(effects)[world.key(1)]["sendings"] == (0, 3)
        log = await world.read("log")
        assert [row["address"] for row in log.values()] == ["nobody"] * 3
        assert (await world.person(1))["name"] == "erased"

    async def test_the_day_of_the_cut_off(self, world: World, connector: Connector) -> None:
        """An anchor on the cut-off is over, one a day later is not."""
        await world.add(1, ended=CUTOFFS["contract"])
        await world.add(2, ended=CUTOFFS["contract"] + timedelta(days=1))
        await connector.erase(work(world, 1, 2))
        assert set(await world.read("root")) == {world.key(2)}

    async def test_counts_are_exact_for_each_key(self, world: World, connector: Connector) -> None:
        """Each person's rows are counted as that person's, and nobody else's."""
        await world.add(1, Deal(items=1))
        await world.add(2, Deal(items=2), Deal(items=3, marks=1), note=None)
        await world.add(3, Deal(issued=STILL_RUNS), Deal(issued=STILL_RUNS), note=None)
        await world.add(4, ended=None, note=None)
        assert plain(await connector.erase(work(world, 1, 2, 3, 4, 5))) == {
            world.key(1): {
                "items": (1, 0),
                "delivery": (1, 0),
                "memos": (1, 0),
                "identity": (1, 0),
                "voluntary": (1, 0),
            },
            world.key(2): {
                "marks": (3, 0),
                "items": (5, 0),
                "delivery": (2, 0),
                "memos": (2, 0),
                "identity": (1, 0),
                "voluntary": (1, 0),
            },
            world.key(3): {"memos": (0, 2), "identity": (0, 1)},
        }

    async def test_again_changes_nothing(self, world: World, connector: Connector) -> None:
        """A second call finds nothing to do and leaves every row as it was."""
        await world.add(1, Deal(issued=STILL_RUNS, items=1), logs=1)
        await world.add(2, Deal(items=2, marks=1))
        await connector.erase(work(world, 1, 2))
        before = await world.everything()
        assert plain(await connector.erase(work(world, 1, 2))) == {}
        assert await world.everything() == before

    async def test_other_people_are_not_touched(self, world: World, connector: Connector) -> None:
        """Whatever happens to some, every row of everybody else is as before, in every table."""
        deals = (Deal(items=2, marks=1), Deal(issued=STILL_RUNS), Deal(issued=None, items=1))
        await world.add_many(range(10, 15), *deals, logs=2)
        before = await world.everything()
        await world.add_many([1, 2, 3], *deals, logs=2)
        await world.add(4, *deals, ended=None)
        with_ours = await world.everything()
        await connector.erase(work(world, 1, 2, 3, 4))
        await connector.erase(work(world, 1, shape=[NEWS]))
        after = await world.everything()
        theirs = {level: {k: after[level].get(k) for k in rows} for level, rows in before.items()}
        assert theirs == before
        assert after != with_ours

    async def test_five_hundred_keys_in_one_call(self, world: World, connector: Connector) -> None:
        """A full batch is one call, with an outcome for each of its people."""
        people = range(1, 501)
        await world.add_many([n for n in people if n % 2], Deal(items=1))
        await world.add_many([n for n in people if not n % 2], ended=None)
        await world.add(900)
        effects = plain(await connector.erase(work(world, *people)))
        assert set(effects) == {world.key(n) for n in people}
        assert effects[world.key(1)]["items"] == (1, 0)
        assert effects[world.key(500)] == {"voluntary": (0, 1)}
        assert not left(await connector.verify(work(world, *people)))
        assert len(await world.read("root")) == 251

    async def test_strange_keys(self, world: World, connector: Connector) -> None:
        """Keys that nobody has do nothing, a key given twice counts once, no keys are no work."""
        await world.add(1)
        assert plain(await connector.erase(work(world, 77, 78))) == {}
        effects = plain(await connector.erase(work(world, 1, 1, 77)))
        assert effects == {world.key(1): {"identity": (1, 0), "voluntary": (1, 0)}}
        assert not await connector.erase(work(world))
        assert not await connector.verify(work(world))
