"""What an event becomes in the ledger: a case, and the record of what its subject has said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from topics.events import RESTRICTING, Event, EventKind
from worker import restrictions
from worker.context import Context
from worker.core.case_id import case_id
from worker.core.deadline import due_on
from worker.core.decisions import ConsentState, record
from worker.core.lifecycle import CaseState
from worker.ledger import consents
from worker.ledger.answers import Answer
from worker.ledger.endings import Ended
from worker.resolve import Person

_EFFECTS = {
    EventKind.CONSENT_WITHDRAWN: "withdrawn",
    EventKind.MARKETING_OBJECTED: "objected",
    EventKind.ERASURE_REQUESTED: "objected",
    EventKind.CONSENT_GIVEN: "given",
}
"""What an event says of a purpose; one about a restriction names none."""


@dataclass(frozen=True, slots=True)
class NewCase:
    """An event on its way into the ledger, with the pseudonyms and purposes it touches."""

    id: UUID
    event: Event
    pseudonyms: tuple[bytes, ...]
    purposes: tuple[str, ...]
    """What it stops or gives, which for an objection or a request the policy says."""


def new_case(context: Context, event: Event) -> NewCase:
    """Make the case of an event: with its pseudonyms, and the purposes that it touches."""
    return NewCase(
        id=case_id(event.source, event.id),
        event=event,
        pseudonyms=tuple(
            context.sealer.pseudonym(identifier.kind, identifier.value)
            for identifier in event.subject.identifiers
        ),
        purposes=event.purposes
        if event.kind is EventKind.CONSENT_GIVEN
        else context.policy.stopped_purposes(event.kind, event.purposes),
    )


def merged(
    before: dict[bytes, consents.States], fresh: Sequence[NewCase]
) -> dict[bytes, consents.States]:
    """The states on record with what the new cases say added, for every pseudonym of theirs."""
    states: dict[bytes, dict[str, ConsentState]] = {
        pseudonym: dict(purposes) for pseudonym, purposes in before.items()
    }
    for new in fresh:
        said = record(new.event.kind, new.event.time)
        for pseudonym in new.pseudonyms:
            for purpose in new.purposes:
                purposes = states.setdefault(pseudonym, {})
                known = purposes.get(purpose)
                purposes[purpose] = said if known is None else known.merge(said)
    return states


def person_of(new: NewCase) -> Person:
    """Whom a case is about, as the stores are asked."""
    return Person(
        new.id,
        {(identifier.kind, identifier.value) for identifier in new.event.subject.identifiers},
        stores=new.event.stores,
    )


def state_of(new: NewCase, superseded: set[UUID], given: set[UUID]) -> CaseState:
    """Where a new case stands: what gives a consent has nothing to do and is closed."""
    if new.id in superseded:
        return CaseState.SUPERSEDED
    return CaseState.CLOSED if new.id in given else CaseState.OPEN


def row_of(
    context: Context,
    new: NewCase,
    batch_id: int,
    state: CaseState,
    answer: Answer | None,
    now: datetime,
) -> dict[str, Any]:
    """Make the row of a new case in the ledger."""
    event = new.event
    asked = (event.requested_at or event.time).astimezone(ZoneInfo(context.policy.time_zone))
    ended = state is not CaseState.OPEN
    return {
        "id": new.id,
        "batch_id": batch_id,
        "source": event.source,
        "event_id": event.id,
        "kind": event.kind.value,
        "purposes": list(event.purposes),
        "channel": event.channel.value if event.channel else None,
        "event_time": event.time,
        "received_at": now,
        "due_on": due_on(asked.date(), context.policy.country),
        "asked_on": None if event.kind is EventKind.RETENTION_EXPIRED else asked.date(),
        "state": state.value,
        "reason": _superseded(event.kind) if state is CaseState.SUPERSEDED else None,
        "closed_at": now if ended else None,
        "answer_id": answer.id if ended and answer else None,
    }


def _superseded(kind: EventKind) -> Mapping[str, str]:
    return restrictions.OVERTAKEN if kind in RESTRICTING else {"why": "newer-consent"}


def records_of(new: NewCase) -> list[tuple[bytes, str, UUID, str, datetime]]:
    """What a case says of each purpose, for every pseudonym of its subject."""
    return [
        (pseudonym, purpose, new.id, _EFFECTS[new.event.kind], new.event.time)
        for pseudonym in dict.fromkeys(new.pseudonyms)
        for purpose in new.purposes
    ]


def ended_of(row: dict[str, Any]) -> Ended:
    """Make what upstream is told of a row that has ended."""
    return Ended(
        id=row["id"],
        source=row["source"],
        event_id=row["event_id"],
        kind=row["kind"],
        state=row["state"],
        due_on=row["due_on"],
        closed_at=row["closed_at"],
        reason=row["reason"],
    )
