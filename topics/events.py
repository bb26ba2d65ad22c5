"""What upstream can say: the kinds of event, and what is left of one that was accepted.

Every event is a CloudEvents 1.0 event whose ``type`` is an :class:`EventKind` and whose ``data``
is JSON that fits the model of its kind in :data:`topics.data.DATA`. Its ``time`` is when the thing
happened; among events about one subject and purpose the newest ``time`` wins, whatever order they
arrive in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import phonenumbers

from topics import names
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
