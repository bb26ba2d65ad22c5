"""Telling upstream how the sweep that its event asked for has ended.

The end stands in the ledger first; it is published, and only then noted as told. Whoever dies in
between is followed by redrive, so it may be told twice, which changes nothing.
"""

from __future__ import annotations

from datetime import datetime

from topics import names, writing
from worker.context import Context, Outgoing
from worker.ledger import sweeps
from worker.ledger.sweeps import Sweep


async def tell_sweep(context: Context, sweep_id: int) -> None:
    """Publish the end of a sweep to the upstream that asked for it, then note that it was.

    Nothing is published while it has not ended, or was told already; whoever else asked (the
    schedule, an operator) is told nothing. Raises LedgerAway and PublishFailed: redrive tells it.
    """
    async with context.ledger.begin() as connection:
        sweep = await sweeps.read(connection, sweep_id)
    if sweep is None or sweep.trigger != "event" or sweep.told_at is not None:
        return
    if sweep.ended_at is None:
        return
    await context.publisher.send(names.COMPLETED, [_completion(sweep, sweep.ended_at)])
    async with context.ledger.begin() as connection:
        await sweeps.told(connection, sweep, context.now())


def _completion(sweep: Sweep, ended_at: datetime) -> Outgoing:
    counted = sweep.proof or sweep.reason or {}
    return writing.sweep_completion(
        source=sweep.source,
        event_id=sweep.event_id,
        sweep_id=sweep.id,
        state=sweep.state.value,
        store=sweep.store,
        table=sweep.table,
        ground=sweep.ground,
        as_of=sweep.as_of,
        policy=sweep.policy,
        ended_at=ended_at,
        counts=sweep.counts,
        receipts=sweep.receipts,
        left_out=counted.get("left_out", {}),
        proof=sweep.proof,
        reason=sweep.reason,
    )
