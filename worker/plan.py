"""Planning: a committed batch of cases becomes commands, one per store and shape.

First the stores are asked who is meant (no transaction is open meanwhile), then one transaction
writes the commands, the receipts of stores where nobody was found, and the parked cases. A store
that does not answer is left over: the batch stays in the ledger, redrive plans the rest later,
and no other store waits for it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from connectors.mapping import Key
from topics import names, writing
from topics.events import RESTRICTING
from worker.aside import held, recognise, set_aside
from worker.closing import close_ready
from worker.context import Context
from worker.core.lifecycle import CaseState
from worker.core.planner import PlannedCase
from worker.core.retry import Backoff
from worker.drawing import Drawing
from worker.expiring import expiring, make_known, recognise_whole, restricted, states
from worker.flood import DAY, Watch, watched
from worker.ledger import (
    answers,
    batch_commands,
    batches,
    brakes,
    cases,
    commands,
    consents,
    pauses,
)
from worker.ledger.answers import Answer, Receipt
from worker.ledger.batches import Batch, Lane
from worker.ledger.commands import Issued, NewCommand
from worker.ledger.database import Connection
from worker.ledger.endings import Ended
from worker.observe import noting
from worker.pausing import without
from worker.payloads import open_people, seal_people
from worker.resolve import Person, Resolution, resolve
from worker.telling import tell_answer
from worker.waiting import pause

AGAIN = Backoff(base=5.0, cap=600.0)
"""How long a batch waits for the stores that did not answer, in seconds."""
ABSENT = [{"group": "*", "result": "absent"}]
"""The outcome in a store where nobody was found."""


@dataclass(slots=True)
class Planned:
    """What one planning transaction committed and what is now to be said."""

    commands: list[Issued] = field(default_factory=list)
    answer: Answer | None = None
    receipts: list[Receipt] = field(default_factory=list)
    ended: list[Ended] = field(default_factory=list)
    stores_left: tuple[str, ...] = ()
    new: list[NewCommand] = field(default_factory=list)
    """The commands as they were written."""
    people: list[UUID] = field(default_factory=list)
    """The cases that it planned, parked and held ones apart."""
    again: datetime | None = None
    """When stores that are left are asked again."""


async def plan_batch(context: Context, batch_id: int) -> Planned | None:
    """Plan what is left of a batch and publish the commands. None: nothing is left to plan.

    Raises LedgerAway or PublishFailed; the batch is then planned, or its commands published,
    from the ledger later.
    """
    with context.tracing.step("plan", batch=batch_id):
        return await _plan(context, batch_id)


async def _plan(context: Context, batch_id: int) -> Planned | None:
    async with context.ledger.begin() as connection:
        batch = await batches.read(connection, batch_id)
        if batch is None or batch.payload is None or not batch.stores_left:
            return None
        standing = await cases.of_batch(connection, batch_id)
        times = await cases.open_times(connection, batch_id)
        today = await brakes.erased_since(connection, context.now() - DAY)
        asking = {one.store for one in await brakes.asking(connection)}
        resting = {one.store for one in await pauses.standing(connection)}
    people = [
        person
        for person in open_people(context.sealer, batch.payload, batch.key_id)
        if person.case_id in standing
    ]
    before = {person.case_id: {s: set(k) for s, k in person.keys.items()} for person in people}
    context = without(context, resting)
    resolution = await resolve(people, context.connectors, context.timing.lookup_timeout)
    resolution = await recognise(context, people, resolution)
    if theirs := expiring(people, standing):
        resolution = await recognise_whole(context, theirs, resolution)
        async with context.ledger.begin() as connection:
            await make_known(context, connection, theirs)
    watch = await watched(context, batch.stores_left, people, today, asking)
    async with context.ledger.begin() as connection:
        planned = await _commit(context, connection, batch, people, before, resolution, watch)
    if planned is not None:
        now = context.now()
        context.tracing.note(
            cases=planned.people, commands=len(planned.commands), stores_left=planned.stores_left
        )
        noting.issued(context.metrics, planned.new)
        noting.ended(context.metrics, planned.ended, now)
        _show_who_is_silent(context, resolution, set(batch.stores_left) - resting, planned, now)
        if not planned.stores_left:
            noting.planned(context.metrics, planned.people, times, now)
        await publish_commands(context, planned.commands)
        if planned.answer is not None:
            await tell_answer(context, planned.answer, planned.receipts, planned.ended)
    return planned


def _show_who_is_silent(
    context: Context,
    resolution: Resolution,
    asked: Collection[str],
    planned: Planned,
    now: datetime,
) -> None:
    """Show which stores did not say who is meant; one that an operator lets rest is not away."""
    silent = {store: why for store, why in resolution.unanswered.items() if store in asked}
    context.here.looked_up(silent, asked, now, planned.again or now)


async def publish_commands(context: Context, issued: Iterable[Issued]) -> None:
    """Publish the ids of commands on their stores' topics, and note it."""
    by_topic: dict[str, list[int]] = {}
    for store, command_id, lane in issued:
        topic = names.sweeps(store) if lane is Lane.SWEEPS else names.commands(store)
        by_topic.setdefault(topic, []).append(command_id)
    for topic, ids in by_topic.items():
        await context.publisher.send(topic, [writing.command(command_id) for command_id in ids])
    if by_topic:
        async with context.ledger.begin() as connection:
            now = context.now()
            await commands.published(
                connection,
                [command_id for ids in by_topic.values() for command_id in ids],
                now=now,
                due_at=now + context.timing.command_grace,
            )


