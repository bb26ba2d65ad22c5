"""From cases to tasks."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest

from connectors.mapping import Key
from tests.unit.core.policies import small
from topics.events import EventKind
from worker.core.decisions import ConsentState, record
from worker.core.planner import PlannedCase, Task, plan

T1 = datetime(2026, 11, 1, tzinfo=UTC)
WITHDRAWN = PlannedCase(UUID(int=1), EventKind.CONSENT_WITHDRAWN, ("news",))
ERASE = PlannedCase(UUID(int=2), EventKind.ERASURE_REQUESTED, ())
STOPPED = {"news": record(EventKind.CONSENT_WITHDRAWN, T1)}


def test_shape_is_what_still_lives() -> None:
    """A withdrawal leaves the other revocable grounds of the store alive, sorted by name."""
    planned = plan(small(), "crm", [WITHDRAWN], {UUID(int=1): STOPPED}, {UUID(int=1): [("A1",)]})
    shape = ("service-interest", "survey-consent")
    assert planned.tasks_by_shape == {shape: [Task(UUID(int=1), "crm", shape, (("A1",),))]}
    assert planned.absent == []


def test_same_shape_same_list() -> None:
    """Tasks of one shape are gathered, and another shape is kept apart."""
    policy = small()
    third = PlannedCase(UUID(int=3), EventKind.ERASURE_REQUESTED, ())
    everything = {
        purpose: record(EventKind.ERASURE_REQUESTED, T1)
        for purpose in policy.stopped_purposes(EventKind.ERASURE_REQUESTED, ())
    }
    states = {UUID(int=1): STOPPED, UUID(int=2): everything, UUID(int=3): everything}
    keys = {UUID(int=n): [(f"A{n}",)] for n in (1, 2, 3)}
    planned = plan(policy, "crm", [third, ERASE, WITHDRAWN], states, keys)
    assert [task.case_id.int for task in planned.tasks_by_shape[()]] == [2, 3]
    assert len(planned.tasks_by_shape) == 2


def test_nobody_found() -> None:
    """A case without a key is absent and gets no task."""
    planned = plan(small(), "crm", [WITHDRAWN, ERASE], {}, {UUID(int=2): []})
    assert planned.absent == [UUID(int=1), UUID(int=2)]
    assert planned.tasks_by_shape == {}


def test_newer_consent_stays_in_the_shape() -> None:
    """A consent given after the request still keeps its fields."""
    later = ConsentState(T1, T1, datetime(2026, 11, 2, tzinfo=UTC))
    planned = plan(
        small(), "letters", [ERASE], {UUID(int=2): {"news": later}}, {UUID(int=2): [(7,)]}
    )
    assert list(planned.tasks_by_shape) == [("news-consent",)]


def test_a_purpose_nothing_is_known_of() -> None:
    """A purpose that came into the policy after the event is still ended by a request for all."""
    planned = plan(small(), "letters", [ERASE], {}, {UUID(int=2): [(7,)]})
    assert list(planned.tasks_by_shape) == [()]


def test_keys_once_and_sorted() -> None:
    """Keys that were found twice stand once, numbers before texts."""
    found: list[Key] = [("b", 2), ("a", 10), ("a", 9), ("b", 2), (3, 1)]
    planned = plan(small(), "letters", [ERASE], {}, {UUID(int=2): found})
    (task,) = planned.tasks_by_shape[()]
    assert task.keys == ((3, 1), ("a", 9), ("a", 10), ("b", 2))


def test_same_case_twice_is_one_task() -> None:
    """A case given twice is planned once."""
    planned = plan(small(), "letters", [ERASE, ERASE], {}, {UUID(int=2): [(7,)]})
    assert len(planned.tasks_by_shape[()]) == 1


def test_keys_are_masked() -> None:
    """A task that lands in a log shows no key."""
    task = Task(UUID(int=1), "crm", (), (("Kari-4711",),))
    assert "Kari" not in f"{task} {task!r}"


def test_unknown_store() -> None:
    """Planning for a store that the policy does not know is an error, not an empty plan."""
    with pytest.raises(KeyError):
        plan(small(), "archive", [], {}, {})
