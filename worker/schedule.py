"""The built-in schedule: one leased worker of several begins what the policy plans.

A run is a sweep of each of its stores, one after the other. The run and the planned moment that it
belongs to are written in one transaction, so a run is begun once, whoever dies meanwhile.
"""

from __future__ import annotations

from datetime import timedelta

from worker.context import Context
from worker.core.retention import ScheduleRule
from worker.core.schedule import due
from worker.ledger import leases, schedules
from worker.sweeps import Wanted, ask, publish

LEASE = "schedule"
LEASE_TTL = timedelta(seconds=60)
SOURCE = "erasure-worker/schedule"
"""Under which the sweeps of a schedule are numbered; no event of upstream has it."""


async def begin_due(context: Context, holder: str) -> int:
    """Begin the runs that are due, if this worker holds the lease; return how many sweeps.

    A schedule that is seen for the first time begins from now on. Raises LedgerAway or
    PublishFailed: what was written is published by redrive.
    """
    rules = context.policy.retention.schedules
    if not rules:
        return 0
    async with context.ledger.begin() as connection:
        epoch = await leases.take(connection, LEASE, holder, now=context.now(), ttl=LEASE_TTL)
    if epoch is None:
        return 0
    return sum([await _begin(context, name, rule) for name, rule in rules.items()])


async def _begin(context: Context, name: str, rule: ScheduleRule) -> int:
    now = context.now()
    asked: list[tuple[str, int]] = []
    async with context.ledger.begin() as connection:
        # Held until the end: another leader waits here, and then finds the moment begun.
        last = await schedules.hold(connection, name, now)
        moment = due(rule.cron, rule.time_zone or context.policy.time_zone, last, now)
        if moment is None:
            return 0
        await schedules.begun(connection, name, moment)
        before: int | None = None
        for store in rule.stores or tuple(context.policy.stores):
            wanted = Wanted(
                store, "schedule", SOURCE, f"{name}/{moment.isoformat()}/{store}", after=before
            )
            sweep_id = await ask(context, connection, wanted)
            if sweep_id is not None:
                before = sweep_id
                asked.append((store, sweep_id))
    await publish(context, asked)
    return len(asked)
