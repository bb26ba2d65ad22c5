"""Holds: a named person orders that nothing of a subject be erased for now (GDPR art. 17(3)(e)).

The stop is not touched: nothing new is collected. A hold knows its subject by pseudonyms of every
identifier that the stores link to it, so that a case under another identifier is held as well.
A store that does not answer when the hold is placed is asked again when a case is planned.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID, uuid4

from worker.context import Context, NotPossible
from worker.identifiers import Identifiers, typed
from worker.ledger import actions, batch_commands, batches, cases, consents, holds, sought
from worker.ledger.actions import Did, Origin, Who
from worker.ledger.database import Connection
from worker.ledger.holds import Hold
from worker.pausing import paused, without
from worker.payloads import open_people, open_tasks
from worker.plan import plan_batch
from worker.resolve import Person, resolve
from worker.supersede import reopen


@dataclass(frozen=True, slots=True)
class Placed:
    """What a new hold met."""

    hold: int
    cases: tuple[UUID, ...]
    """Cases that wait for its release from now on."""
    attempted: tuple[UUID, ...]
    """Those of them of which a store may already have erased something."""
    unanswered: tuple[str, ...]
    """Stores that could not say which other identifiers the subject has."""


async def place_on_subject(
    context: Context,
    subject: Mapping[str, str],
    *,
    by: str,
    reason: str,
    review_on: date,
    origin: Origin = Origin.CLI,
) -> Placed:
    """Hold a person who is named by identifiers. Raises NotPossible for one that cannot be."""
    given = typed(context, subject)
    return await _place(context, given, set(), Who(by, reason, origin), reason, review_on)


async def place_on_case(
    context: Context,
    case_id: UUID,
    *,
    by: str,
    reason: str,
    review_on: date,
    origin: Origin = Origin.CLI,
) -> Placed:
    """Hold the person whom a case is about. Raises NotPossible when there is no such case."""
    given: Identifiers = set()
    async with context.ledger.begin() as connection:
        case = await cases.read(connection, case_id)
        if case is None:
            raise NotPossible("no-case", "there is no such case; list them with: erasure cases")
        recorded = await consents.pseudonyms_of_cases(connection, [case_id])
        batch = await batches.read(connection, case.batch_id)
    if batch is not None and batch.payload is not None:
        for person in open_people(context.sealer, batch.payload, batch.key_id):
            if person.case_id == case_id:
                given |= person.known
    pseudonyms = recorded.get(case_id, set())
    if not given and not pseudonyms:
        raise NotPossible(
            "case-forgotten",
            "the case has ended and nothing is kept of its person; name the subject",
        )
    who = Who(by, reason, origin)
    return await _place(context, given, pseudonyms, who, reason, review_on, f"case:{case_id}")


async def release(
    context: Context,
    hold_id: int,
    *,
    by: str,
    reason: str | None = None,
    origin: Origin = Origin.CLI,
) -> tuple[UUID, ...]:
    """End a hold; its cases go on by themselves, unless another hold stands. Returns them.

    Raises NotPossible when no such hold stands.
    """
    async with context.ledger.begin() as connection:
        if not await holds.release(connection, hold_id, by=by, now=context.now()):
            raise NotPossible(
                "no-hold", f"no hold {hold_id} stands; see: erasure hold list --all", hold=hold_id
            )
        who = Who(by, reason, origin)
        await actions.note(connection, context.now(), who, Did.HOLD_RELEASED, f"hold:{hold_id}")
        waiting = await holds.held_cases(connection, hold_id)
        to_plan = [
            await reopen(context, connection, batch_id, ids) for batch_id, ids in waiting.items()
        ]
    for batch_id in to_plan:
        await plan_batch(context, batch_id)
    return tuple(sorted(case_id for ids in waiting.values() for case_id in ids))


def overdue(found: Collection[Hold], today: date) -> list[Hold]:
    """Return the standing holds whose review date has come."""
    return [hold for hold in found if hold.released_at is None and hold.review_on <= today]


async def _known_by_key(
    context: Context, connection: Connection, person: Person
) -> dict[int, set[UUID]]:
    """Find open cases that look again at what was retained of a person, by batch.

    They know their subject by a store's key alone, and no pseudonym need lead to them.
    """
    found: dict[int, set[UUID]] = {}
    for command in await batch_commands.of_followers(connection):
        theirs = set(person.keys.get(command.store, ()))
        if command.payload is None or not theirs:
            continue
        sealed = open_tasks(
            context.sealer, command.payload, command.key_id, command.store, command.case_ids
        )
        for case_id, keys in zip(command.case_ids, sealed, strict=True):
            if not theirs.isdisjoint(keys):
                found.setdefault(command.batch_id, set()).add(case_id)
    standing: dict[int, set[UUID]] = {}
    for batch_id, ids in found.items():
        if still := ids & await cases.open_ids(connection, batch_id):
            standing[batch_id] = still
    return standing


async def _place(
    context: Context,
    given: Identifiers,
    pseudonyms: set[bytes],
    who: Who,
    reason: str,
    review_on: date,
    *about: str,
) -> Placed:
    person = Person(uuid4(), set(given))
    asked = without(context, await paused(context)).connectors
    answered = await resolve([person], asked, context.timing.lookup_timeout)
    known = person.known | person.seen
    pseudonyms |= {context.sealer.pseudonym(kind, value) for kind, value in known}
    async with context.ledger.begin() as connection:
        hold_id = await holds.place(
            connection, pseudonyms, by=who.by, reason=reason, review_on=review_on, now=context.now()
        )
        targets = (f"hold:{hold_id}", *about)
        await actions.note(connection, context.now(), who, Did.HOLD_PLACED, *targets)
    taken: set[UUID] = set()
    attempted: set[UUID] = set()
    to_plan: list[int] = []
    # After the hold is committed: whatever is planned from now on sees it, and whatever was
    # planned before is seen here.
    async with context.ledger.begin() as connection:
        found = await holds.open_cases(connection, pseudonyms)
        expiring = await sought.standing(connection, pseudonyms)
        by_key = await _known_by_key(context, connection, person)
        for batch_id, ids in [*expiring.items(), *by_key.items()]:
            found.setdefault(batch_id, set()).update(ids)
        for batch_id, ids in found.items():
            await batches.hold(connection, batch_id)
            attempted |= ids & await batch_commands.attempted(connection, batch_id)
            to_plan.append(await reopen(context, connection, batch_id, ids))
            taken |= ids
    for batch_id in to_plan:
        await plan_batch(context, batch_id)
    return Placed(
        hold_id, tuple(sorted(taken)), tuple(sorted(attempted)), tuple(sorted(answered.unanswered))
    )
