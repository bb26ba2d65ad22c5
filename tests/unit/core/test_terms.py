"""The terms of a ground in words, alike wherever they are told."""

from __future__ import annotations

from datetime import date

import pytest

from tests.unit.core.policies import NORDLYS
from worker.core.terms import ground_sentence, kept_sentence, terms_of
from worker.policy_file import load

POLICY = load(NORDLYS)


def test_a_period_is_told_with_its_day_and_its_end() -> None:
    """Name, law, why, the day it counts from, its length and rounding, and what people are told."""
    words = ground_sentence(
        "customer-contract",
        terms_of(POLICY, "customer-contract"),
        "nb",
        why="its period runs",
        counted_from=date(2026, 3, 10),
        until=date(2026, 3, 11),
    )
    assert words.startswith(
        "customer-contract (GDPR art. 6(1)(b); Vilkår og betingelser): its period runs; "
        "contract-end 2026-03-10 + 0d = til 2026-03-11. Du har en avtale med oss."
    )


def test_without_a_day_the_kind_of_day_is_told() -> None:
    """A receipt of many rows knows no one day: it says from which kind the period counts."""
    words = ground_sentence("bookkeeping", terms_of(POLICY, "bookkeeping"))
    assert ": document-date + 5y after the end-of-" in words
    assert words.endswith("The Bookkeeping Act requires us to keep accounting material.")


def test_a_ground_without_an_end_has_no_count() -> None:
    """A consent has no period."""
    words = ground_sentence("newsletter-consent", terms_of(POLICY, "newsletter-consent"))
    assert words.endswith("§ 15): You have consented to the newsletter.")


@pytest.mark.parametrize(
    ("until", "unknown", "words"),
    [
        (date(2032, 1, 1), False, "kept until 2032-01-01"),
        (None, False, "kept without an end yet"),
        (date(2032, 1, 1), True, "kept because a date is missing"),
    ],
)
def test_until_when(until: date | None, unknown: bool, words: str) -> None:
    """Each way in which something is kept has its sentence."""
    assert kept_sentence(until, unknown=unknown).startswith(words)
