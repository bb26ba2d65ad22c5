"""Grounds: why a field may be held (GDPR art. 6(1)), for which purpose and for how long."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, model_validator
from pydantic_core import PydanticCustomError

from worker.core.periods import Period, Rounding

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,62}$")]


class Declared(BaseModel):
    """Base of everything that a policy file declares: unknown keys are refused, values frozen."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Guessable(Declared):
    """What a draft may have guessed; a guess is refused until somebody takes the mark away."""

    guess: StrictBool = False


class GroundKind(StrEnum):
    """The kinds of grounds of GDPR art. 6(1) that a policy can declare."""

    CONSENT = "consent"
    CONTRACT = "contract"
    LEGAL_OBLIGATION = "legal-obligation"
    LEGITIMATE_INTEREST = "legitimate-interest"
    LEGAL_CLAIM = "legal-claim"
    """To establish, exercise or defend legal claims (art. 17(3)(e)); held as art. 6(1)(f)."""


_NEEDS_PURPOSE = frozenset({GroundKind.CONSENT, GroundKind.LEGITIMATE_INTEREST})


def flaw(message: str) -> PydanticCustomError:
    """Return the error of a declaration that cannot stand. The text says what to write instead."""
    return PydanticCustomError("policy", "{message}", {"message": message})


def _period(written: object) -> Period:
    """Read a period as the policy writes it."""
    if isinstance(written, Period):
        return written
    if not isinstance(written, str):
        raise flaw("a period is a number with a unit; write for example 5y, 42m, 90d or 0d")
    try:
        return Period.parse(written)
    except ValueError as error:
        raise flaw(str(error)) from None


class Purpose(Declared):
    """What personal data are used for, in words a person can read."""

    text: Mapping[str, str] = Field(default_factory=dict)
    direct_marketing: StrictBool = False
    """Objecting to direct marketing ends this purpose at once (GDPR art. 21(2)-(3))."""


class Ground(Guessable):
    """One ground. With an anchor and a period it ends by itself, without them it stays open."""

    kind: GroundKind
    reference: str = Field(min_length=1)
    """Article of law or agreement."""
    purpose: str | None = None
    text: Mapping[str, str] = Field(default_factory=dict)
    anchor: str | None = None
    """The abstract name of the starting point; each table maps it to a column."""
    period: Annotated[Period, BeforeValidator(_period)] | None = None
    rounding: Rounding = Rounding.NONE
    evidence: Literal["ledger", "column"] | None = None
    """Where the state of a consent is read (art. 7(1)): the ledger's record of events alone, or a
    column besides, which each table that uses the ground maps under ``evidence``."""
    overriding: StrictBool = False
    """A legitimate interest that an erasure request does not end (GDPR art. 17(1)(c), 21(1))."""

    @model_validator(mode="after")
    def _stands(self) -> Self:
        if self.kind in _NEEDS_PURPOSE and self.purpose is None:
            raise flaw(f"a {self.kind} is given for a purpose; add purpose: <name>")
        if self.period is not None and self.anchor is None:
            raise flaw(f"period {self.period} without an anchor never begins; add anchor: <name>")
        if self.anchor is not None and self.period is None:
            raise flaw(f"anchor '{self.anchor}' without a period; add period: 0d, 90d, 42m, 5y …")
        if self.rounding is not Rounding.NONE and self.anchor is None:
            raise flaw("rounding moves an anchor, but none is declared; add anchor and period")
        if self.evidence is not None and self.kind is not GroundKind.CONSENT:
            raise flaw(f"evidence is given of a consent, not of a {self.kind}; drop evidence")
        if self.overriding and self.kind is not GroundKind.LEGITIMATE_INTEREST:
            raise flaw(f"overriding is said of a legitimate-interest, not of a {self.kind}")
        return self
