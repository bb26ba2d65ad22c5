"""Running one sweep: under its store's lease, chunk by chunk, to an independent count of nothing.

Each chunk is noted in the ledger before its effect (who may lose data in it) and settled after it
(receipts, counts, how far it is). Killed anywhere, the next runner begins with the chunk that was
under way: whoever stood in it and is not found any more gets a receipt that says so.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta
from time import monotonic

import structlog

from connectors.falling_due import Whose
from connectors.faults import Misfit, RetryLater
from worker.context import Context
from worker.core.brake import asks
from worker.core.hours import opens
from worker.core.legs import visited
from worker.core.lifecycle import SweepState
from worker.ledger import leases, pauses, sweep_history, sweep_steps, sweeps
from worker.ledger.database import LedgerAway
from worker.ledger.sweeps import Sweep
from worker.sweeping.record import GRACE, LEASE_TTL, lease_of
from worker.sweeping.runner import Runner
from worker.sweeping.settling import settle
from worker.sweeping.telling import tell_sweep
from worker.waiting import stopped_within

OTHER_RUNS = timedelta(seconds=30)
PAUSE_SECONDS = 1.0
"""How often a sweep looks whether an operator has paused its store."""
MOVING = frozenset({SweepState.WAITING, SweepState.RUNNING, SweepState.CANCELLING})
"""States in which a sweep can be carried on."""

RESTS = {"why": "store-paused"}

log = structlog.get_logger(__name__)


async def run_sweep(context: Context, sweep_id: int, holder: str, stop: asyncio.Event) -> None:
    """Carry a sweep on until it is done, asks, or an operator, the hours or ``stop`` end its work.

    If it has ended then, the upstream that asked for it is told. Raises what a connector may,
    LedgerAway, CannotOpen and PublishFailed: carry it on later, from where it is.
    """
    await _run(context, sweep_id, holder, stop)
    await tell_sweep(context, sweep_id)


async def _run(context: Context, sweep_id: int, holder: str, stop: asyncio.Event) -> None:
    sweep = await _begin(context, sweep_id, holder)
    if sweep is not None and _left_behind(context, sweep):
        await settle(context, sweep)
        await _give_back(context, sweep, holder)
        sweep = await _begin(context, sweep_id, holder)
    if sweep is None:
        return
    if sweep.estimate is None and not await _estimate(context, sweep):
        await _give_back(context, sweep, holder)
        return
    log.info("sweep-runs", sweep=sweep.id, store=sweep.store, as_of=str(sweep.as_of))
    runner = Runner(context, sweep, holder)
    try:
        await _carry_on(context, runner, stop)
    except (RetryLater, Misfit):
        # What was erased before the store stopped answering is written down, if that can be.
        with suppress(RetryLater, Misfit, LedgerAway):
            await runner.settled()
        raise
    finally:
        await runner.leave()
    await _give_back(context, sweep, holder)


async def _begin(context: Context, sweep_id: int, holder: str) -> Sweep | None:
    """Take the lease of the sweep's store and run the sweep under it; None: not now."""
    async with context.ledger.begin() as connection:
        now = context.now()
        asked = await sweeps.read(connection, sweep_id)
        if asked is None or asked.state not in MOVING or asked.store not in context.connectors:
            return None  # It has ended, or waits for somebody's word: why stands in its row.
        if await pauses.of_store(connection, asked.store) is not None:
            # Due at once: redrive leaves it alone until its store goes on.
            await sweeps.postpone(connection, sweep_id, now, RESTS)
            return None
        cancelling = asked.state is SweepState.CANCELLING
        if not cancelling and (at := opens(context.policy, asked.store, now)) is not None:
            await sweeps.postpone(connection, sweep_id, at, {"why": "hours", "until": at})
            return None
        epoch = await leases.take(connection, lease_of(asked.store), holder, now=now, ttl=LEASE_TTL)
        if epoch is None:
            await sweeps.postpone(connection, sweep_id, now + OTHER_RUNS, asked.reason)
            return None
        if asked.policy != context.policy.version and asked.span is None:
            cutoffs = context.policy.cutoffs(asked.store, asked.as_of)
            await sweep_steps.begin_again(connection, sweep_id, context.policy.version, cutoffs)
        due_at = now + GRACE
        begun = (
            await sweep_steps.take_to_settle(connection, sweep_id, epoch=epoch, due_at=due_at)
            if cancelling
            else await sweep_steps.begin(connection, sweep_id, epoch=epoch, now=now, due_at=due_at)
        )
        if begun is None:
            await leases.give_back(connection, lease_of(asked.store), holder, now)
        return begun


def _left_behind(context: Context, sweep: Sweep) -> bool:
    """Whether a chunk was begun that nobody is to do again: it is settled as it is."""
    return sweep.state is SweepState.CANCELLING or sweep.policy != context.policy.version


async def _give_back(context: Context, sweep: Sweep, holder: str) -> None:
    async with context.ledger.begin() as connection:
        await leases.give_back(connection, lease_of(sweep.store), holder, context.now())


async def _estimate(context: Context, sweep: Sweep) -> bool:
    """Count what the sweep would erase, before it begins; False: that is so much that it asks."""
    connector = context.connectors[sweep.store]
    try:
        tables = visited(connector.mapping, sweep.table, sweep.ground)
    except LookupError:
        async with context.ledger.begin() as connection:
            await sweep_steps.end(
                connection,
                sweep.id,
                sweep.epoch,
                SweepState.FAILED,
                context.now(),
                reason={"why": "rule-not-in-policy"},
            )
        return False
    past = await connector.past(tables, sweep.cutoffs, whose=Whose.TOGETHER)
    estimate = {
        "rows": {one.group: one.rows for one in past.groups if one.rows},
        "people": past.people,
        "of": past.of,
    }
    async with context.ledger.begin() as connection:
        usual = await sweep_history.usual_people(connection, sweep)
        brake = context.policy.retention.brake
        why = None
        if sweep.approved_at is None:
            why = asks(past.people, past.of, usual, brake)
        reason = None if why is None else {"why": "brake", "usual": usual, **why}
        await sweep_steps.estimated(connection, sweep.id, estimate, reason)
    if reason is not None:
        log.warning("sweep-asks", sweep=sweep.id, store=sweep.store, people=past.people)
    return reason is None


async def _carry_on(context: Context, runner: Runner, stop: asyncio.Event) -> None:
    """Do one chunk after the other, until the sweep is over or is not this runner's any more."""
    looked = monotonic()
    while not stop.is_set():
        if (at := opens(context.policy, runner.store, context.now())) is not None:
            await runner.wait_until(at, {"why": "hours", "until": at})
            return
        if monotonic() - looked >= PAUSE_SECONDS:
            looked = monotonic()
            async with context.ledger.begin() as connection:
                resting = await pauses.of_store(connection, runner.store) is not None
            if resting:
                await runner.wait_until(context.now(), RESTS)
                return
        if not await runner.chunk():
            return
        if seconds := await runner.rest():
            if not await runner.settled():
                return
            await stopped_within(stop, seconds)
    await runner.wait_until(context.now(), {"why": "worker-stopped"})
