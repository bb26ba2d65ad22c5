"""The ledger's words in sentences: each outcome and each reason has one."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.core.policies import NORDLYS
from topics.events import EventKind
from worker.core.policy import Policy
from worker.observe.wording import EVENTS, ground_words, outcome_words, reason_words
from worker.policy_file import load


@pytest.fixture(scope="module")
def policy() -> Policy:
    """Give the policy of the demo company."""
    return load(NORDLYS)


def test_every_kind_of_event_has_a_name() -> None:
    """No event is shown by its code alone."""
    assert EVENTS.keys() == set(EventKind)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"result": "erased", "rows": 1}, "erased, 1 row"),
        (
            {"result": "erased", "rows": None, "interrupted": True},
            "erased, by an attempt that was cut short, so nobody counted the rows",
        ),
        ({"result": "anonymised", "rows": 2}, "overwritten or emptied as declared, 2 rows"),
        ({"result": "absent"}, "nothing was there"),
        ({"result": "absent", "group": "*"}, "nobody was found here"),
        ({"result": "retained", "rows": 0, "until": "2032-01-01"}, "kept until 2032-01-01"),
        (
            {"result": "retained", "rows": 3, "until": "2032-01-01"},
            "3 rows erased; the rest is kept until 2032-01-01",
        ),
        (
            {"result": "retained", "rows": 0, "until": None},
            "kept without an end yet (the period has not begun, or has none)",
        ),
        (
            {"result": "retained", "rows": 0, "until": "2032-01-01", "why": "unknown-anchor"},
            "kept because a date is missing in the store: enter it there",
        ),
        ({"result": "refused", "why": "hold"}, "refused: hold"),
        (
            {"result": "refused", "rows": 0, "why": "cannot-restrict"},
            "refused: the policy declares no column that says so; restrict it by hand",
        ),
        ({"result": "restricted", "rows": 1}, "marked as restricted, 1 row changed"),
        ({"result": "lifted", "rows": 2}, "no longer marked as restricted, 2 rows changed"),
    ],
)
def test_every_outcome_has_a_sentence(policy: Policy, row: dict[str, Any], words: str) -> None:
    """What became of a field group is said in words, also when nobody could count."""
    assert outcome_words(policy, {"group": "invoice.buyer_name", **row}).words == words


def test_a_ground_is_explained_by_the_policy(policy: Policy) -> None:
    """A ground comes with its reference and its text; one that the policy lost is said to be."""
    line = ground_words(policy, "bookkeeping").words
    assert "bokføringsloven § 13" in line
    assert "The Bookkeeping Act requires us to keep accounting material." in line
    assert "document-date + 5y after the end-of-" in line
    for unreadable in (ground_words(policy, "gone"), ground_words(None, "gone")):
        assert unreadable.words == "gone (its policy can be read no more)"


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        (None, ""),
        (
            {"why": "ambiguous-identity", "store": "crm", "people": 2, "by": ["email"]},
            "email led to 2 rows in crm instead of one",
        ),
        (
            {"why": "chosen-key-not-found", "store": "crm", "people": 0, "by": []},
            "the key that was chosen for crm does not belong to the person",
        ),
        ({"why": "newer-consent"}, "a newer consent took its place"),
        ({"why": "newer-restriction"}, "something newer was said about the restriction"),
        (
            {"why": "cannot-restrict", "stores": ["newsletter"]},
            "newsletter cannot say everywhere that processing is restricted",
        ),
        (
            {"why": "newer-consent", "rejected_by": "Kari", "rejected_because": "a mistake"},
            "Kari decided: a mistake",
        ),
    ],
)
def test_every_reason_has_a_sentence(reason: dict[str, Any] | None, words: str) -> None:
    """Why a case is parked, superseded or rejected is said in words."""
    assert reason_words(reason).startswith(words)