async def _commit(
    context: Context,
    connection: Connection,
    seen: Batch,
    people: Sequence[Person],
    before: Mapping[UUID, Mapping[str, set[Key]]],
    resolution: Resolution,
    watch: Watch,
) -> Planned | None:
    now = context.now()
    batch = await batches.lock(connection, seen.id)
    if batch is None or batch.payload is None:
        return None
    if (batch.stores_left, batch.attempts) != (seen.stores_left, seen.attempts):
        return None  # Somebody else planned it meanwhile.
    standing = await cases.of_batch(connection, batch.id)
    # A hold is against erasing: that processing be restricted may be written all the same.
    erasing = [
        p for p in people if p.case_id in standing and standing[p.case_id][0] not in RESTRICTING
    ]
    under_hold = await held(context, connection, erasing)
    under_hold = await restricted(context, connection, expiring(people, standing)) | under_hold
    aside = {c: (CaseState.HELD, why) for c, why in under_hold.items()} | {
        c: (CaseState.PARKED, why) for c, why in resolution.ambiguous.items() if c in standing
    }
    for case_id, (state, why) in aside.items():
        own = [person for person in people if person.case_id == case_id]
        await set_aside(context, connection, case_id, own, state, why, batch)
    todo = [p for p in people if p.case_id in standing and p.case_id not in aside]
    planned_cases = [PlannedCase(p.case_id, *standing[p.case_id]) for p in todo]
    said = await consents.states_of_cases(connection, [p.case_id for p in todo])
    said |= await states(context, connection, expiring(todo, standing))
    answered_before = await _answered(connection, batch) if batch.attempts else {}

    drawing = Drawing(context, batch.lane, todo, planned_cases, said, before)

    planned = Planned()
    new: list[NewCommand] = []
    absent: dict[str, list[UUID]] = {}
    final = [s for s in batch.stores_left if s not in resolution.not_final]
    for store in batch.stores_left:
        if store in resolution.unanswered:
            continue
        drawn = await drawing.of(connection, store, watch)
        new += drawn.commands
        if drawn.stopped:
            final = [one for one in final if one != store]
        if store in final:
            known = answered_before.get(store, set())
            if missing := [case_id for case_id in drawn.absent if case_id not in known]:
                absent[store] = missing

    planned.new, planned.people = new, [person.case_id for person in todo]
    planned.commands = await commands.issue(
        connection, batch.id, new, now=now, due_at=now + context.timing.answer_grace
    )
    planned.stores_left = tuple(s for s in batch.stores_left if s not in final)
    planned.again = now + timedelta(seconds=pause(AGAIN, batch.attempts + 1))
    await batches.planned(
        connection,
        batch.id,
        stores_left=planned.stores_left,
        policy=context.policy.version,
        now=now,
        due_at=planned.again,
        payload=seal_people(context.sealer, todo) if planned.stores_left else None,
        key_id=context.sealer.current,
    )
    await _answer(context, connection, batch, planned, absent, list(standing), now)
    return planned


async def _answer(
    context: Context,
    connection: Connection,
    batch: Batch,
    planned: Planned,
    absent: Mapping[str, list[UUID]],
    candidates: Sequence[UUID],
    now: datetime,
) -> None:
    """Write receipts for stores without the person, and close what needs nothing more."""
    first_look = not batch.attempts
    if not absent and (planned.stores_left or (first_look and planned.commands)):
        return
    answer_id = await answers.open_answer(connection, batch.id, None, now)
    planned.answer = Answer(answer_id, batch.id, None, context.policy.version, now)
    planned.receipts = [
        Receipt(case_ids, store, ABSENT, now, context.policy.version)
        for store, case_ids in absent.items()
    ]
    await answers.add_receipts(connection, answer_id, planned.receipts)
    planned.ended = await close_ready(
        connection, batch.id, planned.stores_left, candidates, answer_id=answer_id, now=now
    )
    if not planned.stores_left:
        await batches.finish(connection, batch.id, now)


async def _answered(connection: Connection, batch: Batch) -> dict[str, set[UUID]]:
    """For each store the cases that have a command or a receipt there from an earlier look."""
    found = await batch_commands.cases_by_store(connection, batch.id)
    for store, ids in (await answers.cases_by_store(connection, batch.id)).items():
        found.setdefault(store, set()).update(ids)
    return found
