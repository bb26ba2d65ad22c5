"""The decision table, every cell of it, and what newer events change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from topics.events import EventKind
from worker.core.decisions import ConsentState, ended, ends, is_revocable, record
from worker.core.grounds import Ground, GroundKind

T1 = datetime(2026, 11, 1, 12, tzinfo=UTC)
T2 = T1 + timedelta(seconds=1)
T3 = T1 + timedelta(seconds=2)
E = EventKind

# One ground of every sort, for a marketing purpose ("m") and for another ("o").
SORTS = {
    "consent-m": (Ground(kind=GroundKind.CONSENT, purpose="m", reference="a"), True),
    "consent-o": (Ground(kind=GroundKind.CONSENT, purpose="o", reference="a"), False),
    "interest-m": (Ground(kind=GroundKind.LEGITIMATE_INTEREST, purpose="m", reference="f"), True),
    "interest-o": (Ground(kind=GroundKind.LEGITIMATE_INTEREST, purpose="o", reference="f"), False),
    "overriding-o": (
        Ground(kind=GroundKind.LEGITIMATE_INTEREST, purpose="o", reference="f", overriding=True),
        False,
    ),
    "contract": (Ground(kind=GroundKind.CONTRACT, reference="b"), False),
    "contract-o": (Ground(kind=GroundKind.CONTRACT, purpose="o", reference="b"), False),
    "duty": (Ground(kind=GroundKind.LEGAL_OBLIGATION, reference="c"), False),
    "claim": (Ground(kind=GroundKind.LEGAL_CLAIM, reference="f"), False),
}
MARKETING = {"m"}

# What each event ends; withdrawals by the purposes they name. Nothing else is ended by anything.
TABLE: dict[tuple[EventKind, tuple[str, ...]], set[str]] = {
    (E.CONSENT_WITHDRAWN, ()): set(),
    (E.CONSENT_WITHDRAWN, ("m",)): {"consent-m"},
    (E.CONSENT_WITHDRAWN, ("o",)): {"consent-o"},
    (E.CONSENT_WITHDRAWN, ("m", "o")): {"consent-m", "consent-o"},
    (E.MARKETING_OBJECTED, ()): {"consent-m", "interest-m"},
    (E.ERASURE_REQUESTED, ()): {"consent-m", "consent-o", "interest-m", "interest-o"},
    (E.CONSENT_GIVEN, ("m", "o")): set(),
    (E.RESTRICTION_REQUESTED, ()): set(),
    (E.RETENTION_EXPIRED, ()): set(),
}
CELLS = [(*event, sort) for event, sort in product(TABLE, SORTS)]


@pytest.mark.parametrize(("kind", "purposes", "sort"), CELLS)
def test_every_cell(kind: EventKind, purposes: tuple[str, ...], sort: str) -> None:
    """Each kind of event ends exactly the sorts of grounds that the table names."""
    ground, marketing = SORTS[sort]
    assert ends(ground, marketing, kind, purposes) is (sort in TABLE[kind, purposes])


@pytest.mark.parametrize(("kind", "purposes"), list(TABLE))
def test_record_says_what_the_event_says(kind: EventKind, purposes: tuple[str, ...]) -> None:
    """Decided from the record of one event, the same grounds end as by the event itself."""
    grounds = {name: ground for name, (ground, _) in SORTS.items()}
    stopped = {
        E.MARKETING_OBJECTED: ("m",),
        E.ERASURE_REQUESTED: ("m", "o"),
    }.get(kind, purposes)
    states = {purpose: record(kind, T1) for purpose in stopped}
    assert ended(grounds, MARKETING, kind, purposes, states) == TABLE[kind, purposes]
    assert ended(grounds, MARKETING, kind, purposes, {}) == TABLE[kind, purposes]


def test_objection_ends_marketing_whatever_its_ground() -> None:
    """Even a contract for direct marketing, which a policy may not declare, yields to it."""
    contract = Ground(kind=GroundKind.CONTRACT, purpose="m", reference="b")
    assert ends(contract, True, E.MARKETING_OBJECTED, ())
    states = {"m": record(E.MARKETING_OBJECTED, T1)}
    assert ended({"c": contract}, MARKETING, E.MARKETING_OBJECTED, (), states) == {"c"}


def test_revocable() -> None:
    """Only consents and interests that do not override can be ended by some event."""
    can = {name for name, (ground, marketing) in SORTS.items() if is_revocable(ground, marketing)}
    assert can == {"consent-m", "consent-o", "interest-m", "interest-o"}


@pytest.mark.parametrize(
    ("withdrawn", "given", "stopped"),
    [
        (None, None, False),
        (None, T1, False),
        (T1, None, True),
        (T2, T1, True),
        (T1, T2, False),
        (T1, T1, True),
    ],
)
def test_newest_wins(withdrawn: datetime | None, given: datetime | None, stopped: bool) -> None:
    """The newer of withdrawal and consent decides; at the same instant the stop does."""
    assert ConsentState(withdrawn_at=withdrawn, given_at=given).stopped is stopped


def test_newer_consent_revives_consent_only() -> None:
    """Consent given after a request lives again; the interest that was objected to does not."""
    grounds = {name: ground for name, (ground, _) in SORTS.items()}
    state = record(E.ERASURE_REQUESTED, T1).merge(record(E.CONSENT_GIVEN, T2))
    gone = ended(grounds, MARKETING, E.ERASURE_REQUESTED, (), {"m": state, "o": state})
    assert gone == {"interest-m", "interest-o"}


def test_older_events_change_nothing() -> None:
    """What arrives late but happened earlier leaves the state as it is."""
    newest = record(E.CONSENT_GIVEN, T3).merge(record(E.CONSENT_WITHDRAWN, T2))
    assert newest.merge(record(E.CONSENT_WITHDRAWN, T1)).merge(record(E.CONSENT_GIVEN, T1)) == (
        newest
    )


def test_withdrawal_is_no_objection() -> None:
    """Who withdraws consent to a purpose has not objected to an interest in the same purpose."""
    interest = Ground(kind=GroundKind.LEGITIMATE_INTEREST, purpose="m", reference="f")
    states = {"m": record(E.CONSENT_WITHDRAWN, T1)}
    assert not ended({"i": interest}, MARKETING, E.CONSENT_WITHDRAWN, ("m",), states)


def test_record_outweighs_the_event() -> None:
    """Where the record knows a purpose, it decides, and not the event that is being planned."""
    consent = Ground(kind=GroundKind.CONSENT, purpose="m", reference="a")
    states = {"m": ConsentState(withdrawn_at=T1, given_at=T2)}
    assert not ended({"c": consent}, MARKETING, E.CONSENT_WITHDRAWN, ("m",), states)


def test_an_interest_needs_no_record() -> None:
    """What a request ends for good it ends even where only a withdrawal is on record."""
    interest = Ground(kind=GroundKind.LEGITIMATE_INTEREST, purpose="m", reference="f")
    states = {"m": record(E.CONSENT_WITHDRAWN, T1)}
    assert ended({"i": interest}, MARKETING, E.ERASURE_REQUESTED, (), states) == {"i"}


def test_an_earlier_request_ends_an_interest_for_good() -> None:
    """Whatever is planned later, an interest that was objected to or asked away does not live."""
    interest = Ground(kind=GroundKind.LEGITIMATE_INTEREST, purpose="o", reference="f")
    asked = {"o": record(E.ERASURE_REQUESTED, T1)}
    assert ended({"i": interest}, MARKETING, E.CONSENT_WITHDRAWN, ("m",), asked) == {"i"}
    selling = Ground(
        kind=GroundKind.LEGITIMATE_INTEREST, purpose="m", reference="f", overriding=True
    )
    objected = {"m": record(E.MARKETING_OBJECTED, T1)}
    assert ended({"s": selling}, MARKETING, E.CONSENT_WITHDRAWN, ("o",), objected) == {"s"}
    overriding = Ground(
        kind=GroundKind.LEGITIMATE_INTEREST, purpose="o", reference="f", overriding=True
    )
    assert not ended({"i": overriding}, MARKETING, E.CONSENT_WITHDRAWN, ("m",), asked)


def test_a_ground_without_a_purpose_hides_no_other() -> None:
    """A bare contract that stands first in the policy ends nothing and keeps nothing else."""
    contract = Ground(kind=GroundKind.CONTRACT, reference="b")
    consent = Ground(kind=GroundKind.CONSENT, purpose="m", reference="a")
    grounds = {"a-contract": contract, "consent": consent}
    assert ended(grounds, MARKETING, E.ERASURE_REQUESTED, (), {}) == {"consent"}
