"""What a policy says of its sweeps: its defaults, its forms, and how a mistake in it is told."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.unit.core.policies import declared, small
from tests.unit.core.spoiling import GOOD, line_of
from worker.core.hours import opens
from worker.core.policy import Policy
from worker.policy_file import PolicyError, parse


def with_retention(retention: dict[str, Any], **sweep: object) -> Policy:
    """The small policy with a retention section, and limits of the crm's sweeps."""
    data = declared()
    data["retention"] = retention
    data["stores"]["crm"]["sweep"] = sweep
    return Policy.model_validate(data)


def test_a_policy_that_says_nothing_has_the_defaults() -> None:
    """No schedule, no quiet hours, no limits; the brake asks at 5 %, 3 x the usual, 100 people."""
    policy = small()
    assert not policy.retention.schedules
    assert not policy.retention.quiet_hours
    brake = policy.retention.brake
    assert (brake.share, brake.times_usual, brake.people) == (0.05, 3, 100)
    assert policy.stores["crm"].sweep.rows_per_second is None
    assert not policy.stores["crm"].sweep.hours


def test_what_is_declared_is_read() -> None:
    """Each part of the section is read as it stands in the file."""
    policy = with_retention(
        {
            "schedules": {
                "nightly": {
                    "cron": "30 2 * * mon-fri",
                    "time_zone": "UTC",
                    "stores": ["letters", "crm"],
                }
            },
            "quiet_hours": ["07:00-22:00"],
            "brake": {"share": "0.5%", "times_usual": 2, "people": 10},
        },
        rows_per_second=5000,
        hours=["22:00-06:00", "23:30-24:00"],
    )
    nightly = policy.retention.schedules["nightly"]
    assert (nightly.cron, nightly.time_zone) == ("30 2 * * mon-fri", "UTC")
    assert nightly.stores == ("letters", "crm")
    assert [str(quiet) for quiet in policy.retention.quiet_hours] == ["07:00-22:00"]
    assert policy.retention.brake.share == pytest.approx(0.005)
    limits = policy.stores["crm"].sweep
    assert limits.rows_per_second == 5000
    assert [str(hours) for hours in limits.hours] == ["22:00-06:00", "23:30-24:00"]


