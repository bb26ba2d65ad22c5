"""Planning: from cases and what is known of their subjects to the tasks of one store.

A task's *shape* is the set of revocable grounds that still live; tasks of one shape run in one
statement. Planning depends on nothing but its input, and not on the order of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from connectors.mapping import Key, Shape
from topics.events import RESTRICTING, EventKind
from worker.core.decisions import ConsentState, bearing, ended
from worker.core.policy import Policy

_NOTHING: Final[Mapping[str, ConsentState]] = {}


@dataclass(frozen=True, slots=True)
class PlannedCase:
    """What planning needs to know of a case."""

    case_id: UUID
    kind: EventKind
    purposes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Task:
    """What one case asks of one store."""

    case_id: UUID
    store: str
    shape: Shape
    keys: tuple[Key, ...]

    def __repr__(self) -> str:
        """Mask the keys: they are personal data."""
        return (
            f"Task(case_id={self.case_id}, store={self.store!r}, shape={self.shape}, "
            f"keys=<{len(self.keys)} masked>)"
        )


@dataclass(frozen=True, slots=True)
class Plan:
    """The tasks of one store by shape, each list sorted by case; every case is in one place."""

    tasks_by_shape: dict[Shape, list[Task]] = field(default_factory=dict)
    restricting: list[Task] = field(default_factory=list)
    """Tasks that erase nothing and have no shape: only the restriction is written or lifted."""
    absent: list[UUID] = field(default_factory=list)
    """Nobody was found: an outcome, not an error."""

    @property
    def erasing(self) -> set[UUID]:
        """The cases for which something is to be erased."""
        return {task.case_id for tasks in self.tasks_by_shape.values() for task in tasks}


def plan(
    policy: Policy,
    store: str,
    cases: Iterable[PlannedCase],
    states: Mapping[UUID, Mapping[str, ConsentState]],
    keys: Mapping[UUID, Sequence[Key]],
) -> Plan:
    """Plan a batch of cases for one store.

    ``states`` holds per case what is known of its subject and each purpose, ``keys`` the root
    keys that were found (a case without any is absent). Cases that lead to two people are parked
    where they are resolved and must not be among these. Raises KeyError for an unknown store.
    """
    revocable = policy.revocable_grounds(store)
    marketing = policy.direct_marketing
    planned = Plan()
    shapes: dict[object, Shape] = {}
    unique = {case.case_id: case for case in cases}
    for case in sorted(unique.values(), key=lambda case: case.case_id.int):
        found = keys.get(case.case_id, ())
        if len(found) > 1:
            found = sorted(set(found), key=_by_type)
        if not found:
            planned.absent.append(case.case_id)
            continue
        if case.kind in RESTRICTING:
            planned.restricting.append(Task(case.case_id, store, (), tuple(found)))
            continue
        known = states.get(case.case_id, _NOTHING)
        alike = (case.kind, case.purposes, bearing(known))
        shape = shapes.get(alike)
        if shape is None:
            gone = ended(revocable, marketing, case.kind, case.purposes, known)
            shape = shapes[alike] = tuple(name for name in revocable if name not in gone)
        task = Task(case.case_id, store, shape, tuple(found))
        planned.tasks_by_shape.setdefault(shape, []).append(task)
    return planned


def _by_type(key: Key) -> tuple[tuple[bool, int, str], ...]:
    """Sort keys whose values may be numbers or texts."""
    return tuple(
        (True, 0, value) if isinstance(value, str) else (False, value, "") for value in key
    )
