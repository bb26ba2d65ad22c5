"""Sweeping a drawn case's store part by part, and what the model says is then left."""

from __future__ import annotations

from connectors.base import Work
from connectors.mapping import Key
from connectors.sql import SqlConnector
from connectors.sweeping import Walk
from tests.contract.generated.cases import Case
from tests.contract.generated.layout import Rows
from tests.contract.generated.model import Model
from tests.contract.generated.policies import STORE
from worker.core.legs import Aim, Leg, again
from worker.core.policy import Policy

PASSES = 4
"""In which whatever hangs on a row of another leg has gone before it."""


async def sweep(case: Case, policy: Policy, connector: SqlConnector, *, pages: bool) -> None:
    """Walk every table in the smallest parts there are, as often as a sweep would."""
    for _ in range(PASSES):
        for leg in again(connector.mapping, None, None):
            by = await connector.sweeping.walk(leg.table) if pages else Walk.KEYS
            await _walk(case, policy, connector, leg, by)


async def _walk(case: Case, policy: Policy, connector: SqlConnector, leg: Leg, by: Walk) -> None:
    cutoffs, whole = policy.cutoffs(STORE, case.day), policy.revocable(STORE)
    after: Key | None = None
    while True:
        span = await connector.sweeping.span(leg.table, by, after, 1)
        keys = await connector.sweeping.due(span, cutoffs)
        if leg.aim is Aim.ROWS:
            effects = await connector.sweeping.sweep(span, cutoffs, ())
            assert effects.keys() <= set(keys)
            assert await connector.sweeping.left(span, cutoffs, ()) == 0
        elif keys:
            await connector.erase(Work(whole, cutoffs, keys))
        after = span.upto
        if after is None:
            return


def expected(case: Case) -> Rows:
    """What the model leaves when everybody is erased of whom nothing is said, again and again."""
    model = Model(case)
    rows = [row for name in ("a", "b", "c", "history") for row in model.rows[name]]
    people = {row["id"] for row in model.rows["person"]} | {row["parent_id"] for row in rows}
    for _ in range(PASSES):
        model.erase(sorted(people - {None}), frozenset())
    return model.rows