LEAD = "retention:\n"
SCHEDULE = "retention:\n  schedules:\n    night:\n      "
MISTAKES: dict[str, tuple[str, str, str]] = {
    "unknown store": (
        SCHEDULE + 'cron: "0 2 * * *"\n      stores:\n        - crmm',
        "- crmm",
        "no store is called 'crmm'; did you mean 'crm'?",
    ),
    "a store twice": (
        SCHEDULE + 'cron: "0 2 * * *"\n      stores: [crm, billing, crm]',
        "stores: [crm, b",
        "'crm' stands twice",
    ),
    "no store": (
        SCHEDULE + 'cron: "0 2 * * *"\n      stores: []',
        "stores: []",
        "leave stores: out, which means all of them",
    ),
    "cron with too few fields": (
        SCHEDULE + 'cron: "30 2 * *"',
        "cron:",
        'write minute, hour, day of the month, month and day of the week, such as "30 2 * * *"',
    ),
    "cron with seconds": (SCHEDULE + 'cron: "0 30 2 * * *"', "cron:", "of five fields"),
    "cron with a word": (SCHEDULE + 'cron: "@daily"', "cron:", 'such as "30 2 * * *"'),
    "cron with a bad field": (SCHEDULE + 'cron: "30 25 * * *"', "cron:", "its hour is wrong"),
    "cron that never comes": (
        SCHEDULE + 'cron: "0 0 31 6 *"',
        "cron:",
        "'0 0 31 6 *' is no cron expression: its day-of-month is wrong",
    ),
    "cron that no calendar has": (
        SCHEDULE + 'cron: "0 0 */31 * sun#2"',
        "cron:",
        "'0 0 */31 * sun#2' names",
    ),
    "zone": (
        SCHEDULE + 'cron: "0 2 * * *"\n      time_zone: Europe/Olso',
        "time_zone: Europe/Olso",
        "no time zone is called 'Europe/Olso'; did you mean 'Europe/Oslo'?",
    ),
    "hours of no day": (
        LEAD + '  quiet_hours: ["25:00-06:00"]',
        "quiet_hours",
        "'25:00-06:00' are no hours of a day; write for example \"22:00-06:00\"",
    ),
    "hours without an end": (LEAD + "  quiet_hours: [22]", "quiet_hours", "'22' are no hours"),
    "hours of no length": (
        LEAD + '  quiet_hours: ["06:00-06:00"]',
        "quiet_hours",
        'for the whole day write "00:00-24:00"',
    ),
    "a day that is quiet as a whole": (
        LEAD + '  quiet_hours: ["06:00-22:00", "21:00-06:00"]',
        "quiet_hours",
        "the whole day is quiet",
    ),
    "share": (
        LEAD + "  brake:\n    share: 5",
        "share: 5",
        "'5' is no share of people; write above 0% to 100%, such as \"5%\"",
    ),
    "no share": (LEAD + '  brake:\n    share: "0%"', "share:", "'0%' is no share"),
    "more than all": (LEAD + '  brake:\n    share: "100.5%"', "share:", "'100.5%' is no share"),
    "key word": (LEAD + "  quiet_hour: []", "quiet_hour", "did you mean 'quiet_hours'?"),
    "key word of a schedule": (
        SCHEDULE + 'cron: "0 2 * * *"\n      zone: UTC',
        "zone: UTC",
        "unknown key 'zone'; did you mean 'time_zone'?",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_is_told_with_its_line(mistake: tuple[str, str, str]) -> None:
    """A mistake in the section is found in its line and told with what to write instead."""
    section, marked, says = mistake
    text = f"{without_retention()}\n{section}\n"
    with pytest.raises(PolicyError) as caught:
        parse(text.encode(), "p.yaml")
    found = [problem for problem in caught.value.problems if says in problem.what]
    start = text.index(section)
    line = line_of(text, text[text.index(marked, start) :])
    assert [problem.line for problem in found] == [line], caught.value.problems


def without_retention() -> str:
    """The demo company's policy as if it said nothing of its sweeps."""
    before, _, after = GOOD.partition("\nretention:\n")
    kept = after[after.index("\n\n") :] if after else ""
    return before + kept


def test_hours_that_are_all_quiet_are_refused() -> None:
    """A store whose hours lie within the quiet hours would never be swept: refused at its place."""
    with pytest.raises(ValidationError) as caught:
        with_retention({"quiet_hours": ["20:00-07:00"]}, hours=["22:00-06:00", "06:30-07:00"])
    (told,) = caught.value.errors()
    assert told["loc"] == ("stores", "crm", "sweep", "hours")
    assert "all these hours are quiet (20:00-07:00)" in told["msg"]


def test_one_minute_is_enough() -> None:
    """The end of quiet hours is not quiet, so a single minute after it can be swept in."""
    policy = with_retention({"quiet_hours": ["20:00-06:59"]}, hours=["22:00-07:00"])
    noon = datetime(2026, 6, 1, 12, tzinfo=UTC)
    assert opens(policy, "crm", noon) == datetime(2026, 6, 2, 4, 59, tzinfo=UTC)


def test_nothing_else_is_a_limit() -> None:
    """A store without hours may be swept at any time when none is quiet."""
    assert opens(small(), "crm", datetime(2026, 6, 1, 12, 34, 56, tzinfo=UTC)) is None


def test_a_moment_has_a_zone() -> None:
    """A moment without a time zone is refused rather than taken for the machine's."""
    with pytest.raises(ValueError, match="time zone"):
        opens(small(), "crm", datetime(2026, 6, 1, 12))


@given(st.text(st.sampled_from("0123456789*/-,#LW MONa@")) | st.text())
def test_any_text_is_a_schedule_or_is_refused(written: str) -> None:
    """Whatever stands as a cron expression is read or refused in words, never a crash."""
    try:
        policy = with_retention({"schedules": {"night": {"cron": written}}})
    except ValidationError as error:
        assert "is no cron expression" in str(error) or "never comes" in str(error)  # noqa: PT017  either is right
    else:
        assert policy.retention.schedules["night"].cron == written
