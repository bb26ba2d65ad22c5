"""What is particular to a case that time asks for: a retention trigger about one subject.

It recorded nothing of its subject, so what is on record is looked up under everything that the
stores know of the person. The same pseudonyms are noted while the case stands, before anything is
looked up: whoever gives a consent, places a hold or asks for a restriction meanwhile finds it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from uuid import UUID

from topics.events import EventKind
from worker.context import Context
from worker.ledger import batches, consents, restrictions, sought
from worker.ledger.consents import States
from worker.ledger.database import Connection
from worker.ledger.restrictions import newest
from worker.resolve import Person, Resolution, resolve
from worker.supersede import reopen, together

RESTRICTED: Mapping[str, object] = {"why": "restriction"}
"""Why a case is held: the person may need the data for a claim (GDPR art. 18(1)(c))."""


def expiring(
    people: Iterable[Person], kinds: Mapping[UUID, tuple[EventKind, tuple[str, ...]]]
) -> list[Person]:
    """Those of the people, by case, of whom only time asks; ``kinds`` are of the open cases."""
    return [
        person
        for person in people
        if person.case_id in kinds and kinds[person.case_id][0] is EventKind.RETENTION_EXPIRED
    ]


async def recognise_whole(
    context: Context, people: Sequence[Person], resolution: Resolution
) -> Resolution:
    """Learn every identifier of these people, also of those of whom only a store's key is known.

    Nothing is planned for any of them while a store does not answer: something newer may have been
    said under an identifier that only it knows, and what time asks for can wait.
    """
    strong = {kind for kind, declared in context.policy.identifiers.items() if declared.strong}
    by_key = [
        Person(p.case_id, {i for i in p.seen if i[0] in strong}, chosen=p.chosen)
        for p in people
        if not p.given
    ]
    more = await resolve(by_key, context.connectors, context.timing.lookup_timeout)
    seen = {person.case_id: person.known | person.seen for person in by_key}
    for person in people:
        person.seen |= seen.get(person.case_id, set())
    silent = {**resolution.unanswered, **more.unanswered}
    if silent:
        first = next(iter(silent.values()))
        silent = dict.fromkeys(context.connectors, first) | silent
        for person in people:
            person.forget()  # What was found now is commanded for nobody, and is found again.
    return Resolution(
        silent,
        resolution.not_final | silent.keys(),
        {**more.ambiguous, **resolution.ambiguous},
    )


async def make_known(context: Context, connection: Connection, people: Sequence[Person]) -> None:
    """Note under which pseudonyms the cases of these people are found from now on."""
    await sought.note(
        connection, {person.case_id: _pseudonyms(context, person) for person in people}
    )


async def states(
    context: Context, connection: Connection, people: Sequence[Person]
) -> dict[UUID, States]:
    """What is on record of each case's subject: of each purpose the newest under any identifier."""
    own = {person.case_id: _pseudonyms(context, person) for person in people}
    found = await consents.states(connection, {p for theirs in own.values() for p in theirs})
    return {case_id: together(found, sorted(theirs)) for case_id, theirs in own.items()}


async def restricted(
    context: Context, connection: Connection, people: Sequence[Person]
) -> dict[UUID, Mapping[str, object]]:
    """Find the cases whose subject's data are restricted: what expires waits until it is lifted."""
    own = {person.case_id: _pseudonyms(context, person) for person in people}
    wishes = await restrictions.wishes(connection, {p for theirs in own.values() for p in theirs})
    last = {
        case_id: newest(wish for p in theirs for wish in wishes.get(p, ()))
        for case_id, theirs in own.items()
    }
    return {case_id: RESTRICTED for case_id, wish in last.items() if wish and wish.restricted}


async def plan_anew(
    context: Context, connection: Connection, pseudonyms: Collection[bytes]
) -> list[int]:
    """Take the cases about these pseudonyms out of hand: something new was said of their subject.

    Those that wait for the end of a restriction are looked at too. Returns the batches to plan.
    """
    to_plan = []
    for batch_id, ids in sorted(
        (await sought.standing(connection, pseudonyms, waiting_for=RESTRICTED)).items()
    ):
        await batches.hold(connection, batch_id)
        to_plan.append(await reopen(context, connection, batch_id, ids))
    return to_plan


def _pseudonyms(context: Context, person: Person) -> set[bytes]:
    return {context.sealer.pseudonym(*identifier) for identifier in person.known | person.seen}
