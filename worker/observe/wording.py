"""The ledger's terse words, put so that an operator or a privacy officer can read them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from topics.events import EventKind
from worker.core.outcomes import UNKNOWN_ANCHOR
from worker.core.policy import Policy
from worker.core.restricting import CANNOT_RESTRICT
from worker.core.terms import Terms, ground_sentence, kept_sentence, terms_of
from worker.core.wording import counted
from worker.ledger.actions import Action, Did

EVENTS: Final[Mapping[EventKind, str]] = {
    EventKind.CONSENT_WITHDRAWN: "consent withdrawn",
    EventKind.CONSENT_GIVEN: "consent given",
    EventKind.MARKETING_OBJECTED: "objection to direct marketing",
    EventKind.ERASURE_REQUESTED: "erasure requested",
    EventKind.RESTRICTION_REQUESTED: "restriction requested",
    EventKind.RESTRICTION_LIFTED: "restriction lifted",
    EventKind.RETENTION_EXPIRED: "retention period over",
}

ACTIONS: Final[Mapping[Did, str]] = {
    Did.RETRIED: "given to its store again",
    Did.CASE_RESUMED: "resumed",
    Did.CASE_REJECTED: "rejected",
    Did.DEADLINE_EXTENDED: "deadline extended by two months",
    Did.HOLD_PLACED: "hold placed",
    Did.HOLD_RELEASED: "hold released",
    Did.SWEEP_ASKED: "sweep asked for",
    Did.SWEEP_PAUSED: "sweep paused",
    Did.SWEEP_RESUMED: "sweep resumed",
    Did.SWEEP_CANCELLED: "sweep cancelled",
    Did.SWEEP_APPROVED: "sweep approved",
    Did.FLOOD_APPROVED: "events of a day approved",
    Did.STORE_PAUSED: "store paused",
    Did.STORE_DRAINED: "store drained",
    Did.STORE_RESUMED: "store resumed",
}

EVERYTHING: Final = "*"
"""The group of an outcome that is about a whole store: nobody was found there."""


def action_words(action: Action) -> str:
    """Say what an operator did, who it was and why."""
    kind, _, which = action.target.partition(":")
    about = f"command {which} " if kind == "command" else ""
    said = f"{about}{ACTIONS[action.what]} by {action.by}"
    return said if action.reason is None else f"{said}: {action.reason}"


@dataclass(frozen=True, slots=True)
class GroundWords:
    """A ground that keeps something, as the policy declared it when that was decided."""

    name: str
    terms: Terms | None
    words: str


@dataclass(frozen=True, slots=True)
class OutcomeWords:
    """What became of one field group: the ledger's own words, and a sentence."""

    group: str
    result: str
    rows: int | None
    until: str | None
    why: str | None
    grounds: tuple[GroundWords, ...]
    words: str


def outcome_words(policy: Policy | None, row: Mapping[str, Any]) -> OutcomeWords:
    """Explain one outcome as the ledger holds it, by the policy that it was decided under.

    None: that version can be read no more, and grounds are told by their names.
    """
    grounds = tuple(ground_words(policy, name) for name in row.get("grounds", ()))
    return OutcomeWords(
        group=row["group"],
        result=row["result"],
        rows=row.get("rows"),
        until=row.get("until"),
        why=row.get("why"),
        grounds=grounds,
        words=_sentence(row),
    )


def ground_words(policy: Policy | None, name: str) -> GroundWords:
    """Explain a ground by what the policy says of it."""
    if policy is None or name not in policy.grounds:
        return GroundWords(name, None, f"{name} (its policy can be read no more)")
    terms = terms_of(policy, name)
    return GroundWords(name, terms, ground_sentence(name, terms))


def _sentence(row: Mapping[str, Any]) -> str:
    result, rows = row["result"], row.get("rows")
    if row.get("interrupted"):
        some = "by an attempt that was cut short, so nobody counted the rows"
    else:
        some = counted(rows or 0, "row")
    if result == "retained":
        before = f"{some} erased; the rest is " if rows or row.get("interrupted") else ""
        return before + kept_sentence(row.get("until"), unknown=row.get("why") == UNKNOWN_ANCHOR)
    if result == "erased":
        return f"erased, {some}"
    if result == "anonymised":
        return f"overwritten or emptied as declared, {some}"
    if result == "restricted":
        return f"marked as restricted, {some} changed"
    if result == "lifted":
        return f"no longer marked as restricted, {some} changed"
    if row.get("why") == CANNOT_RESTRICT:
        return "refused: the policy declares no column that says so; restrict it by hand"
    if result == "absent":
        return "nobody was found here" if row["group"] == EVERYTHING else "nothing was there"
    return result if not row.get("why") else f"{result}: {row['why']}"


def reason_words(reason: Mapping[str, Any] | None) -> str:
    """Say in a sentence why a case is parked, held, superseded or rejected."""
    if not reason:
        return ""
    why = reason.get("why")
    store = reason.get("store")
    said = str(why)
    if why == "ambiguous-identity":
        by = " and ".join(reason.get("by") or ()) or "the identifiers given"
        said = f"{by} led to {counted(int(reason['people']), 'row')} in {store} instead of one"
        said += ": nobody knows which of them is the person, so nothing was erased"
    elif why == "chosen-key-not-found":
        said = f"the key that was chosen for {store} does not belong to the person of the event"
    elif why == "hold":
        said = f"hold {reason['hold']} stands: nothing of the person is erased until its release"
    elif why == "restriction":
        said = "processing is restricted: what expires waits until the restriction is lifted"
    elif why == CANNOT_RESTRICT:
        stores = ", ".join(reason.get("stores") or ())
        said = f"{stores} cannot say everywhere that processing is restricted: see its outcomes"
    elif why == "newer-restriction":
        said = "something newer was said about the restriction"
    elif why == "newer-consent":
        said = "a newer consent took its place"
    if "rejected_by" in reason:
        said = f"{reason['rejected_by']} decided: {reason['rejected_because']} ({said})"
    return said
