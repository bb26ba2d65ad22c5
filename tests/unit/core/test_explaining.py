"""Why something is kept, in dates and words, for one row."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from connectors.base import Fact, RowFacts
from tests.unit.core.policies import declared, small
from worker.core.decisions import ConsentState
from worker.core.explaining import GroupLine, Why, explain
from worker.core.policy import Policy

DAY = date(2026, 11, 24)
AT = datetime(2026, 11, 1, tzinfo=UTC)


def bill(issued: date | None, ended: date | None) -> list[GroupLine]:
    """Explain one bill whose contract ended or not."""
    facts = []
    for group in small().mapping("crm").tables[1].groups:
        for use in group.grounds:
            day = {"books": issued, "contract": ended}.get(use.ground)
            unknown = day is None and use.anchor is not None
            facts.append(Fact(group.name, use.ground, day, unknown, stands=True))
    return explain(small(), "crm", RowFacts("bill", ("A1",), tuple(facts)), {}, DAY)


def test_the_longest_ground_decides() -> None:
    """An invoice of March 2026 is kept until 2032-01-01 although its contract is over."""
    buyer, _ = bill(date(2026, 3, 10), date(2026, 4, 1))
    assert (buyer.kept, buyer.until) == (True, date(2032, 1, 1))
    lines = {line.ground: line for line in buyer.grounds}
    books, contract = lines["books"], lines["contract"]
    assert (books.lives, books.why, books.until) == (True, Why.LASTING, date(2032, 1, 1))
    assert (books.terms.period, books.terms.rounding) == ("5y", "end-of-year")
    assert books.terms.reference == "c"
    assert (contract.lives, contract.why, contract.until) == (False, Why.OVER, date(2026, 4, 2))


@pytest.mark.parametrize(
    ("ended", "kept"), [(date(2026, 11, 24), True), (date(2026, 11, 23), False)]
)
def test_the_last_day_counts(ended: date, kept: bool) -> None:
    """A contract lives on its last day and is over on the next."""
    buyer, _ = bill(date(2010, 1, 1), ended)
    assert buyer.kept is kept


def test_a_missing_date_is_what_the_policy_says_it_is() -> None:
    """No end means that the contract runs; no document date is unknown. Neither has an until."""
    buyer, _ = bill(None, None)
    assert {line.ground: line.why for line in buyer.grounds} == {
        "books": Why.UNKNOWN,
        "contract": Why.RUNNING,
    }
    assert (buyer.kept, buyer.until) == (True, None)


def test_a_ground_without_an_end_has_no_date() -> None:
    """An overriding interest keeps a field open, so nothing says until when."""
    _, remark = bill(date(2026, 3, 10), None)
    assert {line.ground: line.why for line in remark.grounds}["fraud-interest"] == Why.OPEN
    assert (remark.kept, remark.until) == (True, None)


def notes(stands: bool = True, states: dict[str, ConsentState] | None = None) -> GroupLine:
    """Explain the notes of a person: a consent to surveys, an interest in service."""
    data: dict[str, Any] = declared()
    data["grounds"]["survey-consent"]["evidence"] = "ledger"
    policy = Policy.model_validate(data)
    facts = tuple(
        Fact(group.name, use.ground, None, use.anchor is not None, stands)
        for group in policy.mapping("crm").root.groups
        for use in group.grounds
    )
    row = RowFacts("person", ("A1",), facts)
    lines = explain(policy, "crm", row, states or {}, DAY)
    return next(line for line in lines if line.group == "person.notes")


def test_what_the_person_ended_is_said_to_be_ended() -> None:
    """A withdrawal ends the consent, not the interest; an objection ends that as well."""
    for state, ended in (
        (ConsentState(withdrawn_at=AT), {"survey-consent"}),
        (ConsentState(withdrawn_at=AT, objected_at=AT), {"survey-consent", "service-interest"}),
    ):
        line = notes(states={"survey": state, "service": state})
        assert {g.ground for g in line.grounds if g.why == Why.ENDED} == ended
        assert line.kept is (len(ended) == 1)


def test_a_consent_that_the_store_does_not_record() -> None:
    """Where the store says that there is none, the consent keeps nothing."""
    line = notes(stands=False)
    assert {g.ground: g.why for g in line.grounds}["survey-consent"] == Why.NO_CONSENT
