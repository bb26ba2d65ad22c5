"""A link by value may be erased when nothing that hangs on it lives longer."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from tests.unit.core.policies import declared
from worker.core.policy import Policy


def with_log(link: list[str], log: list[str], **anchors: Any) -> dict[str, Any]:
    """A store whose people are found in a log by their address, with the grounds of both."""
    data = declared()
    there = {"contract-end": {"column": "ended_on", "null": "running"}}
    data["stores"]["post"] = {
        "connector": "sql",
        "tables": {
            "person": {
                "key": ["no"],
                "identifiers": {"email": "email"},
                "anchors": there,
                "fields": {
                    "email": {"category": "email", "grounds": link, "action": "erase"},
                    "name": {"category": "name", "grounds": ["news-consent"], "action": "erase"},
                },
            },
            "log": {
                "key": ["id"],
                "parent": {"table": "person", "columns": {"sent_to": "email"}, "ignore_case": True},
                "anchors": anchors,
                "fields": {
                    "sent_to": {"category": "email", "grounds": log, "action": "erase"},
                },
            },
        },
    }
    return data


def test_a_log_that_goes_with_the_address() -> None:
    """An address may be erased where its log has no further ground."""
    Policy.model_validate(with_log(["news-consent", "service-interest"], ["news-consent"]))


def test_a_log_that_is_dated_by_its_parent() -> None:
    """A ground with a period is the same in both tables when both read the same column."""
    above = {"column": "ended_on", "of": "parent", "null": "running"}
    Policy.model_validate(with_log(["contract"], ["contract"], **{"contract-end": above}))


def test_a_log_that_outlives_the_address() -> None:
    """A ground that the address has not would keep rows that nobody could find again."""
    with pytest.raises(ValidationError, match="'service-interest' keeps longer"):
        Policy.model_validate(with_log(["news-consent"], ["news-consent", "service-interest"]))


def test_a_log_with_dates_of_its_own() -> None:
    """The same ground, run from another date, may live longer: the address must stay."""
    own = {"column": "sent_on", "null": "running"}
    with pytest.raises(ValidationError, match="'contract' keeps longer"):
        Policy.model_validate(with_log(["contract"], ["contract"], **{"contract-end": own}))
