"""Intake: messages become cases and a stop, before any store is read.

One transaction per batch of messages: dedupe on source + id, the cases, the record of what was
withdrawn or given, and what a newer consent supersedes. Then the stop is published. What follows
(resolving, planning) works from the ledger, so a crash here loses nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from topics import names, writing
from topics.events import RESTRICTING, Event, EventKind, Trigger
from topics.reading import Message, read
from topics.rejections import Rejected
from worker import restrictions, supersede, sweeps
from worker.context import Context
from worker.expiring import plan_anew
from worker.ledger import answers, batches, cases, consents
from worker.ledger.answers import Answer
from worker.ledger.batches import Lane
from worker.ledger.database import Connection
from worker.ledger.endings import Ended
from worker.new_cases import (
    NewCase,
    ended_of,
    merged,
    new_case,
    person_of,
    records_of,
    row_of,
    state_of,
)
from worker.observe import noting
from worker.payloads import seal_people
from worker.sweeps import Wanted
from worker.telling import tell_answer, tell_stop, tell_stop_again


@dataclass(slots=True)
class Accepted:
    """What one intake transaction committed."""

    batch_id: int
    states: dict[bytes, consents.States]
    answer: Answer | None = None
    ended: list[Ended] = field(default_factory=list)
    to_plan: list[int] = field(default_factory=list)
    """Batches with something to look up: this one, and those made of re-opened cases."""


async def take_in(context: Context, messages: Sequence[Message]) -> list[int]:
    """Accept or reject every message; return the ids of the batches that are to be planned.

    When it returns, every event is committed and its stop published, and every rejection is
    published. It raises only because one of our own parts is down (LedgerAway, PublishFailed):
    then the same messages are to be given again.
    """
    events: list[Event] = []
    triggers: list[Trigger] = []
    rejections = []
    reasons = []
    vocabulary = context.policy.vocabulary()
    for message in messages:
        try:
            said = read(message, vocabulary, context.now())
            if isinstance(said, Trigger):
                triggers.append(said)
            else:
                events.append(said)
        except Rejected as rejected:
            rejections.append(writing.rejection(rejected, message))
            reasons.append(rejected.reason.value)
    if rejections:
        await context.publisher.send(names.REJECTED, rejections)
        for reason in reasons:
            context.metrics.rejected_events.labels(reason).inc()
    context.metrics.intake_batch.observe((), (len(messages),))
    context.tracing.note(rejected=len(reasons))
    return await accept(context, events, triggers)


async def accept(
    context: Context, events: Sequence[Event], triggers: Sequence[Trigger] = ()
) -> list[int]:
    """Commit events and publish their stop. Returns the ids of the batches to plan.

    Each trigger for a rule becomes a sweep in the same transaction, however often it comes.
    """
    news = {new.id: new for new in (new_case(context, event) for event in events)}
    if not news and not triggers:
        return []
    async with context.ledger.begin() as connection:
        asked = await _ask(context, connection, triggers)
        known = await cases.known(connection, list(news))
        unannounced = await batches.unannounced(connection, known)
        fresh = [new for new in news.values() if new.id not in known]
        accepted = await _commit(context, connection, fresh) if fresh else None
    noted = context.now()
    context.tracing.note(cases=(new.id for new in fresh), kinds=(new.event.kind for new in fresh))
    noting.accepted(context.metrics, [(new.event.kind, new.event.time) for new in fresh], noted)
    if accepted is not None:
        noting.ended(context.metrics, accepted.ended, noted)
    to_plan = []
    for batch_id in unannounced:
        # The same events came before, and whoever took them in died before saying so.
        await tell_stop_again(context, batch_id)
        to_plan.append(batch_id)
    if accepted is not None:
        await tell_stop(context, accepted.batch_id, accepted.states)
        if accepted.answer is not None:
            await tell_answer(context, accepted.answer, (), accepted.ended)
        to_plan += accepted.to_plan
    await sweeps.publish(context, asked)
    return to_plan


async def _ask(
    context: Context, connection: Connection, triggers: Sequence[Trigger]
) -> list[tuple[str, int]]:
    """Write the sweeps that triggers ask for. Returns store and id of those that are new."""
    asked = []
    for trigger in triggers:
        sweep_id = await sweeps.ask(
            context,
            connection,
            Wanted(
                store=trigger.store,
                trigger="event",
                source=trigger.source,
                event_id=trigger.id,
                table=trigger.table,
                ground=trigger.ground,
                as_of=trigger.as_of,
            ),
        )
        if sweep_id is not None:
            asked.append((trigger.store, sweep_id))
    return asked


async def _commit(context: Context, connection: Connection, fresh: Sequence[NewCase]) -> Accepted:
    now = context.now()
    # What stops and gives nothing needs no word about what was stopped before.
    pseudonyms = {pseudonym for new in fresh if new.purposes for pseudonym in new.pseudonyms}
    before = await consents.states(connection, pseudonyms)
    states = merged(before, fresh)
    wishes = await restrictions.merged(connection, fresh)
    superseded = {new.id for new in fresh if supersede.is_lifted(new, states)}
    superseded |= {new.id for new in fresh if restrictions.is_overtaken(new, wishes)}
    given = {new.id for new in fresh if new.event.kind is EventKind.CONSENT_GIVEN}
    acting = [new for new in fresh if new.id not in superseded and new.id not in given]

    asked = [new for new in acting if new.event.kind is not EventKind.RETENTION_EXPIRED]
    batch_id = await batches.open_batch(
        connection,
        payload=seal_people(context.sealer, map(person_of, asked)) if asked else None,
        key_id=context.sealer.current,
        stores_left=sorted(context.connectors),
        now=now,
        due_at=now + context.timing.plan_grace,
    )
    accepted = Accepted(batch_id, states, to_plan=[batch_id] if asked else [])
    expiring = await _expiring(context, connection, acting)
    accepted.to_plan += sorted(set(expiring.values()))
    if superseded or given:
        answer_id = await answers.open_answer(connection, batch_id, None, now)
        accepted.answer = Answer(answer_id, batch_id, None, None, now)
    rows = [
        row_of(
            context,
            new,
            expiring.get(new.id, batch_id),
            state_of(new, superseded, given),
            accepted.answer,
            now,
        )
        for new in fresh
    ]
    # Standing cases are looked for before the new ones are written: those know their state.
    if accepted.answer is not None and given:
        touched = {p for new in fresh if new.id in given for p in new.pseudonyms}
        lifted = await supersede.lift(context, connection, touched, states, accepted.answer.id, now)
        accepted.ended += lifted.ended
        accepted.to_plan += lifted.to_plan
    await cases.accept(connection, rows)
    await consents.record(connection, [row for new in fresh for row in records_of(new)])
    accepted.ended += [ended_of(row) for row in rows if row["answer_id"] is not None]
    await restrictions.record(connection, fresh)
    if overtaken := await restrictions.standing_against(connection, wishes):
        if accepted.answer is None:
            answer_id = await answers.open_answer(connection, batch_id, None, now)
            accepted.answer = Answer(answer_id, batch_id, None, None, now)
        accepted.ended += await restrictions.end_overtaken(
            connection, overtaken, accepted.answer.id, now
        )
    said = {
        p
        for new in fresh
        if new.id in given or new.event.kind in RESTRICTING
        for p in new.pseudonyms
    }
    accepted.to_plan += await plan_anew(context, connection, said)
    return accepted


async def _expiring(
    context: Context, connection: Connection, acting: Sequence[NewCase]
) -> dict[UUID, int]:
    """Open the batches of cases that time asks for: one for each set of stores that was named.

    They stop nothing, and must not wait for stores that others name.
    """
    by_stores: dict[tuple[str, ...], list[NewCase]] = {}
    for new in acting:
        if new.event.kind is EventKind.RETENTION_EXPIRED:
            by_stores.setdefault(new.event.stores, []).append(new)
    now = context.now()
    found: dict[UUID, int] = {}
    for stores, some in sorted(by_stores.items()):
        batch_id = await batches.open_batch(
            connection,
            payload=seal_people(context.sealer, map(person_of, some)),
            key_id=context.sealer.current,
            stores_left=stores or sorted(context.connectors),
            now=now,
            due_at=now + context.timing.plan_grace,
            lane=Lane.SWEEPS,
        )
        await batches.stopped(connection, batch_id, now)
        found |= {new.id: batch_id for new in some}
    return found
