"""The dry run of retention: what sweeps would erase as of a day. Nothing is changed.

Every store is asked at the same time, and one that is away delays and hides no other.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial

from connectors.base import Connector
from connectors.falling_due import PastGroup
from connectors.faults import Fault
from worker.core.brake import Asks, asks
from worker.core.legs import visited
from worker.core.policy import Policy
from worker.ledger import sweep_history
from worker.ledger.database import Ledger

Told = Callable[[str, str], None]
"""Told of each store and table that has been counted."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What is planned for: a store, and a table or a ground of it alone."""

    store: str
    table: str | None = None
    ground: str | None = None


@dataclass(frozen=True, slots=True)
class GroupPlan:
    """What a field group would lose. ``grounds`` are those that are over, the last one too."""

    table: str
    group: str
    grounds: tuple[str, ...]
    rows: int
    people: int | None
    oldest: date | None


@dataclass(frozen=True, slots=True)
class StorePlan:
    """What a sweep of a store would do.

    ``seconds`` is how long it takes at the rate that the last sweeps of the store had, None when
    nothing was measured yet; ``brake`` says why it would ask before it begins.
    """

    store: str
    groups: tuple[GroupPlan, ...]
    people: int
    of: int
    seconds: float | None
    brake: Asks | None

    @property
    def rows(self) -> int:
        """Rows in all; one counts for each of its field groups."""
        return sum(group.rows for group in self.groups)


async def plan_sweeps(
    policy: Policy,
    connectors: Mapping[str, Connector],
    ledger: Ledger,
    rules: Sequence[Rule],
    as_of: date,
    told: Told = lambda _store, _table: None,
) -> tuple[list[StorePlan], dict[str, Fault]]:
    """Plan a sweep for each rule; and why each store that is not in the plan is not.

    Raises LedgerAway: what is usual and how fast it goes stands in the ledger.
    """

    async def ask(rule: Rule) -> StorePlan | Fault:
        try:
            return await _plan(policy, connectors[rule.store], ledger, rule, as_of, told)
        except Fault as fault:
            return fault

    answers = await asyncio.gather(*(ask(rule) for rule in rules))
    found = [answer for answer in answers if isinstance(answer, StorePlan)]
    pairs = zip(rules, answers, strict=True)
    return found, {rule.store: answer for rule, answer in pairs if isinstance(answer, Fault)}


def meant(
    policy: Policy, stores: Sequence[str], table: str | None, ground: str | None
) -> list[Rule]:
    """Return a rule for each of these stores that has such a table and ground."""
    found = []
    for store in stores:
        try:
            visited(policy.mapping(store), table, ground)
        except LookupError:
            continue
        found.append(Rule(store, table, ground))
    return found


def tables_of(policy: Policy, rule: Rule) -> tuple[str, ...]:
    """Return the tables that are counted for a rule, those that hang on its own included."""
    return visited(policy.mapping(rule.store), rule.table, rule.ground)


async def _plan(
    policy: Policy, connector: Connector, ledger: Ledger, rule: Rule, as_of: date, told: Told
) -> StorePlan:
    mapping = connector.mapping
    tables = tables_of(policy, rule)
    cutoffs = policy.cutoffs(rule.store, as_of)
    past = await connector.past(tables, cutoffs, counted=partial(told, rule.store))
    async with ledger.begin() as connection:
        usual = await sweep_history.usual_people(connection, rule)
        pace = await sweep_history.pace(connection, rule.store)
    counted = {one.group: one for one in past.groups}
    groups = tuple(
        _group(table.name, [use.ground for use in group.grounds], counted[group.name])
        for table in mapping.tables
        for group in table.groups
        if group.name in counted
    )
    return StorePlan(
        rule.store,
        groups,
        past.people,
        past.of,
        past.rows / pace if pace else None,
        asks(past.people, past.of, usual, policy.retention.brake),
    )


def _group(table: str, grounds: Sequence[str], past: PastGroup) -> GroupPlan:
    return GroupPlan(table, past.group, tuple(grounds), past.rows, past.people, past.oldest)
