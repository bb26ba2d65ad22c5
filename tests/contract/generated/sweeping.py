"""Sweeping a drawn case's store part by part, and what the model says is then left."""

from __future__ import annotations

from dataclasses import replace

from connectors.base import Work
from connectors.mapping import Key
from connectors.sql import SqlConnector
from connectors.sweeping import Walk
from tests.contract.generated.cases import Case
from tests.contract.generated.grounds import ended
from tests.contract.generated.layout import FIELDS, Row, Rows
from tests.contract.generated.model import Model
from tests.contract.generated.policies import STORE
from tests.contract.generated.whole import Whole
from worker.core.legs import Aim, Leg, again
from worker.core.policy import Policy

PASSES = 4
"""In which whatever hangs on a row of another leg has gone before it."""


async def sweep(case: Case, policy: Policy, connector: SqlConnector, *, pages: bool) -> None:
    """Walk every table in the smallest parts there are, as often as a sweep would.

    Where a whole pass has found nothing the store is as it was: another would be the same.
    """
    for _ in range(PASSES):
        found = False
        for leg in again(connector.mapping, None, None):
            by = await connector.sweeping.walk(leg.table) if pages else Walk.KEYS
            found |= await _walk(case, policy, connector, leg, by)
        if not found:
            return


async def _walk(case: Case, policy: Policy, connector: SqlConnector, leg: Leg, by: Walk) -> bool:
    """Walk a table once; tell whether anything was due."""
    found = False
    cutoffs, whole = policy.cutoffs(STORE, case.day), policy.revocable(STORE)
    after: Key | None = None
    while True:
        span = await connector.sweeping.span(leg.table, by, after, 1, cutoffs)
        keys = await connector.sweeping.due(span, cutoffs)
        found |= bool(keys)
        if leg.aim is Aim.ROWS:
            effects = await connector.sweeping.sweep(span, cutoffs, ())
            assert effects.keys() <= set(keys)
            assert await connector.sweeping.left(span, cutoffs, ()) == 0
        elif keys:
            await connector.erase(Work(whole, cutoffs, keys))
        after = span.upto
        if after is None:
            return found


def expected(case: Case) -> Rows:
    """What the model leaves when everybody is erased of whom nothing is said, again and again."""
    model = Model(case)
    rows = [row for name in ("a", "b", "c", "history") for row in model.rows[name]]
    people = {row["id"] for row in model.rows["person"]} | {row["parent_id"] for row in rows}
    for _ in range(PASSES):
        model.erase(sorted(people - {None}), frozenset())
    return model.rows


def expected_whole(whole: Whole) -> Model:
    """What the model leaves after a whole sweep, of whose people more is known than the rows say.

    Whoever is held or restricted keeps all. Who has ended grounds is erased by those that still
    live, once; all others by what the rows say, again and again.
    """
    model = Model(whole.case)
    rows = [row for name in ("a", "b", "c", "history") for row in model.rows[name]]
    people = {row["id"] for row in model.rows["person"]} | {row["parent_id"] for row in rows}
    known = {row["id"] for row in model.rows["person"]}
    kept = known & (whole.held | whole.restricted)
    going = sorted(people - kept - {None})
    together: dict[frozenset[str], list[int]] = {}
    for person in going:
        if person in known and (over := ended(whole.case, whole.case.events.get(person, ()))):
            together.setdefault(over, []).append(person)
    for over, some in together.items():
        model.erase(some, over)
    for _ in range(PASSES):
        model.erase(going, frozenset())
    return model


def losers(case: Case, before: Rows, after: Rows) -> set[int]:
    """The people of whom a row went or a field was changed."""
    model, found = Model(replace(case, rows=before)), set()
    for name, table in case.tables.items():
        if "shared_by" in table:
            continue  # goes with the last link to it, which is somebody's
        relation = table.get("relation", name)
        left = [_content(relation, row) for row in after[relation]]
        for row in before[relation]:
            person = model.person(name, row)
            if person is not None and row in model.meant(name, before):
                content = _content(relation, row)
                if content in left:
                    left.remove(content)
                else:
                    found.add(person)
    return found


def _content(relation: str, row: Row) -> tuple[object, ...]:
    """What a row holds of its person; a pointer may be loosened for somebody else."""
    own = () if relation == "history" else (row["id"],)
    return (*own, row["parent_id"], *(row.get(field) for field in FIELDS))
