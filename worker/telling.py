"""Telling the outside: stops, receipts and completions, from what the ledger holds.

Each of these may be told again without harm: messages carry the same key and the same truth.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from topics import names, writing
from worker.context import Context
from worker.core.objectives import Clock
from worker.core.policy import Policy
from worker.core.terms import Terms, terms_of
from worker.ledger import answers, batches, cases, consents, endings
from worker.ledger.answers import Answer, Receipt
from worker.ledger.endings import Ended
from worker.versions import policy_of


async def tell_stop(context: Context, batch_id: int, states: dict[bytes, consents.States]) -> None:
    """Publish what must not be collected any more (or may again), then note that it was.

    ``states`` is the whole state of each pseudonym, so that the compacted topic always holds the
    newest truth about it; where nothing is stopped any more it holds a tombstone. Another worker
    may have taken in an event about the same person meanwhile and published before us: the
    ledger is read again afterwards, and what has changed is published once more.
    """
    while True:
        messages = [
            writing.suppression(pseudonym, _stopped(state)) for pseudonym, state in states.items()
        ]
        await context.publisher.send(names.SUPPRESSIONS, messages)
        async with context.ledger.begin() as connection:
            shared = await consents.shared(connection, states, batch_id)
            now = await consents.states(connection, shared)
            states = {
                p: state for p, state in now.items() if _stopped(state) != _stopped(states[p])
            }
            moment = context.now()
            first = not states and await batches.stopped(connection, batch_id, moment)
            asked = await cases.stop_times(connection, batch_id) if first else []
        if not states:
            context.metrics.clock(Clock.STOPPED, asked, moment)
            return


def _stopped(purposes: consents.States) -> dict[str, datetime]:
    return {
        purpose: state.withdrawn_at
        for purpose, state in purposes.items()
        if state.stopped and state.withdrawn_at is not None
    }


async def tell_stop_again(context: Context, batch_id: int) -> None:
    """Publish a batch's stop from the ledger: whoever should have done it died."""
    async with context.ledger.begin() as connection:
        pseudonyms = await consents.pseudonyms_of_batch(connection, batch_id)
        states = await consents.states(connection, pseudonyms)
    await tell_stop(context, batch_id, states)


async def tell_answer(
    context: Context, answer: Answer, receipts: Sequence[Receipt], ended: Collection[Ended]
) -> None:
    """Publish the receipts and completions of one settled transaction, then note it."""
    if receipts:
        policy = await _policy(context, answer.policy)
        by_store: dict[str, list[tuple[UUID, Sequence[Mapping[str, Any]]]]] = {}
        for receipt in receipts:
            own = by_store.setdefault(receipt.store, [])
            own += [(case_id, receipt.outcomes) for case_id in receipt.case_ids]
        await context.publisher.send(
            names.RECEIPTS,
            [
                writing.receipts(
                    answer=answer.id,
                    command=answer.command_id,
                    store=store,
                    policy=answer.policy,
                    settled_at=answer.created_at,
                    cases=group,
                    grounds=_grounds(policy, group),
                )
                for store, group in by_store.items()
            ],
        )
    if ended:
        await context.publisher.send(
            names.COMPLETED,
            [
                writing.completion(
                    source=case.source,
                    event_id=case.event_id,
                    kind=case.kind,
                    case_id=case.id,
                    state=case.state,
                    due_on=case.due_on,
                    closed_at=case.closed_at,
                    reason=case.reason,
                    impact=case.impact,
                    follows=case.follows,
                )
                for case in ended
            ],
        )
    async with context.ledger.begin() as connection:
        await answers.published(connection, answer.id, context.now())


async def _policy(context: Context, version: str | None) -> Policy | None:
    if version in (None, context.policy.version):
        return context.policy
    async with context.ledger.begin() as connection:
        return await policy_of(connection, version, context.policy)


def _grounds(
    policy: Policy | None, group: Iterable[tuple[UUID, Sequence[Mapping[str, Any]]]]
) -> dict[str, Terms]:
    """The terms of every ground that these outcomes name."""
    if policy is None:
        return {}
    # People with whom the same was done have the very same outcomes: they are looked at once.
    alike = {id(outcomes): outcomes for _, outcomes in group}.values()
    named = {g for outcomes in alike for one in outcomes for g in one.get("grounds", ())}
    return {name: terms_of(policy, name) for name in sorted(named) if name in policy.grounds}


async def tell_answer_again(context: Context, answer_id: int) -> None:
    """Publish an answer from the ledger: whoever should have done it died."""
    async with context.ledger.begin() as connection:
        answer = await answers.read(connection, answer_id)
        receipts = await answers.receipts_of(connection, answer_id)
        ended = await endings.ended_by(connection, answer_id)
    if answer is not None:
        await tell_answer(context, answer, receipts, ended)
