"""Erasing: one command becomes an effect in one store, a re-read, and one settling transaction.

The order is always attempt noted → effect → re-read → ledger → publish. Killed anywhere, the
command is given again and the receipt stays honest: what may have been erased by an attempt that
nobody finished is ``erased`` with an unknown count, never ``absent``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from uuid import UUID

from connectors.base import Connector, Done, Effects, Work
from connectors.faults import Refused, RetryLater
from connectors.mapping import Cutoffs, Key
from worker.closing import close_ready
from worker.context import Context
from worker.core.outcomes import Failed, Outcome, judge
from worker.ledger import answers, batches, cases, commands
from worker.ledger.answers import Answer, Receipt
from worker.ledger.cases import Ended
from worker.ledger.commands import Command, NewCommand
from worker.ledger.database import Connection
from worker.payloads import open_tasks, seal_tasks
from worker.plan import plan_batch, publish_commands
from worker.supersede import reopen
from worker.telling import tell_answer, tell_answer_again


@dataclass(frozen=True, slots=True)
class Task:
    """One case's keys in the store of the command."""

    case_id: UUID
    keys: tuple[Key, ...]


@dataclass(slots=True)
class Effect:
    """What the store did for a command: effects per key, and the tasks that it refused."""

    effects: dict[Key, dict[str, Done]] = field(default_factory=dict)
    refused: dict[UUID, str] = field(default_factory=dict)
    committed: bool = False
    """Whether anything was committed in the store, so that a repeat may find nothing."""


@dataclass(slots=True)
class Settled:
    """What one settling transaction committed and what is now to be said."""

    answer: Answer
    receipts: list[Receipt]
    ended: list[Ended] = field(default_factory=list)
    reissued: list[tuple[str, int]] = field(default_factory=list)


async def carry_out(context: Context, command_id: int) -> int:
    """Carry out one command to its settlement. Returns how many tasks got their receipt.

    A command that was settled before only tells again what was not told. Raises RetryLater or
    Misfit when the store cannot do it now (the command stays open), LedgerAway or PublishFailed
    when one of our own parts is away: give the same command again later.
    """
    async with context.ledger.begin() as connection:
        now = context.now()
        command = await commands.take(
            connection, command_id, now=now, due_at=now + context.timing.command_grace
        )
        untold = None if command else await answers.of_command(connection, command_id)
        standing = await cases.open_ids(connection, command.batch_id) if command else set()
    if command is None:
        if untold is not None:
            await tell_answer_again(context, untold)
        return 0
    if command.policy != context.policy.version and standing:
        await _plan_anew(context, command, standing)
        return 0
    tasks = [task for task in _tasks(context, command) if task.case_id in standing]
    connector = context.connectors[command.store]
    cutoffs = context.policy.cutoffs(command.store, context.day())
    effect = Effect()
    try:
        await _erase(context, connector, command, cutoffs, tasks, effect)
        verdicts = await _verify(context, connector, command, cutoffs, tasks, effect)
    except RetryLater as fault:
        if not fault.in_doubt and not effect.committed:
            await _note_failure(context, command, fault)
        raise
    settled = await _settle(context, command, tasks, verdicts)
    if settled is None:
        return 0
    await publish_commands(context, settled.reissued)
    await tell_answer(context, settled.answer, settled.receipts, settled.ended)
    return len(settled.receipts)


def _tasks(context: Context, command: Command) -> list[Task]:
    if command.payload is None:
        return []
    keys = open_tasks(
        context.sealer, command.payload, command.key_id, command.store, command.case_ids
    )
    return [Task(case_id, tuple(own)) for case_id, own in zip(command.case_ids, keys, strict=True)]


async def _plan_anew(context: Context, command: Command, standing: set[UUID]) -> None:
    """A command decided under another version of the policy: its cases are planned under ours.

    Its shape names the grounds that lived by the other version, and says nothing of new ones.
    """
    batch_id = None
    async with context.ledger.begin() as connection:
        if await commands.settle(connection, command.id, context.now()):
            ids = standing & set(command.case_ids)
            batch_id = await reopen(context, connection, command.batch_id, ids) if ids else None
    if batch_id is not None:
        await plan_batch(context, batch_id)


def _work(command: Command, cutoffs: Cutoffs, tasks: Sequence[Task]) -> Work:
    return Work(command.shape, cutoffs, list({key: None for task in tasks for key in task.keys}))


