"""Obligations that fall due: what was retained is looked at again, by itself, on its day.

The case of back then is looked at once more: as a new case about the same event, which follows it,
with the same record of consents, in the one store that kept something. So a newer consent, a hold,
a store that is away and a crash mean for it what they mean for any case.
"""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from worker.context import Context
from worker.core.case_id import case_id
from worker.core.deadline import due_on
from worker.core.lifecycle import CaseState
from worker.ledger import batches, cases, consents, obligations
from worker.ledger.batches import Lane
from worker.ledger.cases import Case
from worker.ledger.database import Connection
from worker.ledger.obligations import Obligation
from worker.payloads import open_obligation, seal_people
from worker.resolve import Person

SOURCE = "erasure-worker/obligation"
"""Under which the cases that follow are numbered; no event of upstream has it."""


async def look_again(context: Context, obligation_id: int) -> int | None:
    """Begin the look that an obligation asks for; return the batch that is to be planned.

    None: somebody else has begun it. Raises LedgerAway or CannotOpen: it is begun later.
    """
    async with context.ledger.begin() as connection:
        obligation = await obligations.lock(connection, obligation_id)
        if obligation is None:
            return None
        return await _begin(context, connection, obligation)


async def _begin(context: Context, connection: Connection, obligation: Obligation) -> int:
    now = context.now()
    before = await cases.of_ids(connection, obligation.case_ids)
    ids = {old: following(obligation.id, old) for old in obligation.case_ids}
    keys = open_obligation(
        context.sealer,
        obligation.payload,
        obligation.key_id,
        obligation.store,
        obligation.case_ids,
    )
    people = [
        Person(ids[old], set(), carried={obligation.store: own})
        for old, own in zip(obligation.case_ids, keys, strict=True)
    ]
    batch_id = await batches.open_batch(
        connection,
        payload=seal_people(context.sealer, people),
        key_id=context.sealer.current,
        stores_left=[obligation.store],
        now=now,
        due_at=now + context.timing.plan_grace,
        lane=Lane.SWEEPS,
    )
    # The stop was published with the first case and stands.
    await batches.stopped(connection, batch_id, now)
    day = due_on(obligation.look_on, context.policy.country)
    again = [
        replace(
            case,
            id=ids[case.id],
            batch_id=batch_id,
            received_at=now,
            due_on=day,
            state=CaseState.OPEN,
            reason=None,
            closed_at=None,
            impact=None,
            asked_on=None,
            follows=case.follows or case.id,
        )
        for case in before
    ]
    await cases.accept(connection, [_row(case) for case in again])
    await consents.repeat(connection, ids)
    await obligations.looked_at(connection, obligation.id, batch_id)
    return batch_id


def following(obligation_id: int, case: UUID) -> UUID:
    """The id of the case that follows another when an obligation of it falls due."""
    return case_id(SOURCE, f"{obligation_id}/{case}")


def _row(case: Case) -> dict[str, object]:
    return {
        "id": case.id,
        "batch_id": case.batch_id,
        "source": case.source,
        "event_id": case.event_id,
        "kind": case.kind.value,
        "purposes": list(case.purposes),
        "channel": case.channel,
        "event_time": case.event_time,
        "received_at": case.received_at,
        "due_on": case.due_on,
        "state": case.state.value,
        "follows": case.follows,
        "asked_on": case.asked_on,
    }
