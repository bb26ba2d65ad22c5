"""A hold that is placed while a sweep is at work: what is not committed yet comes back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from unittest.mock import patch

from connectors.base import Effects
from connectors.mapping import Cutoffs, Key
from connectors.sql.sweeper import Sweeper
from connectors.sweeping import May, Span
from tests.support.databases import BEYOND_SQLITE
from tests.support.nordlys import Person, about, today, traces
from tests.support.sweeping import receipts, sweep
from tests.support.world import World
from worker import hold

TOMORROW = today() + timedelta(days=1)


@BEYOND_SQLITE
async def test_a_hold_that_comes_before_the_commit_is_minded(world: World) -> None:
    """What the statement has taken already comes back, and the others go all the same."""
    async with world.context() as context:
        held, other = Person(), Person()
        await world.stores.add(held, other)
        before = await world.stores.dump()
        original = Sweeper.sweep
        placed: list[object] = []

        async def sweeping(
            self: Sweeper,
            span: Span,
            cutoffs: Cutoffs,
            without: Sequence[Key],
            may: May | None = None,
        ) -> Effects:
            async def after_a_hold(effects: Effects, slowest: float) -> bool:
                if effects and not placed:
                    placed.append(
                        await hold.place_on_subject(
                            context,
                            {"customer_id": held.customer_no},
                            by="Kari",
                            reason="a claim",
                            review_on=TOMORROW,
                        )
                    )
                assert may is not None
                return await may(effects, slowest)

            asking = None if may is None else after_a_hold
            return await original(self, span, cutoffs, without, asking)

        with patch.object(Sweeper, "sweep", sweeping):
            done = await sweep(context, "billing")
        assert placed
        assert done.state == "done"
        assert done.proof is not None
        assert done.proof["left_out"] == {"held": 1}
        after = await world.stores.dump()
        assert about(after, [held]) == about(before, [held])
        assert "billing.invoice" not in traces(after, other)
        assert await receipts(context, "billing", (held.number,)) == []
