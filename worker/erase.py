"""One command becomes an effect in one store, a re-read, and one settling transaction.

The order is always attempt noted → effect → re-read → ledger → publish. Killed anywhere, the
command is given again and the receipt stays honest: what may have been erased by an attempt that
nobody finished is ``erased`` with an unknown count, never ``absent``.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from time import monotonic
from uuid import UUID

from connectors.faults import Misfit, RetryLater
from worker.closing import close_ready
from worker.context import Context
from worker.core.outcomes import Failed
from worker.core.restricting import CANNOT_RESTRICT
from worker.effect import Attempt, Erasing, Restricting, Task, Verdict, Verified
from worker.ledger import answers, batches, cases, commands, endings, obligations, restrictions
from worker.ledger.answers import Answer, Receipt
from worker.ledger.commands import Command, CommandKind, Issued, NewCommand
from worker.ledger.database import Connection
from worker.ledger.endings import Ended
from worker.ledger.obligations import NewObligation
from worker.observe import noting
from worker.pausing import StorePaused
from worker.payloads import open_tasks, seal_obligation, seal_tasks
from worker.plan import plan_batch, publish_commands
from worker.supersede import reopen
from worker.telling import tell_answer


@dataclass(slots=True)
class Settled:
    """What one settling transaction committed and what is now to be said."""

    answer: Answer
    receipts: list[Receipt]
    ended: list[Ended] = field(default_factory=list)
    reissued: list[Issued] = field(default_factory=list)


async def carry_out(context: Context, command_id: int) -> Settled | None:
    """Carry out one command to its settlement; :func:`tell` then says what was settled.

    None: nothing is to be said. Raises RetryLater or Misfit when the store cannot do it now (the
    command stays open), StorePaused when an operator lets the store rest, LedgerAway when the
    ledger is away: give the same command again later.
    """
    begun = monotonic()
    async with context.ledger.begin() as connection:
        now = context.now()
        command = await commands.take(
            connection, command_id, now=now, due_at=now + context.timing.command_grace
        )
        if command is None:
            if await commands.rests(connection, command_id):
                raise StorePaused
            return await _settled_before(connection, command_id)
        standing = await cases.open_times(connection, command.batch_id)
        wanted = await _wanted(connection, command)
    noting.taken(context.metrics, command)
    if command.policy != context.policy.version and standing:
        try:
            await _plan_anew(context, command, set(standing))
        except _Overtaken:
            return await carry_out(context, command_id)
        return None
    tasks = _tasks(context, command)
    attempt: Attempt
    if command.kind is CommandKind.RESTRICT:
        # Whoever's case has ended meanwhile is written all the same, as was said last.
        attempt = Restricting(context, command, wanted)
    else:
        tasks = [task for task in tasks if task.case_id in standing]
        attempt = Erasing(context, command)
    step, people = context.tracing.step, len(tasks)
    try:
        with step(command.kind.value, store=command.store, command=command.id, people=people):
            await attempt.act(tasks)
        with step("verify", store=command.store, command=command.id, people=people):
            verdicts = await attempt.verify(tasks)
    except (RetryLater, Misfit) as fault:
        if not attempt.committed and not getattr(fault, "in_doubt", False):
            await _note_failure(context, command, fault)
        raise
    verdicts = {case_id: verdict for case_id, verdict in verdicts.items() if case_id in standing}
    failed = [case_id for case_id, verdict in verdicts.items() if isinstance(verdict, Failed)]
    noting.judged(context.metrics, command.store, failed, attempt.refused)
    try:
        with step("settle", store=command.store, command=command.id, failed=len(failed)):
            settled = await _settle(
                context, command, tasks, verdicts, wanted, frozenset(attempt.refused)
            )
    except _Overtaken:
        return await carry_out(context, command_id)
    if settled is not None:
        seconds = monotonic() - begun
        noting.settled(context.metrics, command, settled.receipts, standing, context.now(), seconds)
        noting.issued_again(context.metrics, settled.reissued)
        noting.ended(context.metrics, settled.ended, context.now())
    return settled


async def tell(context: Context, settled: Settled) -> None:
    """Publish what was issued again, the receipts and the completions, and note it.

    Raises PublishFailed or LedgerAway: carry out the same command again, which tells again.
    """
    await publish_commands(context, settled.reissued)
    await tell_answer(context, settled.answer, settled.receipts, settled.ended)


class _Overtaken(Exception):
    """While this attempt was under way something came between that makes it void.

    The command was settled or begun once more, or something newer was said of a restriction that
    it wrote.
    """


async def _wanted(connection: Connection, command: Command) -> dict[UUID, bool]:
    """Which of a command's subjects are to be restricted now; nothing for one that erases."""
    if command.kind is not CommandKind.RESTRICT:
        return {}
    return await restrictions.wanted(connection, command.case_ids)


async def _settled_before(connection: Connection, command_id: int) -> Settled | None:
    """What a command settled that nobody has told yet: whoever settled it died before."""
    untold = await answers.of_command(connection, command_id)
    answer = None if untold is None else await answers.read(connection, untold)
    if answer is None:
        return None
    return Settled(
        answer,
        await answers.receipts_of(connection, answer.id),
        await endings.ended_by(connection, answer.id),
    )


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
    ids = standing & set(command.case_ids)
    async with context.ledger.begin() as connection:
        # This attempt did nothing. What it knows is taken along, then its keys are dropped.
        await commands.failed(connection, command.id, "policy-changed", due_at=context.now())
        batch_id = await reopen(context, connection, command.batch_id, ids) if ids else None
        if not await commands.settle(connection, command, context.now()):
            raise _Overtaken
    if batch_id is not None:
        await plan_batch(context, batch_id)


