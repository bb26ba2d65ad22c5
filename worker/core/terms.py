"""What the policy says of a ground, in the same words wherever a decision is told.

They stand in an explanation, in the story of a case and in a receipt: which law or agreement, from
which day it counts, for how long, and what the person may be told.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from worker.core.periods import Rounding
from worker.core.policy import Policy


@dataclass(frozen=True, slots=True)
class Terms:
    """The terms of one ground; ``anchor`` and ``period`` are None for one without an end."""

    kind: str
    reference: str
    anchor: str | None
    period: str | None
    rounding: str
    text: Mapping[str, str]


_AFTER: Mapping[str, Mapping[str, str]] = {
    "en": {rounding: f" after the {rounding}" for rounding in Rounding},
    "nb": {
        Rounding.END_OF_MONTH: " etter månedens slutt",
        Rounding.END_OF_YEAR: " etter årets slutt",
        Rounding.END_OF_FISCAL_YEAR: " etter regnskapsårets slutt",
    },
}
_UNTIL: Mapping[str, str] = {"en": "until", "nb": "til"}


def terms_of(policy: Policy, ground: str) -> Terms:
    """Return the terms of a ground. Raises KeyError for one that the policy does not know."""
    declared = policy.grounds[ground]
    return Terms(
        kind=declared.kind.value,
        reference=declared.reference,
        anchor=declared.anchor,
        period=None if declared.period is None else str(declared.period),
        rounding=declared.rounding.value,
        text=declared.text,
    )


def ground_sentence(
    ground: str,
    terms: Terms,
    lang: str = "en",
    *,
    why: str = "",
    counted_from: date | None = None,
    until: date | None = None,
) -> str:
    """Put a ground in one line: its name and reference, why it lives, how it counts, its text.

    Without a date it says from what kind of day the period counts.
    """
    said = [part for part in (why, _count(terms, lang, counted_from, until)) if part]
    text = terms.text.get(lang) or next(iter(terms.text.values()), "")
    return f"{ground} ({terms.reference}): {'; '.join(said)}{'. ' if said else ''}{text}".rstrip()


def kept_sentence(until: date | str | None, *, unknown: bool = False) -> str:
    """Say until when something is kept, or why nobody can say."""
    if unknown:
        return "kept because a date is missing in the store: enter it there"
    if until is not None:
        return f"kept until {until}"
    return "kept without an end yet (the period has not begun, or has none)"


def _count(terms: Terms, lang: str, counted_from: date | None, until: date | None) -> str:
    if terms.period is None:
        return ""
    start = f"{terms.anchor} {counted_from}" if counted_from else str(terms.anchor)
    end = "" if terms.rounding == Rounding.NONE else _AFTER[lang][terms.rounding]
    return f"{start} + {terms.period}{end}" + (f" = {_UNTIL[lang]} {until}" if until else "")
