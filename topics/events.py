"""What upstream can say: the kinds of event, and the ``data`` each of them carries.

Every event is a CloudEvents 1.0 event whose ``type`` is an :class:`EventKind` and whose ``data``
is JSON that fits the model of its kind in :data:`DATA`. Its ``time`` is when the thing happened;
among events about one subject and purpose the newest ``time`` wins, whatever order they arrive in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, Final, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import phonenumbers
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)
from pydantic_core import PydanticCustomError

from topics import names
from topics.moments import parse_day, parse_moment
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
        EventKind.RETENTION_EXPIRED,
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
Day = Annotated[date, BeforeValidator(parse_day)]
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


FORM: Final = "form"
"""The type of the error of a ``data`` whose members do not go together; its text may be shown."""
_FORMS_OF_RETENTION: Final = (
    "give data.subject, with data.stores if not all stores are meant, to look at one person; or "
    "data.store, with data.table, data.ground and data.as_of if they are to limit it, to sweep"
)


class RetentionData(_Data):
    """``data`` of a retention trigger: time may be up for one subject, or by a rule of one store.

    A hint and not an order: the worker decides by the policy, and what is not yet due stays. Give
    ``subject`` (and ``stores``, if not all are meant), or ``store`` (and ``table``, ``ground``,
    ``as_of``); never both.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "oneOf": [{"required": ["subject"]}, {"required": ["store"]}],
            "dependentRequired": {
                "stores": ["subject"],
                "table": ["store"],
                "ground": ["store"],
                "as_of": ["store"],
            },
        }
    )

    subject: Subject | None = Field(
        default=None,
        description="One person to look at: one member for each identifier, as in a request. "
        "At least one.",
    )
    stores: tuple[Word, ...] | None = Field(
        default=None,
        min_length=1,
        strict=False,
        description="The stores to look in for the subject, by the names the policy declares; "
        "without it, all.",
    )
    store: Word | None = Field(
        default=None, description="The store to sweep, by the name the policy declares."
    )
    table: Word | None = Field(default=None, description="Only this table of the store.")
    ground: Word | None = Field(
        default=None, description="Only what rested on this ground, by the policy's name for it."
    )
    as_of: Day | None = Field(
        default=None,
        description="Sweep what was over on this day, as 2026-11-01; never in the future. "
        "Without it, today.",
    )

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        given = self.model_fields_set
        by_rule = {"store", "table", "ground", "as_of"}
        if self.subject is None and self.store is None:
            wrong = "neither subject nor store is given"
        elif "subject" in given and given & by_rule:
            wrong = "subject does not go with store, table, ground and as_of"
        elif "stores" in given and "store" in given:
            wrong = "stores goes with subject, and store stands alone"
        else:
            return self
        raise PydanticCustomError(FORM, "{wrong}", {"wrong": f"{wrong}: {_FORMS_OF_RETENTION}"})


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

    ``purposes`` are those the event names, each once; only consents name any. ``stores`` are the
    only ones that it is about, sorted; empty: all. Only a retention trigger names any.
    """

    kind: EventKind
    source: str
    id: str
    time: datetime
    subject: Subject
    purposes: tuple[str, ...]
    channel: Channel | None
    requested_at: datetime | None
    stores: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Trigger:
    """An accepted retention trigger for a rule: sweep a store, or a part of it.

    ``time`` is in UTC. ``table`` and ``ground`` limit the sweep; None: they do not. ``as_of`` is
    never in the future; None: today.
    """

    source: str
    id: str
    time: datetime
    store: str
    table: str | None
    ground: str | None
    as_of: date | None


@dataclass(frozen=True)
class Vocabulary:
    """The words of the policy that an event may use.

    ``identifiers``: the form of each kind of identifier; ``country``: ISO 3166-1 alpha-2, for
    telephone numbers without a country code; ``stores``: the grounds that each table of each store
    uses; ``time_zone``: by which it is today, as in the IANA database. Raises ValueError when a
    form, the country or the time zone is unknown, so that a slip of ours is found at the start and
    never blamed on an event.
    """

    identifiers: Mapping[str, Form]
    purposes: frozenset[str]
    country: str
    stores: Mapping[str, Mapping[str, frozenset[str]]]
    time_zone: str

    def __post_init__(self) -> None:
        """Check the words once."""
        unknown = sorted(set(self.identifiers.values()) - FORMS)
        if unknown:
            raise ValueError(f"unknown form of identifier {unknown}: use one of {sorted(FORMS)}")
        if self.country not in phonenumbers.SUPPORTED_REGIONS:
            raise ValueError(
                f"unknown country {self.country!r}: use two capital letters of ISO 3166-1, as NO"
            )
        try:
            ZoneInfo(self.time_zone)
        except (ZoneInfoNotFoundError, ValueError):
            raise ValueError(
                f"unknown time zone {self.time_zone!r}: use a name of the IANA database, as "
                "Europe/Oslo"
            ) from None

    def today(self, now: datetime) -> date:
        """Which day it is by the policy's clock; ``now`` has a time zone."""
        return now.astimezone(ZoneInfo(self.time_zone)).date()


def topic_of(kind: EventKind) -> str:
    """The topic that events of a kind are published to; they are understood on any inbound one."""
    if kind in (EventKind.CONSENT_WITHDRAWN, EventKind.CONSENT_GIVEN):
        return names.CONSENT
    if kind is EventKind.RETENTION_EXPIRED:
        return names.RETENTION
    return names.REQUESTS
