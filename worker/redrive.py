"""Redrive: what is due in the ledger and does not move is driven again, by one leased worker.

The ledger is the truth and Kafka the transport: whatever a crash, a lost message or a dead store
left behind is found here by its due time. Doing it once too often changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from worker.context import Context
from worker.core.retry import Backoff
from worker.ledger import answers, batches, commands, leases, obligations, sweeps
from worker.look_again import look_again
from worker.plan import plan_batch, publish_commands
from worker.sealing import CannotOpen
from worker.sweeping.telling import tell_sweep
from worker.sweeps import publish
from worker.telling import tell_answer_again, tell_stop_again
from worker.waiting import pause

LEASE = "redrive"
LEASE_TTL = timedelta(seconds=30)
AT_ONCE = 200
"""Items of one kind in one round: a long backlog is driven in many small rounds."""
LOOKS_AT_ONCE = 10
"""Obligations in one round: each is a batch of up to 500 people to plan."""


@dataclass(frozen=True, slots=True)
class Driven:
    """What one round drove again."""

    stops: int = 0
    plans: int = 0
    commands: int = 0
    answers: int = 0
    obligations: int = 0
    sweeps: int = 0
    sweeps_told: int = 0


async def redrive(context: Context, holder: str) -> Driven | None:
    """Do one round if this worker holds, or gets, the lease; None: another one does it.

    Raises LedgerAway, PublishFailed or CannotOpen: the next round goes on where this one ended.
    """
    async with context.ledger.begin() as connection:
        epoch = await leases.take(connection, LEASE, holder, now=context.now(), ttl=LEASE_TTL)
    if epoch is None:
        return None
    stops, plans = await _batches(context)
    return Driven(
        stops,
        plans,
        await _commands(context),
        await _answers(context),
        await _obligations(context),
        await _sweeps(context),
        await _ends(context),
    )


async def give_back(context: Context, holder: str) -> None:
    """End the lease of a worker that stops."""
    async with context.ledger.begin() as connection:
        await leases.give_back(connection, LEASE, holder, context.now())


async def _batches(context: Context) -> tuple[int, int]:
    stops = plans = 0
    async with context.ledger.begin() as connection:
        waiting = await batches.waiting(connection, context.now(), AT_ONCE)
    for batch_id, unstopped in waiting:
        async with context.ledger.begin() as connection:
            # Whatever becomes of this look, the next one is not before its time.
            await batches.postpone(connection, batch_id, context.now() + context.timing.plan_grace)
        if unstopped:
            await tell_stop_again(context, batch_id)
            stops += 1
        if await plan_batch(context, batch_id) is not None:
            plans += 1
    return stops, plans


async def _commands(context: Context) -> int:
    async with context.ledger.begin() as connection:
        due = await commands.due(connection, context.now(), AT_ONCE)
    for issued, drives in due:
        # Told with a trace of its own: the ledger keeps none that it could go on with.
        await publish_commands(context, [issued])
        # A command behind a store that is down lies in Kafka all the while: ever more rarely.
        rarely = Backoff(base=2 * context.timing.command_grace.total_seconds(), cap=3600.0)
        wait = pause(rarely, drives + 1)
        async with context.ledger.begin() as connection:
            await commands.driven(connection, issued.id, context.now() + timedelta(seconds=wait))
    return len(due)


async def _obligations(context: Context) -> int:
    """Look again at what was retained until now; nobody has to ask for it."""
    async with context.ledger.begin() as connection:
        due = await obligations.due(
            connection,
            context.day(),
            LOOKS_AT_ONCE,
            stores=context.connectors,
            keys=context.sealer.key_ids,
        )
    locked: CannotOpen | None = None
    for obligation_id in due:
        try:
            batch_id = await look_again(context, obligation_id)
        except CannotOpen as fault:
            locked = fault  # It was altered: that must not keep the others from their day.
            continue
        if batch_id is not None:
            await plan_batch(context, batch_id)
    if locked is not None:
        raise locked
    return len(due)


async def _sweeps(context: Context) -> int:
    """Publish sweeps again that could go on and that nobody runs."""
    async with context.ledger.begin() as connection:
        due = await sweeps.due(connection, context.now(), AT_ONCE)
        for _, sweep_id in due:
            await sweeps.put_off(connection, sweep_id, context.now() + context.timing.command_grace)
    await publish(context, due)
    return len(due)


async def _ends(context: Context) -> int:
    """Tell upstream of sweeps that ended, and whoever should have told it died."""
    async with context.ledger.begin() as connection:
        untold = await sweeps.untold(
            connection, context.now() - context.timing.answer_grace, AT_ONCE
        )
    for sweep_id in untold:
        await tell_sweep(context, sweep_id)
    return len(untold)


async def _answers(context: Context) -> int:
    async with context.ledger.begin() as connection:
        unpublished = await answers.unpublished(
            connection, context.now() - context.timing.answer_grace, AT_ONCE
        )
    for answer_id in unpublished:
        await tell_answer_again(context, answer_id)
    return len(unpublished)
