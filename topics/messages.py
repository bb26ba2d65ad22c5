"""What every message out holds: models for those who read our topics, and for the JSON Schemas.

All values are JSON in UTF-8. Times are RFC 3339 in UTC, dates ISO 8601. None of these messages
holds an identifier of a person in the clear; ``source`` and ``id`` are those of the upstream event
and as harmless as upstream makes them. :mod:`topics.writing` builds the bytes.
"""

from __future__ import annotations

from datetime import date
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from topics.data import Moment
from topics.events import EventKind
from topics.rejections import Reason


class _Message(BaseModel):
    """Frozen, and nothing in it that is not declared."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Command(_Message):
    """``erasure.commands.<store>``, keyed by the command's id: work for a connector.

    The id alone: what is to be done, and to whom, stands in the ledger (claim check).
    """

    command: int = Field(ge=1, description="The command's id in the ledger.")


class SweepOrder(_Message):
    """``erasure.sweeps.<store>``, keyed by the sweep's id: a sweep to begin or to go on with.

    The id alone. Commands that time asks for travel here too, as on ``erasure.commands.<store>``.
    """

    sweep: int = Field(ge=1, description="The sweep's id in the ledger.")


class Suppression(_Message):
    """``erasure.suppressions``, compacted, keyed by the pseudonym in hexadecimal.

    The whole state of one pseudonym: do not collect for these purposes. A message without a value
    (a tombstone) says that nothing is stopped any more.
    """

    pseudonym: str = Field(
        pattern=r"^[0-9a-f]{64}$",
        description="HMAC-SHA256 of a normalised identifier under the company's key. Still "
        "personal data: to be used for this purpose only.",
    )
    stopped: dict[str, Moment] = Field(
        min_length=1, description="Each stopped purpose, and since when."
    )


class Outcome(_Message):
    """What became of one field group, for one case in one store."""

    group: str = Field(description='Store-wide name of the field group; "*" is all of them.')
    result: Literal[
        "erased", "anonymised", "restricted", "lifted", "retained", "absent", "refused"
    ] = Field(description="lifted: a restriction of before stands no more.")
    rows: int | None = Field(default=None, ge=0, description="Rows touched; null: not known.")
    grounds: list[str] = Field(default=[], description="The grounds that keep what is kept.")
    until: date | None = Field(
        default=None, description="The first day on which no ground keeps it any more."
    )
    why: str | None = Field(
        default=None,
        description="Why it was refused (cannot-restrict), or why there is no until "
        "(unknown-anchor).",
    )
    interrupted: bool = Field(
        default=False,
        description="An earlier attempt broke off after it may have erased: nothing was left to "
        "count, and the result is erased all the same.",
    )
    contracts: int = Field(
        default=0, ge=0, description="Rows of the group in which a contract is running."
    )


class GroundTerms(_Message):
    """What the policy said of a ground when it was decided that it keeps something."""

    kind: str = Field(description="consent, contract, legal-obligation, legitimate-interest …")
    reference: str = Field(description="Article of law or agreement.")
    anchor: str | None = Field(description="From which kind of day its period counts.")
    period: str | None = Field(description="5y, 42m, 90d; null: it has no end of its own.")
    rounding: str = Field(description="To which end the day is moved first: end-of-year …")
    text: dict[str, str] = Field(description="What the person may be told, by language.")


class CaseOutcomes(_Message):
    """One case of a batch of receipts."""

    case: UUID
    outcomes: list[Outcome] = Field(min_length=1)


class Receipts(_Message):
    """``erasure.receipts``, keyed by ``answer|store``: all the cases one transaction settled.

    One message a transaction and not one a case: 500 people are erased and settled together.
    """

    answer: int = Field(description="The settling transaction: the same number is the same news.")
    store: str
    command: int | None = Field(default=None, description="Left out where nobody was found.")
    cases: list[CaseOutcomes] = Field(min_length=1)
    verified: bool = Field(description="The store was read again and showed these outcomes.")
    settled_at: Moment
    policy: str | None = Field(description="The version of the policy it was decided under.")
    grounds: dict[str, GroundTerms] = Field(
        default={}, description="Each ground that an outcome names: why it is kept, in words."
    )


class UpstreamEvent(_Message):
    """The event of upstream that a message is about."""

    source: str
    id: str
    type: EventKind


class CaseReason(_Message):
    """Why a case ended so: a code and where, never who decided nor in which words."""

    why: str = Field(
        description="newer-consent or newer-restriction: what made it void; cannot-restrict: a "
        "store cannot express a restriction; of a rejected case why it waited for somebody: "
        "ambiguous-identity, chosen-key-not-found."
    )
    store: str | None = Field(default=None, description="Where nobody knew who was meant.")
    stores: list[str] = Field(default=[], description="Those that cannot express it.")


class Completion(_Message):
    """``erasure.completed``, keyed by ``source|id`` of the upstream event: it is done with.

    ``closed``: every store has answered; ``superseded``: a newer event made it void;
    ``rejected``: an operator turned it down, see ``reason``.
    """

    event: UpstreamEvent
    case: UUID
    state: Literal["closed", "superseded", "rejected"]
    reason: CaseReason | None = Field(
        default=None,
        description="Why it ended so; of a closed case only where a store refused: it cannot "
        "express a restriction.",
    )
    due_on: date = Field(description="The last day the law allowed for it.")
    closed_at: Moment
    impact: dict[str, int] | None = Field(
        default=None,
        description="The running contracts that the event touches, per store: without the data "
        "that it ended you may be unable to keep your side of them, and the person should be "
        "told. Left out when there are none. They do not delay or change anything.",
    )
    follows: UUID | None = Field(
        default=None,
        description="The first case about the event. What it had to leave, because a ground "
        "still lived, was looked at again when its day had come: the receipts of this case say "
        "what went. Left out the first time.",
    )
    stores: dict[str, list[Outcome]] | None = Field(
        default=None, description="What became of it in each store, where that is told here."
    )


class SweepProof(_Message):
    """The independent count at the end of a sweep that is done."""

    rows: int = Field(ge=0, description="Rows past their last ground that are still there: none.")
    counted_at: Moment


class SweepReason(_Message):
    """Why a sweep was not done."""

    why: str = Field(
        description="not-gone: the store kept something back; rule-not-in-policy: the policy no "
        "longer has its table or ground; cancelled: an operator ended it."
    )
    rows: int | None = Field(
        default=None, ge=0, description="Rows past their last ground that are still there."
    )
    apart: dict[str, int] = Field(
        default={}, description="People whom the store would not let go, by why."
    )


class SweepCompletion(_Message):
    """``erasure.completed``, keyed by ``source|id`` of the retention trigger: its sweep has ended.

    Told from a completion of a case by ``sweep``, which only this has. ``done``: what was past its
    last ground is gone, see ``proof``; ``failed`` or ``cancelled``: see ``reason``, what went
    before that is counted all the same. Told once more where something was counted after the end.
    """

    event: UpstreamEvent
    sweep: int = Field(ge=1, description="Its number, as erasure retention status shows it.")
    state: Literal["done", "failed", "cancelled"]
    store: str
    table: str | None = Field(default=None, description="The rule's table; left out: every one.")
    ground: str | None = Field(default=None, description="The rule's ground; left out: every one.")
    as_of: date = Field(description="The day by which a period must have been over.")
    policy: str = Field(description="The version of the policy it was decided under.")
    ended_at: Moment
    counts: dict[str, dict[str, int]] = Field(
        description="Rows per field group and result (erased, anonymised)."
    )
    receipts: int = Field(
        ge=0, description="Written for people; one who lost data in two tables has two."
    )
    left_out: dict[str, int] = Field(
        default={},
        description="People whose data stayed although it was time, by why (held, restricted, "
        "ambiguous-identity), as counted at the end.",
    )
    proof: SweepProof | None = Field(default=None, description="Of a sweep that is done.")
    reason: SweepReason | None = Field(default=None, description="Of one that is not.")


class Rejection(_Message):
    """``erasure.rejected``, keyed by ``source|id`` where both are known: nobody could read it.

    Where the message stood, and why it was not accepted; never what it held. Correct the event
    and publish it again, with a new ``id`` or the same.
    """

    reason: Reason
    detail: str = Field(description="In words, for people; may change.")
    topic: str
    partition: int
    offset: int
    source: str | None = Field(description="Of the event, where it could be read.")
    id: str | None = Field(description="Of the event, where it could be read.")
