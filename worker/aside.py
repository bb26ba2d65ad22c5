"""Setting cases aside: held, or parked until somebody says who is meant (rule 2)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from uuid import UUID

from connectors.faults import HINTS, Fault, RetryLater
from connectors.mapping import Key
from worker.context import Context
from worker.core.lifecycle import CaseState
from worker.identifiers import held_by
from worker.ledger import batches, cases, consents, holds
from worker.ledger.batches import Batch
from worker.ledger.database import Connection
from worker.payloads import seal_people
from worker.resolve import Person, Resolution


async def recognise(
    context: Context, people: Sequence[Person], resolution: Resolution
) -> Resolution:
    """Learn which identifiers people have of whom only keys are known: a hold knows them by those.

    They lead nowhere from here: whoever is known by a key is looked for in its store alone.
    """
    keys: dict[str, dict[Key, Person]] = {}
    for person in people:
        for store, own in person.carried.items() if not person.given else ():
            keys.setdefault(store, {}).update(dict.fromkeys(own, person))
    silent: dict[str, Fault] = {}
    for store, owners in keys.items():
        try:
            async with asyncio.timeout(context.timing.lookup_timeout.total_seconds()):
                held = await held_by(context, context.connectors[store], list(owners))
        except TimeoutError:
            silent[store] = RetryLater("no-answer", HINTS["no-answer"])
        except Fault as fault:
            silent[store] = fault
        else:
            for key, identifiers in held.items():
                owners[key].seen |= identifiers
    return Resolution(
        {**resolution.unanswered, **silent},
        resolution.not_final | silent.keys(),
        resolution.ambiguous,
    )


async def held(
    context: Context, connection: Connection, people: Sequence[Person]
) -> dict[UUID, Mapping[str, object]]:
    """Find the cases whose subject is under a hold, by any identifier that the stores showed."""
    if not people or not await holds.any_stands(connection):
        return {}
    pseudonym = context.sealer.pseudonym
    recorded = await consents.pseudonyms_of_cases(connection, [p.case_id for p in people])
    by_case = {
        person.case_id: {pseudonym(*identifier) for identifier in person.known | person.seen}
        | recorded.get(person.case_id, set())
        for person in people
    }
    standing = await holds.standing(connection, {p for own in by_case.values() for p in own})
    return {
        case_id: {"why": "hold", "hold": max(standing[p] for p in own if p in standing)}
        for case_id, own in by_case.items()
        if not own.isdisjoint(standing)
    }


async def set_aside(
    context: Context,
    connection: Connection,
    case_id: UUID,
    own: Sequence[Person],
    state: CaseState,
    why: Mapping[str, object],
    batch: Batch,
) -> None:
    """Give a parked or held case of a batch one of its own, with its identifiers, to wait in."""
    now = context.now()
    for person in own:
        person.forget()
    batch_id = await batches.open_batch(
        connection,
        payload=seal_people(context.sealer, own),
        key_id=context.sealer.current,
        stores_left=[],
        now=now,
        due_at=now,
        lane=batch.lane,
    )
    if batch.stopped_at is not None:
        await batches.stopped(connection, batch_id, batch.stopped_at)
    await batches.planned(
        connection,
        batch_id,
        stores_left=[],
        policy=context.policy.version,
        now=now,
        due_at=now,
    )
    await cases.set_aside(connection, case_id, batch_id, state, why)
