"""A chunk that was begun and never settled: a receipt for whoever may have lost data in it.

Who stood in it is in its intent. Whoever still has what was to go has lost nothing; of all others
nobody knows whether the runner that was cut short took it, so their receipt says ``interrupted``.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from connectors.mapping import Key, StoreMapping
from worker.context import Context
from worker.core.legs import Aim
from worker.ledger import sweep_steps
from worker.ledger.sweep_steps import Step, SweepReceipt
from worker.ledger.sweeps import Sweep
from worker.sealing import Sealer
from worker.sweeping import marks
from worker.sweeping.marks import Begun
from worker.sweeping.people import pseudonyms, shapes
from worker.sweeping.work import Chunk


def interrupted(
    sealer: Sealer, mapping: StoreMapping, begun: Begun, here: Collection[Key]
) -> list[SweepReceipt]:
    """The receipt of those in a chunk who are not ``here`` any more; none where all are."""
    gone = begun.people - set(here)
    # People are erased by their keys in the whole store, rows in their own table.
    outcomes = [
        {"group": group.name, "result": "erased", "rows": None, "interrupted": True}
        for table in mapping.tables
        for group in table.groups
        if begun.aim is not Aim.ROWS or table.name in begun.span.tables
    ]
    return [SweepReceipt(pseudonyms(sealer, mapping.store, gone), outcomes)] if gone else []


async def still_there(
    context: Context, work: Chunk, store: str, aim: Aim, keys: Sequence[Key]
) -> set[Key]:
    """Those of the people found in a chunk who still have what was to go.

    Whoever is found because something of theirs is due has; a consent alone decides whether those
    have of whom it does, so they are looked at by their keys. Raises what a connector may.
    """
    if aim is not Aim.CONSENTS:
        return set(keys)
    by_shape, _ = await shapes(context, store, keys)
    return await work.unfinished(by_shape)


async def settle(context: Context, sweep: Sweep) -> None:
    """Settle the chunk that a sweep's last runner left, and erase nothing.

    For a sweep that is cancelled, or goes on under another policy: it looks by the cut-offs under
    which the chunk was begun. Raises what a connector may.
    """
    begun = marks.open_span(context.sealer, sweep)
    if begun is None:
        return
    connector = context.connectors[sweep.store]
    cutoffs = {**context.policy.cutoffs(sweep.store, sweep.as_of), **sweep.cutoffs}
    keys: Sequence[Key] = ()
    if {table.name for table in connector.mapping.tables}.issuperset(begun.span.tables):
        sweeping = connector.sweeping
        look = sweeping.doubtful if begun.aim is Aim.CONSENTS else sweeping.due
        keys = await look(begun.span, cutoffs)
    work = Chunk(context, sweep.store, cutoffs)
    here = await still_there(context, work, sweep.store, begun.aim, keys)
    step = Step(
        leg=sweep.leg,
        cursor=sweep.cursor,
        left_out=sweep.left_out,
        key_id=sweep.key_id,
        counts={},
        seconds=0.0,
        receipts=interrupted(context.sealer, connector.mapping, begun, here),
    )
    async with context.ledger.begin() as connection:
        now = context.now()
        await sweep_steps.step(connection, sweep.id, sweep.epoch, step, now, due_at=now)
