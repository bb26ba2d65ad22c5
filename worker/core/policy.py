"""The policy: which store holds what, on which grounds and until when; checked whole or refused.

Made by ``Policy.model_validate(data)`` or from a file by :mod:`worker.policy_file`. A policy that
has a hole raises pydantic's ValidationError with one entry for each thing that is wrong; the
entry's ``loc`` is the way to it in the file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import date
from functools import lru_cache
from typing import Annotated, Any, Literal, Self

import holidays
from pydantic import (
    AfterValidator,
    Field,
    ModelWrapValidatorHandler,
    PrivateAttr,
    StrictBool,
    ValidationError,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from connectors.mapping import StoreMapping
from topics.events import EventKind, Vocabulary
from worker.core import periods
from worker.core.checks import hours_flaws, marketing_grounds, store_flaws
from worker.core.compiling import compile_store
from worker.core.decisions import ends, is_revocable
from worker.core.grounds import Declared, Ground, Guessable, Name, Purpose, flaw
from worker.core.linking import link_flaws
from worker.core.objectives import Objectives
from worker.core.references import Flaw, unknown_names
from worker.core.retention import RetentionRule
from worker.core.tables import Store, StoreName
from worker.core.wording import near


def _country(code: str) -> str:
    """Accept a country whose public holidays are known: deadlines are counted by them."""
    if code not in (known := holidays.list_supported_countries()):
        raise flaw(
            f"no calendar of public holidays for '{code}'; write the two letters of ISO 3166"
            f"{near(code, known) if len(code) > 2 else ''}"
        )
    return code


class IdentifierKind(Guessable):
    """A kind of identifier that events may carry."""

    form: Literal["text", "email", "phone"]
    strong: StrictBool
    """Whether it may lead from a row of one store on to another store."""


class Policy(Declared):
    """A whole policy. Everything it answers is settled when it is made."""

    version: str = Field(min_length=1, max_length=64)
    company: str = Field(min_length=1)
    country: Annotated[str, AfterValidator(_country)]
    time_zone: str
    fiscal_year_starts: Annotated[int, Field(ge=1, le=12, strict=True)] = 1
    """The month in which the accounting year begins (regnskapsloven § 1-7)."""
    identifiers: Mapping[Name, IdentifierKind] = Field(min_length=1)
    purposes: Mapping[Name, Purpose]
    grounds: Mapping[Name, Ground] = Field(min_length=1)
    stores: Mapping[StoreName, Store] = Field(min_length=1)
    retention: RetentionRule = RetentionRule()
    objectives: Objectives = Objectives()

    _content: bytes = PrivateAttr(default=b"")
    _digest: str = PrivateAttr(default="")
    _marketing: frozenset[str] = PrivateAttr(default=frozenset())
    _stops: dict[EventKind, tuple[str, ...]] = PrivateAttr(default_factory=dict)
    _mappings: dict[str, StoreMapping] = PrivateAttr(default_factory=dict)
    _used: dict[str, dict[str, Ground]] = PrivateAttr(default_factory=dict)
    _revocable: dict[str, dict[str, Ground]] = PrivateAttr(default_factory=dict)

    @model_validator(mode="wrap")
    @classmethod
    def _whole(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        """Report wrong spelling and unknown names together, then what is wrong between parts."""
        flaws = unknown_names(data)
        try:
            policy = handler(data)
        except ValidationError as error:
            raise _refusal(flaws, error) from None
        if not flaws:
            flaws = [*marketing_grounds(policy.grounds, policy.purposes)]
            flaws += hours_flaws(policy.retention, policy.stores)
            for name, store in policy.stores.items():
                flaws += store_flaws(name, store, policy.grounds)
                flaws += link_flaws(name, store, policy.grounds)
        if flaws:
            raise _refusal(flaws)
        policy._compile()
        return policy

    def _compile(self) -> None:
        self._marketing = frozenset(
            name for name, purpose in self.purposes.items() if purpose.direct_marketing
        )
        self._stops = {kind: self._purposes_ended_by(kind) for kind in EventKind}
        revocable = {
            name
            for name, ground in self.grounds.items()
            if is_revocable(ground, ground.purpose in self._marketing)
        }
        strong = {kind for kind, declared in self.identifiers.items() if declared.strong}
        for name, store in self.stores.items():
            mapping = compile_store(name, store, self.time_zone, self.grounds, revocable, strong)
            used = sorted({use.ground for group in mapping.groups() for use in group.grounds})
            self._mappings[name] = mapping
            self._used[name] = {ground: self.grounds[ground] for ground in used}
            self._revocable[name] = {g: self.grounds[g] for g in used if g in revocable}

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of the file that the policy was read from; empty without a file."""
        return self._digest

    @property
    def content(self) -> bytes:
        """The file that the policy was read from, to the letter; empty without a file."""
        return self._content

    def read_from(self, content: bytes) -> Self:
        """Return the same policy, knowing its file and the file's digest."""
        known = self.model_copy()
        known._content = content
        known._digest = hashlib.sha256(content).hexdigest()
        return known

    @property
    def direct_marketing(self) -> frozenset[str]:
        """The purposes that an objection to direct marketing ends."""
        return self._marketing

    def mapping(self, store: str) -> StoreMapping:
        """Return what the store's connector runs on. Raises KeyError for an unknown store."""
        return self._mappings[store]

    def vocabulary(self) -> Vocabulary:
        """Return what an inbound event may name: identifiers, purposes, stores with their rules."""
        return Vocabulary(
            identifiers={kind: declared.form for kind, declared in self.identifiers.items()},
            purposes=frozenset(self.purposes),
            country=self.country,
            stores={
                name: {
                    table.name: frozenset(
                        use.ground for group in table.groups for use in group.grounds
                    )
                    for table in mapping.tables
                }
                for name, mapping in self._mappings.items()
            },
            time_zone=self.time_zone,
        )

    def revocable(self, store: str) -> tuple[str, ...]:
        """Return the sorted names of the store's grounds that an event can end."""
        return tuple(self._revocable[store])

    def revocable_grounds(self, store: str) -> Mapping[str, Ground]:
        """Return the store's grounds that an event can end, sorted by name."""
        return self._revocable[store]

    def cutoffs(self, store: str, day: date) -> dict[str, date]:
        """Return, for the store's grounds with an anchor, the latest anchor over on ``day``."""
        return {
            name: periods.cutoff(day, ground.period, ground.rounding, self.fiscal_year_starts)
            for name, ground in self._used[store].items()
            if ground.period is not None
        }

    def until(self, ground: str, anchor: date) -> date:
        """Return the first day on which a ground that runs from ``anchor`` no longer lives.

        Raises KeyError for an unknown ground, ValueError for one without a period.
        """
        declared = self.grounds[ground]
        if declared.period is None:
            raise ValueError(f"the ground '{ground}' has no period; it ends by an event or never")
        return _until(anchor, declared.period, declared.rounding, self.fiscal_year_starts)

    def stopped_purposes(self, kind: EventKind, purposes: Iterable[str]) -> tuple[str, ...]:
        """Return the purposes that an event stops, sorted; ``purposes`` are the event's own.

        A withdrawal stops its own, an objection all direct marketing, an erasure request every
        purpose of a consent or of a legitimate interest not declared overriding.
        """
        if kind is EventKind.CONSENT_WITHDRAWN:
            return tuple(sorted(set(purposes)))
        return self._stops[kind]

    def _purposes_ended_by(self, kind: EventKind) -> tuple[str, ...]:
        if kind is EventKind.MARKETING_OBJECTED:
            return tuple(sorted(self._marketing))
        return tuple(
            sorted(
                {
                    ground.purpose
                    for ground in self.grounds.values()
                    if ground.purpose is not None
                    and ends(ground, ground.purpose in self._marketing, kind, ())
                }
            )
        )


_until = lru_cache(maxsize=65536)(periods.until)


def _refusal(flaws: Iterable[Flaw], error: ValidationError | None = None) -> ValidationError:
    """Return one error that tells everything, what pydantic found itself included."""
    lines = [
        InitErrorDetails(
            type=PydanticCustomError("policy", "{message}", {"message": found.what}),
            loc=found.place,
            input=None,
        )
        for found in flaws
    ]
    for entry in error.errors(include_url=False) if error else ():
        kind: str | PydanticCustomError = entry["type"]
        if kind == "policy":
            kind = PydanticCustomError("policy", "{message}", {"message": entry["msg"]})
        lines.append(
            InitErrorDetails(
                type=kind, loc=entry["loc"], input=entry["input"], ctx=entry.get("ctx", {})
            )
        )
    return ValidationError.from_exception_data("Policy", lines)