async def _note_failure(context: Context, command: Command, fault: RetryLater | Misfit) -> None:
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
    verdicts: dict[UUID, Verdict],
    wanted: Mapping[UUID, bool],
    refused: Collection[UUID],
) -> Settled | None:
    """Write receipts, settle the command, close what is ready. None: it is a dead letter now.

    Raises _Overtaken when another attempt at the same command came between.
    """
    now = context.now()
    failed = {c: v for c, v in verdicts.items() if isinstance(v, Failed)}
    if failed and len(command.case_ids) == 1:
        # It failed alone: an operator must look. Its case stays open.
        ((case_id, why),) = failed.items()
        async with context.ledger.begin() as connection:
            await commands.bury(connection, command.id, why.reason, rolled_back=case_id in refused)
        context.metrics.buried_commands.labels(command.store).inc()
        return None
    async with context.ledger.begin() as connection:
        stores_left = await batches.hold(connection, command.batch_id)
        if stores_left is None or not await commands.settle(connection, command, now):
            raise _Overtaken
        if await _wanted(connection, command) != wanted:
            raise _Overtaken
        answer_id = await answers.open_answer(connection, command.batch_id, command.id, now)
        receipts = _receipts(command, verdicts, now)
        await answers.add_receipts(connection, answer_id, receipts)
        settled = Settled(
            Answer(answer_id, command.batch_id, command.id, command.policy, now), receipts
        )
        await obligations.note(
            connection, command.id, _obligations(context, command, tasks, verdicts), now
        )
        if touched := _contracts(receipts):
            await cases.note_impact(connection, command.store, touched)
        if command.kind is CommandKind.RESTRICT and (incapable := _incapable(receipts)):
            await cases.note_refusal(connection, command.store, incapable, CANNOT_RESTRICT)
        again = [task for task in tasks if task.case_id in failed]
        settled.reissued = await _reissue(context, connection, command, again, refused)
        settled.ended = await close_ready(
            connection,
            command.batch_id,
            stores_left,
            [case_id for receipt in receipts for case_id in receipt.case_ids],
            answer_id=answer_id,
            now=now,
        )
    return settled


def _receipts(command: Command, verdicts: Mapping[UUID, Verdict], now: datetime) -> list[Receipt]:
    """One receipt for all those of whom the judge said the same."""
    alike: dict[int, tuple[Verified, list[UUID]]] = {}
    for case_id, verdict in verdicts.items():
        if not isinstance(verdict, Failed):
            alike.setdefault(id(verdict), (verdict, []))[1].append(case_id)
    return [
        Receipt(case_ids, command.store, verdict.outcomes, now, command.policy)
        for verdict, case_ids in alike.values()
    ]


def _obligations(
    context: Context,
    command: Command,
    tasks: Sequence[Task],
    verdicts: Mapping[UUID, Verdict],
) -> list[NewObligation]:
    """What is retained and has a date must be looked at again then: gathered by its day."""
    by_day: dict[date, list[Task]] = {}
    for task in tasks:
        verdict = verdicts.get(task.case_id)
        if isinstance(verdict, Verified) and verdict.look_on is not None:
            by_day.setdefault(verdict.look_on, []).append(task)
    new: list[NewObligation] = []
    for day, some in sorted(by_day.items()):
        ids = tuple(task.case_id for task in some)
        keys = [task.keys for task in some]
        sealed = seal_obligation(context.sealer, command.store, ids, keys)
        new.append(NewObligation(command.store, day, ids, sealed, context.sealer.current))
    return new


def _contracts(receipts: Sequence[Receipt]) -> dict[UUID, int]:
    """Count the running contracts that each case touches, where there are any.

    One contract keeps several groups of its row, and the rows below it: the most of any counts.
    """
    found: dict[UUID, int] = {}
    for receipt in receipts:
        most = max((outcome.get("contracts", 0) for outcome in receipt.outcomes), default=0)
        if most:
            found |= dict.fromkeys(receipt.case_ids, most)
    return found


def _incapable(receipts: Sequence[Receipt]) -> list[UUID]:
    """The cases of which the store could not say everywhere that they are restricted."""
    return [
        case_id
        for receipt in receipts
        if any(outcome.get("why") == CANNOT_RESTRICT for outcome in receipt.outcomes)
        for case_id in receipt.case_ids
    ]


async def _reissue(
    context: Context,
    connection: Connection,
    command: Command,
    again: Sequence[Task],
    refused: Collection[UUID],
) -> list[Issued]:
    """What failed for some is issued again, each task for itself; alone it may yet succeed."""
    now = context.now()
    return await commands.issue(
        connection,
        command.batch_id,
        [
            NewCommand(
                store=command.store,
                kind=command.kind,
                shape=command.shape,
                policy=command.policy,
                case_ids=(task.case_id,),
                payload=seal_tasks(context.sealer, command.store, [task.case_id], [task.keys]),
                key_id=context.sealer.current,
                attempts=int(command.interrupted or task.case_id not in refused),
                lane=command.lane,
            )
            for task in again
        ],
        now=now,
        due_at=now + context.timing.answer_grace,
    )