async def _erase(
    context: Context,
    connector: Connector,
    command: Command,
    cutoffs: Cutoffs,
    tasks: Sequence[Task],
    effect: Effect,
) -> None:
    """Erase for all tasks; where the store refuses, for halves of them, down to the one."""
    if not tasks:
        return
    try:
        async with asyncio.timeout(context.timing.store_timeout.total_seconds()):
            effects: Effects = await connector.erase(_work(command, cutoffs, tasks))
    except TimeoutError:
        raise RetryLater("no-answer", "the store did not answer in time", in_doubt=True) from None
    except Refused as fault:
        if len(tasks) == 1:
            effect.refused[tasks[0].case_id] = str(fault)
            return
        half = len(tasks) // 2
        await _erase(context, connector, command, cutoffs, tasks[:half], effect)
        await _erase(context, connector, command, cutoffs, tasks[half:], effect)
        return
    effect.committed = True
    for key, groups in effects.items():
        effect.effects[key] = dict(groups)


async def _verify(
    context: Context,
    connector: Connector,
    command: Command,
    cutoffs: Cutoffs,
    tasks: Sequence[Task],
    effect: Effect,
) -> dict[UUID, list[dict[str, Any]] | Failed]:
    """Re-read what is there and judge each task: its outcomes, or why it has failed."""
    done = [task for task in tasks if task.case_id not in effect.refused]
    verdicts: dict[UUID, list[dict[str, Any]] | Failed] = {
        case_id: Failed(why) for case_id, why in effect.refused.items()
    }
    if not done:
        return verdicts
    try:
        async with asyncio.timeout(context.timing.store_timeout.total_seconds()):
            remainders = await connector.verify(_work(command, cutoffs, done))
    except TimeoutError:
        raise RetryLater("no-answer", "the store did not answer in time") from None
    for task in done:
        verdict = judge(
            context.policy,
            connector.mapping,
            effect.effects,
            remainders,
            task.keys,
            command.interrupted,
            command.shape,
        )
        verdicts[task.case_id] = (
            verdict if isinstance(verdict, Failed) else [_row(outcome) for outcome in verdict]
        )
    return verdicts


async def _note_failure(context: Context, command: Command, fault: RetryLater) -> None:
    async with context.ledger.begin() as connection:
        await commands.failed(
            connection,
            command.id,
            str(fault),
            due_at=context.now() + context.timing.command_grace,
        )


async def _settle(
    context: Context,
    command: Command,
    tasks: Sequence[Task],
    verdicts: dict[UUID, list[dict[str, Any]] | Failed],
) -> Settled | None:
    """Write receipts, settle the command, close what is ready. None: it was settled before us."""
    now = context.now()
    failed = {c: v for c, v in verdicts.items() if isinstance(v, Failed)}
    if failed and len(command.case_ids) == 1:
        # It failed alone: an operator must look. Its case stays open.
        async with context.ledger.begin() as connection:
            await commands.bury(connection, command.id, next(iter(failed.values())).reason)
        return None
    async with context.ledger.begin() as connection:
        stores_left = await batches.hold(connection, command.batch_id)
        if stores_left is None or not await commands.settle(connection, command.id, now):
            return None
        answer_id = await answers.open_answer(connection, command.batch_id, command.id, now)
        receipts = [
            Receipt(case_id, command.store, outcomes, now)
            for case_id, outcomes in verdicts.items()
            if not isinstance(outcomes, Failed)
        ]
        await answers.add_receipts(
            connection, answer_id, [(r.case_id, r.store, r.outcomes) for r in receipts]
        )
        settled = Settled(
            Answer(answer_id, command.batch_id, command.id, command.policy, now), receipts
        )
        settled.reissued = await _reissue(context, connection, command, tasks, failed)
        settled.ended = await close_ready(
            connection,
            command.batch_id,
            stores_left,
            [receipt.case_id for receipt in receipts],
            answer_id=answer_id,
            now=now,
        )
    return settled


async def _reissue(
    context: Context,
    connection: Connection,
    command: Command,
    tasks: Sequence[Task],
    failed: dict[UUID, Failed],
) -> list[tuple[str, int]]:
    """What failed for some is issued again, each task for itself; alone it may yet succeed."""
    now = context.now()
    again = [task for task in tasks if task.case_id in failed]
    ids = await commands.issue(
        connection,
        command.batch_id,
        [
            NewCommand(
                store=command.store,
                shape=command.shape,
                policy=command.policy,
                case_ids=(task.case_id,),
                payload=seal_tasks(context.sealer, command.store, [task.case_id], [task.keys]),
                key_id=context.sealer.current,
            )
            for task in again
        ],
        now=now,
        due_at=now + context.timing.answer_grace,
    )
    return [(command.store, command_id) for command_id in ids]


@lru_cache(maxsize=8192)
def _row(outcome: Outcome) -> dict[str, Any]:
    """An outcome as the ledger and the receipts write it: what says nothing is left out."""
    row: dict[str, Any] = {"group": outcome.group, "result": outcome.result}
    if outcome.result != "absent":
        row["rows"] = outcome.rows
    if outcome.grounds:
        row["grounds"] = list(outcome.grounds)
        row["until"] = outcome.until.isoformat() if outcome.until else None
    if outcome.why:
        row["why"] = outcome.why
    if outcome.interrupted:
        row["interrupted"] = True
    return row
