"""A message from an inbound topic becomes an event or a trigger, or a rejection with a reason.

Nothing in a message is trusted, neither its size nor its bytes. What is wrong with a message is
raised as :class:`~topics.rejections.Rejected`; any other exception from here is a fault of ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, cast

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from topics.data import DATA, FORM, ConsentData, PersonData, RetentionData
from topics.envelope import (
    Envelope,
    Headers,
    Origin,
    header_attributes,
    open_envelope,
    origin_of,
    own_headers,
)
from topics.events import Event, Trigger, Vocabulary
from topics.rejections import Reason, Rejected
from topics.subject import Identifier, Subject, normalise
from topics.triggers import stores_of, trigger_of

MAX_BYTES: Final = 65_536
"""Bytes at the most in the value and the headers of a message together (64 KiB)."""
FUTURE_LIMIT: Final = timedelta(hours=1)
"""How far ahead of our clock a time may be: clocks differ, but not by more."""


@dataclass(frozen=True, slots=True)
class Message:
    """A Kafka message as it came in. Its key says nothing to us."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Headers

    def __repr__(self) -> str:
        """Where it stands; what it holds is personal data."""
        return f"Message({self.topic}[{self.partition}]@{self.offset}, <masked>)"


def read(message: Message, vocabulary: Vocabulary, now: datetime) -> Event | Trigger:
    """Read one message, in structured (JSON) or binary mode of CloudEvents 1.0 on Kafka.

    ``vocabulary`` holds the words of the policy, ``now`` is our clock (with a time zone).
    Identifiers of the event returned are normalised, its times are in UTC. A retention trigger for
    a rule, which is about nobody in particular, is returned as a Trigger.

    Raises Rejected for whatever is wrong with the message, and nothing else for it.
    """
    if now.tzinfo is None:
        raise ValueError("now must have a time zone")
    headers = own_headers(message.headers)
    value = message.value
    if value is None:
        raise _unopened(Reason.TOMBSTONE, "the message has no value", headers)
    if len(value) + _size(message.headers) > MAX_BYTES:
        raise _unopened(Reason.TOO_LARGE, f"larger than {MAX_BYTES} bytes", headers)
    envelope = open_envelope(headers, value)
    origin = (envelope.source, envelope.id)
    data = _data(envelope, origin)
    _not_ahead("the attribute time", envelope.time, now, origin)
    if isinstance(data, RetentionData):
        return _retention(envelope, data, vocabulary, now, origin)
    if data.requested_at is not None:
        _not_ahead("data.requested_at", data.requested_at, now, origin)
    return Event(
        kind=envelope.kind,
        source=envelope.source,
        id=envelope.id,
        time=envelope.time,
        subject=_subject(data.subject, vocabulary, origin),
        purposes=_purposes(data, vocabulary, origin),
        channel=data.channel,
        requested_at=data.requested_at,
    )


def _retention(
    envelope: Envelope,
    data: RetentionData,
    vocabulary: Vocabulary,
    now: datetime,
    origin: Origin,
) -> Event | Trigger:
    if data.subject is None:
        today = vocabulary.today(now)
        return trigger_of(envelope.source, envelope.id, envelope.time, data, vocabulary, today)
    return Event(
        kind=envelope.kind,
        source=envelope.source,
        id=envelope.id,
        time=envelope.time,
        subject=_subject(data.subject, vocabulary, origin),
        purposes=(),
        channel=None,
        requested_at=None,
        stores=stores_of(data, vocabulary, origin),
    )


def _size(headers: Headers) -> int:
    return sum(len(name) + len(value or b"") for name, value in headers)


def _unopened(reason: Reason, detail: str, headers: Mapping[str, bytes]) -> Rejected:
    """A rejection of a value nobody looked into; binary mode still says whose it is."""
    return Rejected(reason, detail, *origin_of(header_attributes(headers)))


def _data(envelope: Envelope, origin: Origin) -> PersonData | RetentionData:
    try:
        # The models of the kinds that the envelope lets through are these.
        return cast(PersonData | RetentionData, DATA[envelope.kind].model_validate(envelope.data))
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    # Raised out here: the validation error knows the input and must not be linked to.
    raise Rejected(*_what_is_wrong(envelope, first), *origin)


def _what_is_wrong(envelope: Envelope, error: ErrorDetails) -> tuple[Reason, str]:
    """Reason and detail of a validation error; only names of our own members are repeated."""
    if envelope.data is None:
        return Reason.BAD_DATA, "the event has no data"
    place = error["loc"]
    if error["type"] == FORM:
        return Reason.BAD_DATA, error["msg"]
    if not place:
        return Reason.BAD_DATA, "data must be an object"
    member = place[0]
    if member not in DATA[envelope.kind].model_fields:
        return Reason.BAD_DATA, "data has a member that its type does not have"
    if member == "subject" and len(place) == 1:
        return Reason.NO_SUBJECT, "data.subject must be an object with one identifier or more"
    if member == "subject":
        return Reason.BAD_IDENTIFIER, "an identifier in data.subject is not a text, or is empty"
    if member == "requested_at":
        detail = "is not an RFC 3339 time with an offset from UTC, as 2026-03-10T09:30:00Z"
        return Reason.BAD_TIME, f"data.requested_at {detail}"
    if member == "as_of":
        return Reason.BAD_TIME, "data.as_of is not a day, as 2026-11-01"
    return Reason.BAD_DATA, f"data.{member} is missing or does not fit its schema"


def _not_ahead(what: str, moment: datetime, now: datetime, origin: Origin) -> None:
    if moment - now > FUTURE_LIMIT:
        detail = f"{what} is more than an hour in the future: check the clock that set it"
        raise Rejected(Reason.FUTURE_TIME, detail, *origin)


def _subject(raw: Subject, vocabulary: Vocabulary, origin: Origin) -> Subject:
    """Normalised, in the order of the kinds' names, so that equal people are equal subjects."""
    done = []
    for identifier in sorted(raw.identifiers, key=_kind):
        kind = identifier.kind
        form = vocabulary.identifiers.get(kind)
        if form is None:
            detail = "data.subject has a kind that the policy does not declare; it declares "
            declared = ", ".join(sorted(vocabulary.identifiers))
            raise Rejected(Reason.UNKNOWN_IDENTIFIER, detail + declared, *origin)
        try:
            done.append(Identifier(kind, normalise(form, identifier.value, vocabulary.country)))
            continue
        except ValueError as error:
            detail = f"data.subject.{kind} {error}"
        raise Rejected(Reason.BAD_IDENTIFIER, detail, *origin)
    return Subject(tuple(done))


def _kind(identifier: Identifier) -> str:
    return identifier.kind


def _purposes(data: PersonData, vocabulary: Vocabulary, origin: Origin) -> tuple[str, ...]:
    """Each purpose once, in the order of the event."""
    if not isinstance(data, ConsentData):
        return ()
    for place, purpose in enumerate(data.purposes):
        if purpose not in vocabulary.purposes:
            detail = f"data.purposes[{place}] is not declared by the policy; it declares "
            declared = ", ".join(sorted(vocabulary.purposes))
            raise Rejected(Reason.UNKNOWN_PURPOSE, detail + declared, *origin)
    return tuple(dict.fromkeys(data.purposes))
