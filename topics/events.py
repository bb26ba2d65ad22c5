"""What upstream can say: the kinds of event, and the ``data`` each of them carries.

Every event is a CloudEvents 1.0 event whose ``type`` is an :class:`EventKind` and whose ``data``
is JSON that fits the model of its kind in :data:`DATA`. Its ``time`` is when the thing happened;
among events about one subject and purpose the newest ``time`` wins, whatever order they arrive in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, Final

import phonenumbers
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from topics import names
from topics.moments import parse_moment
from topics.subject import FORMS, Form, Subject


class EventKind(StrEnum):
    """The CloudEvents ``type`` of every event the contract knows."""

    CONSENT_WITHDRAWN = "privacy.consent.withdrawn.v1"
    CONSENT_GIVEN = "privacy.consent.given.v1"
    MARKETING_OBJECTED = "privacy.marketing.objected.v1"
    ERASURE_REQUESTED = "privacy.erasure.requested.v1"
    RESTRICTION_REQUESTED = "privacy.restriction.requested.v1"
    RESTRICTION_LIFTED = "privacy.restriction.lifted.v1"
    RETENTION_EXPIRED = "privacy.retention.expired.v1"


ACTING: Final = frozenset(
    {
        EventKind.CONSENT_WITHDRAWN,
        EventKind.CONSENT_GIVEN,
        EventKind.MARKETING_OBJECTED,
        EventKind.ERASURE_REQUESTED,
        EventKind.RESTRICTION_REQUESTED,
        EventKind.RESTRICTION_LIFTED,
    }
)
"""The kinds that are acted on; the others are rejected with ``unsupported-type``."""


RESTRICTING: Final = frozenset({EventKind.RESTRICTION_REQUESTED, EventKind.RESTRICTION_LIFTED})
"""The kinds that erase nothing, but say in the stores whether processing is restricted."""


class Channel(StrEnum):
    """How the person reached the company: the six ways of the privacy notice, and their own page.

    For the record only; nothing is decided by it.
    """

    TELEPHONE = "telephone"
    EMAIL = "e-mail"
    CONTACT_FORM = "contact-form"
    PUBLIC_REGISTER = "public-register"
    NEWSLETTER = "newsletter"
    SURVEY = "survey"
    PREFERENCE_CENTRE = "preference-centre"


Moment = Annotated[datetime, BeforeValidator(parse_moment)]
Word = Annotated[str, StringConstraints(min_length=1, max_length=100)]


class _Data(BaseModel):
    """Rules that hold for every ``data``: no unknown members, no silent conversion, no echo."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)


class _PersonData(_Data):
    """What every event about one person carries."""

    subject: Subject = Field(
        description="Who it is about: one member for each identifier, its name the kind "
        "(customer_id, email, phone: the kinds that the policy declares), its value as written. "
        "At least one. Give only identifiers of the same person."
    )
    channel: Channel | None = Field(
        default=None,
        strict=False,
        description="How the person reached you. For the record; nothing is decided by it.",
    )
    requested_at: Moment | None = Field(
        default=None,
        description="When the person asked, if that was before the event's time: RFC 3339 with "
        "an offset. The month that the law allows is counted from the day of receipt.",
    )


class ConsentData(_PersonData):
    """``data`` of a consent withdrawn or given.

    A withdrawal stops the purposes it names and erases what only they keep. A consent given that
    is newer than a withdrawal lifts that stop again.
    """

    purposes: tuple[Word, ...] = Field(
        min_length=1,
        strict=False,
        description="The purposes the consent is about, by the names the policy declares.",
    )


class ObjectionData(_PersonData):
    """``data`` of an objection to direct marketing (GDPR art. 21(2)).

    It ends every purpose that the policy marks as direct marketing, whatever its ground.
    """


class ErasureData(_PersonData):
    """``data`` of a request for erasure (GDPR art. 17).

    It ends every consent, and every legitimate interest that the policy does not declare
    overriding. What a contract or the law keeps stays until its period is over.
    """


class RestrictionData(_PersonData):
    """``data`` of a request that processing be restricted (GDPR art. 18), or of its lifting.

    Each store says so in the columns that the policy declares for it. Nothing is erased, and no
    purpose is stopped: a restriction is no withdrawal. Tell the person before you publish that it
    is lifted (art. 18(3)).
    """


class RetentionData(_Data):
    """``data`` of a retention rule whose turn it is in one store.

    Part of the contract and not yet acted on: rejected with ``unsupported-type``.
    """

    store: Word = Field(description="The store to sweep, by the name the policy declares.")
    rule: Word = Field(description="The retention rule, by the name the policy declares.")


DATA: Final[Mapping[EventKind, type[BaseModel]]] = MappingProxyType(
    {
        EventKind.CONSENT_WITHDRAWN: ConsentData,
        EventKind.CONSENT_GIVEN: ConsentData,
        EventKind.MARKETING_OBJECTED: ObjectionData,
        EventKind.ERASURE_REQUESTED: ErasureData,
        EventKind.RESTRICTION_REQUESTED: RestrictionData,
        EventKind.RESTRICTION_LIFTED: RestrictionData,
        EventKind.RETENTION_EXPIRED: RetentionData,
    }
)
"""The model of each kind's ``data``."""

PersonData = ConsentData | ObjectionData | ErasureData | RestrictionData


@dataclass(frozen=True, slots=True)
class Event:
    """An accepted event. Identifiers are normalised; ``time`` and ``requested_at`` are in UTC.

    ``purposes`` are those the event names, each once; only consents name any.
    """

    kind: EventKind
    source: str
    id: str
    time: datetime
    subject: Subject
    purposes: tuple[str, ...]
    channel: Channel | None
    requested_at: datetime | None


@dataclass(frozen=True)
class Vocabulary:
    """The words of the policy that an event may use.

    ``identifiers``: the form of each kind of identifier; ``country``: ISO 3166-1 alpha-2, for
    telephone numbers without a country code. Raises ValueError when a form or the country is
    unknown, so that a slip of ours is found at the start and never blamed on an event.
    """

    identifiers: Mapping[str, Form]
    purposes: frozenset[str]
    country: str

    def __post_init__(self) -> None:
        """Check the words once."""
        unknown = sorted(set(self.identifiers.values()) - FORMS)
        if unknown:
            raise ValueError(f"unknown form of identifier {unknown}: use one of {sorted(FORMS)}")
        if self.country not in phonenumbers.SUPPORTED_REGIONS:
            raise ValueError(
                f"unknown country {self.country!r}: use two capital letters of ISO 3166-1, as NO"
            )


def topic_of(kind: EventKind) -> str:
    """The topic that events of a kind are published to; they are understood on any inbound one."""
    if kind in (EventKind.CONSENT_WITHDRAWN, EventKind.CONSENT_GIVEN):
        return names.CONSENT
    if kind is EventKind.RETENTION_EXPIRED:
        return names.RETENTION
    return names.REQUESTS
