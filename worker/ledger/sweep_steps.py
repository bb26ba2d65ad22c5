"""Questions of whoever runs a sweep: begin it, note a chunk before and after it, end it.

Every step is fenced by the epoch of the store's lease. One who slept through the end of his lease
can still write down what he did, which is true, and can move nothing on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import bindparam, func, insert, update

from worker.core.lifecycle import SWEEP_ENDED, SweepState
from worker.ledger.database import Connection
from worker.ledger.statements import Hot
from worker.ledger.sweep_tables import sweep_receipts, sweeps
from worker.ledger.sweeps import COLUMNS, Counts, Sweep, first_ended, read, sweep_of


@dataclass(frozen=True, slots=True)
class SweepReceipt:
    """What was done to all of these people alike; ``people`` are pseudonyms, 32 bytes each."""

    people: bytes
    outcomes: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Step:
    """What one chunk changes: how far the sweep is, and what was done in it."""

    leg: int
    cursor: bytes | None
    left_out: bytes | None
    key_id: str
    counts: Counts
    seconds: float
    receipts: Sequence[SweepReceipt] = ()


async def begin(
    connection: Connection, sweep_id: int, *, epoch: int, now: datetime, due_at: datetime
) -> Sweep | None:
    """Run a sweep under an epoch of its store's lease; None when it cannot run now.

    Whoever ran it under an older epoch moves it no more.
    """
    begun = await connection.execute(
        update(sweeps)
        .where(
            sweeps.c.id == sweep_id,
            sweeps.c.epoch <= epoch,
            sweeps.c.state.in_([SweepState.WAITING.value, SweepState.RUNNING.value]),
            first_ended(),
        )
        .values(
            state=SweepState.RUNNING.value,
            epoch=epoch,
            reason=None,
            started_at=func.coalesce(sweeps.c.started_at, now),
            due_at=due_at,
        )
        .returning(*COLUMNS)
    )
    row = begun.one_or_none()
    return None if row is None else sweep_of(row)


async def take_to_settle(
    connection: Connection, sweep_id: int, *, epoch: int, due_at: datetime
) -> Sweep | None:
    """Take a sweep that is being cancelled, to settle its last chunk; None when it is not ours."""
    taken = await connection.execute(
        update(sweeps)
        .where(
            sweeps.c.id == sweep_id,
            sweeps.c.epoch <= epoch,
            sweeps.c.state == SweepState.CANCELLING.value,
        )
        .values(epoch=epoch, due_at=due_at)
        .returning(*COLUMNS)
    )
    row = taken.one_or_none()
    return None if row is None else sweep_of(row)


async def begin_again(
    connection: Connection, sweep_id: int, policy: str, cutoffs: Mapping[str, date]
) -> None:
    """Start a sweep from its first leg under another policy; what it did stays counted.

    What somebody approved was approved under the policy of before: it may ask anew.
    """
    await connection.execute(
        update(sweeps)
        .where(sweeps.c.id == sweep_id)
        .values(
            policy=policy,
            cutoffs={g: day.isoformat() for g, day in cutoffs.items()},
            leg=0,
            cursor=None,
            estimate=None,
            approved_by=None,
            approved_because=None,
            approved_at=None,
        )
    )


async def estimated(
    connection: Connection,
    sweep_id: int,
    estimate: Mapping[str, Any],
    brake: Mapping[str, Any] | None,
) -> None:
    """Note what a sweep would erase; with ``brake`` it waits until somebody approves."""
    values: dict[str, Any] = {"estimate": estimate}
    if brake is not None:
        values |= {"state": SweepState.BRAKED.value, "reason": brake}
    await connection.execute(
        update(sweeps)
        .where(sweeps.c.id == sweep_id, sweeps.c.state == SweepState.RUNNING.value)
        .values(values)
    )


async def intend(
    connection: Connection,
    sweep_id: int,
    epoch: int,
    *,
    leg: int,
    cursor: bytes | None,
    left_out: bytes | None,
    span: bytes,
    intent: bytes,
    key_id: str,
    due_at: datetime,
) -> bool:
    """Note, before any effect, which chunk is begun and who may lose data in it.

    All that is sealed is written anew, by the key of now.

    False: the sweep is no longer this runner's, or an operator has stopped it.
    """
    noted = await _INTEND.rows(
        connection,
        sweep=sweep_id,
        of_runner=epoch,
        at_leg=leg,
        at_cursor=cursor,
        people_left_out=left_out,
        chunk=span,
        people=intent,
        key=key_id,
        due=due_at,
    )
    return len(noted) == 1


async def step(
    connection: Connection,
    sweep_id: int,
    epoch: int,
    step: Step,
    now: datetime,
    *,
    due_at: datetime,
) -> bool:
    """Write down what a chunk did, and go on to where it ended.

    What was done is counted whoever did it; False: it is no longer this runner's to move on. A
    sweep that is being cancelled is ended by it; one that had ended is to be told anew.
    """
    sweep = await read(connection, sweep_id, lock=True)
    if sweep is None:
        raise LookupError(f"there is no sweep {sweep_id}")
    receipts = sum(len(receipt.people) for receipt in step.receipts) // 32
    values: dict[str, Any] = {
        "counts": _added(sweep.counts, step.counts),
        "receipts": sweep.receipts + receipts,
        "seconds": sweep.seconds + step.seconds,
        "chunks": sweep.chunks + 1,
        "told_at": None,
    }
    mine = sweep.epoch == epoch and sweep.state not in SWEEP_ENDED
    if mine:
        values |= {
            "leg": step.leg,
            "cursor": step.cursor,
            "left_out": step.left_out,
            "key_id": step.key_id,
            "span": None,
            "intent": None,
            "due_at": due_at,
        }
    if mine and sweep.state is SweepState.CANCELLING:
        ended = {"state": SweepState.CANCELLED.value, "ended_at": now}
        values |= {**ended, "cursor": None, "left_out": None}
    await connection.execute(update(sweeps).where(sweeps.c.id == sweep_id).values(values))
    if step.receipts:
        await connection.execute(
            insert(sweep_receipts),
            [
                {
                    "sweep_id": sweep_id,
                    "people": receipt.people,
                    "outcomes": list(receipt.outcomes),
                    "settled_at": now,
                    "verified": True,
                }
                for receipt in step.receipts
            ],
        )
    return mine and sweep.state is SweepState.RUNNING


async def end(
    connection: Connection,
    sweep_id: int,
    epoch: int | None,
    state: SweepState,
    now: datetime,
    *,
    proof: Mapping[str, Any] | None = None,
    reason: Mapping[str, Any] | None = None,
) -> bool:
    """End a sweep: done with its proof, failed or cancelled with a reason. False: it had ended.

    ``epoch`` is the runner's own; None: an operator ends it, whoever runs it.
    """
    fenced = [] if epoch is None else [sweeps.c.epoch == epoch]
    ended = await connection.execute(
        update(sweeps)
        .where(sweeps.c.id == sweep_id, sweeps.c.ended_at.is_(None), *fenced)
        .values(
            state=state.value, ended_at=now, proof=proof, reason=reason, cursor=None, left_out=None
        )
    )
    return ended.rowcount == 1


def _added(before: Counts, more: Counts) -> dict[str, dict[str, int]]:
    counts = {group: dict(results) for group, results in before.items()}
    for group, results in more.items():
        own = counts.setdefault(group, {})
        for result, rows in results.items():
            own[result] = own.get(result, 0) + rows
    return counts


_INTEND = Hot(
    lambda _: (
        update(sweeps)
        .where(
            sweeps.c.id == bindparam("sweep"),
            sweeps.c.epoch == bindparam("of_runner"),
            sweeps.c.state == SweepState.RUNNING.value,
        )
        .values(
            leg=bindparam("at_leg"),
            cursor=bindparam("at_cursor"),
            left_out=bindparam("people_left_out"),
            span=bindparam("chunk"),
            intent=bindparam("people"),
            key_id=bindparam("key"),
            due_at=bindparam("due"),
        )
        .returning(sweeps.c.id)
    )
)
