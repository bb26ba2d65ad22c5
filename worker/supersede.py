"""Newest wins: what a newer consent does to withdrawals that are still standing (rule 6)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from uuid import UUID

from topics.events import Event, EventKind
from worker.context import Context
from worker.core.decisions import ConsentState
from worker.core.lifecycle import CaseState
from worker.core.policy import Policy
from worker.ledger import batch_commands, batches, cases, consents, endings
from worker.ledger.consents import Standing, States
from worker.ledger.database import Connection
from worker.ledger.endings import Ended
from worker.payloads import open_people, open_tasks, seal_people
from worker.resolve import Person


class _New(Protocol):
    @property
    def event(self) -> Event: ...
    @property
    def pseudonyms(self) -> tuple[bytes, ...]: ...
    @property
    def purposes(self) -> tuple[str, ...]: ...


@dataclass(slots=True)
class Lifted:
    """What newer consents ended, and the batches of cases that must be planned anew."""

    ended: list[Ended] = field(default_factory=list)
    to_plan: list[int] = field(default_factory=list)


def together(states: Mapping[bytes, States], pseudonyms: Iterable[bytes]) -> States:
    """What is known of one person under all the pseudonyms of one event."""
    known: dict[str, ConsentState] = {}
    for pseudonym in pseudonyms:
        for purpose, state in states.get(pseudonym, {}).items():
            known[purpose] = known[purpose].merge(state) if purpose in known else state
    return known


def is_lifted(new: _New, states: Mapping[bytes, States]) -> bool:
    """Whether a withdrawal comes too late: to every purpose of it a newer consent was given.

    An objection or a request for erasure asks for more than a withdrawal, so it is never lifted
    as a whole; the newer consent lives all the same when it is planned.
    """
    if new.event.kind is not EventKind.CONSENT_WITHDRAWN:
        return False
    known = together(states, new.pseudonyms)
    return not any(known[purpose].stopped for purpose in new.purposes)


async def lift(
    context: Context,
    connection: Connection,
    pseudonyms: Collection[bytes],
    states: Mapping[bytes, States],
    answer_id: int,
    now: datetime,
) -> Lifted:
    """Apply newly given consents to the standing cases of the same pseudonyms.

    ``states`` holds the new consents already. A withdrawal that no longer stops anything is
    superseded; any other case that lost a purpose is planned anew, in a batch of its own, so that
    commands on their way leave it out. So is one that looks again at what was retained: that falls
    due whatever is consented to.
    """
    lifted = Lifted()
    standing = await consents.standing(connection, pseudonyms)
    if not standing:
        return lifted
    by_case = await consents.pseudonyms_of_cases(connection, [case.case_id for case in standing])
    before = await consents.states(connection, {p for ps in by_case.values() for p in ps})
    replan: dict[int, set[UUID]] = {}
    superseded: dict[int, set[UUID]] = {}
    for case in standing:
        own = by_case[case.case_id]
        was = _stopped(context.policy, case, together(before, own))
        still = _stopped(context.policy, case, together({**before, **states}, own))
        if was == still:
            continue
        gone = case.kind is EventKind.CONSENT_WITHDRAWN and not still and not case.follows
        (superseded if gone else replan).setdefault(case.batch_id, set()).add(case.case_id)
    for batch_id, ids in sorted(superseded.items()):
        await batches.hold(connection, batch_id)
        lifted.ended += await endings.end(
            connection,
            ids,
            state=CaseState.SUPERSEDED,
            answer_id=answer_id,
            now=now,
            reason={"why": "newer-consent"},
        )
        await batches.finish(connection, batch_id, now)
    for batch_id, ids in sorted(replan.items()):
        lifted.to_plan.append(await reopen(context, connection, batch_id, ids))
    return lifted


async def reopen(
    context: Context,
    connection: Connection,
    batch_id: int,
    ids: Collection[UUID],
    chosen: Mapping[str, list[tuple[int | str, ...]]] | None = None,
) -> int:
    """Move standing cases into a batch of their own, to be resolved and planned anew.

    ``chosen`` are the keys an operator named for an ambiguous person, beside those of before;
    empty: what was named before is forgotten too. Returns the new batch's id.
    """
    now = context.now()
    old = await batches.lock(connection, batch_id)
    if old is None or old.payload is None:
        raise LookupError(f"batch {batch_id} has no payload although cases of it stand open")
    people = [
        person
        for person in open_people(context.sealer, old.payload, old.key_id)
        if person.case_id in ids
    ]
    for person in people:
        person.forget()
        if chosen is not None:
            person.chosen = {**person.chosen, **chosen} if chosen else {}
    await _carry_over(context, connection, batch_id, people)
    new_id = await batches.open_batch(
        connection,
        payload=seal_people(context.sealer, people),
        key_id=context.sealer.current,
        stores_left=_stores(context, people),
        now=now,
        due_at=now + context.timing.plan_grace,
        lane=old.lane,
    )
    if old.stopped_at is not None:
        await batches.stopped(connection, new_id, old.stopped_at)
    await cases.move(connection, ids, new_id)
    await batches.finish(connection, batch_id, now)
    return new_id


def _stores(context: Context, people: Sequence[Person]) -> list[str]:
    """All stores may know a person by an identifier; by a key alone, only the store that has it.

    Where a trigger named stores, no other is touched.
    """
    found: set[str] = set()
    for person in people:
        may = person.stores or context.connectors if person.given else person.carried
        found.update(may)
    return sorted(found)


async def _carry_over(
    context: Context, connection: Connection, batch_id: int, people: Sequence[Person]
) -> None:
    """Take along the keys of commands that are not settled.

    Another store may have erased the row that led to them, so that nobody would find them again.
    """
    by_case = {person.case_id: person for person in people}
    for command in await batch_commands.unsettled(connection, batch_id):
        if command.payload is None or by_case.keys().isdisjoint(command.case_ids):
            continue
        sealed = open_tasks(
            context.sealer, command.payload, command.key_id, command.store, command.case_ids
        )
        for case_id, keys in zip(command.case_ids, sealed, strict=True):
            person = by_case.get(case_id)
            if person is not None:
                person.carried.setdefault(command.store, []).extend(keys)
                if command.attempts > command.failures:
                    person.in_doubt.add(command.store)


def _stopped(policy: Policy, case: Standing, known: States) -> frozenset[str]:
    stops = policy.stopped_purposes(case.kind, case.purposes)
    return frozenset(p for p in stops if p in known and known[p].stopped)
