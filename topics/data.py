"""The ``data`` that each kind of event carries: what upstream writes, and what is refused in it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from types import MappingProxyType
from typing import Annotated, Final, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)
from pydantic_core import PydanticCustomError

from topics.events import Channel, EventKind
from topics.moments import parse_day, parse_moment
from topics.subject import Subject

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
