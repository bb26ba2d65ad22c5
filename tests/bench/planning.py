"""How many tasks a second the pure core plans, on one core: no store, no ledger, no loop.

A mix as a busy day brings it: the policy of the example company, batches of 500 cases of the
acting kinds about people with different consents on record, most with one key in a store, some
with two, some with none.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Final
from uuid import UUID

from connectors.mapping import Key
from tests.bench.report import Row
from topics.events import EventKind
from worker.core.decisions import ConsentState, record
from worker.core.planner import PlannedCase, plan
from worker.core.policy import Policy
from worker.policy_file import load

BAR: Final = 50_000
"""Tasks a second, at least."""

_POLICY: Final = Path(__file__).parents[2] / "deploy/policy/nordlys.yaml"
_BATCH: Final = 500
_BATCHES: Final = 60
_ROUNDS: Final = 5
_NOW: Final = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)
_KINDS: Final[tuple[tuple[EventKind, tuple[str, ...], int], ...]] = (
    (EventKind.CONSENT_WITHDRAWN, ("newsletter",), 45),
    (EventKind.CONSENT_WITHDRAWN, ("survey", "analysis"), 10),
    (EventKind.CONSENT_WITHDRAWN, ("contact",), 10),
    (EventKind.MARKETING_OBJECTED, (), 10),
    (EventKind.ERASURE_REQUESTED, (), 25),
)
"""What comes in, and how often of a hundred."""

States = Mapping[UUID, Mapping[str, ConsentState]]


@dataclass(frozen=True, slots=True)
class Batch:
    """What planning is given of one batch."""

    cases: Sequence[PlannedCase]
    states: States
    keys: Mapping[UUID, Sequence[Key]]


def measure() -> Row:
    """Plan the same batches several times; the median of the rates."""
    policy = load(_POLICY)
    batches = list(_batches(policy, random.Random(4)))
    rates = sorted(_rate(policy, batches) for _ in range(_ROUNDS))
    middle = median(rates)
    return Row(
        (
            "(e) planning in the core, tasks/s on one core",
            f"{middle:,.0f}",
            "",
            f"({rates[0]:,.0f} to {rates[-1]:,.0f})",
            f"at least {BAR:,}",
        ),
        middle >= BAR,
    )


def _rate(policy: Policy, batches: Sequence[Batch]) -> float:
    tasks = 0
    began = time.process_time()
    for batch in batches:
        for store in policy.stores:
            drawn = plan(policy, store, batch.cases, batch.states, batch.keys)
            tasks += sum(map(len, drawn.tasks_by_shape.values()))
    return tasks / (time.process_time() - began)


def _batches(policy: Policy, chance: random.Random) -> Iterator[Batch]:
    kinds = [(kind, purposes) for kind, purposes, _ in _KINDS]
    weights = [weight for *_, weight in _KINDS]
    for _ in range(_BATCHES):
        cases: list[PlannedCase] = []
        states: dict[UUID, dict[str, ConsentState]] = {}
        keys: dict[UUID, list[Key]] = {}
        for kind, purposes in chance.choices(kinds, weights, k=_BATCH):
            case_id = UUID(bytes=chance.randbytes(16))
            cases.append(PlannedCase(case_id, kind, purposes))
            states[case_id] = _known(policy, kind, purposes, chance)
            found = chance.choices((1, 2, 0), (90, 5, 5))[0]
            keys[case_id] = [(f"C{chance.randrange(10**6)}",) for _ in range(found)]
        yield Batch(cases, states, keys)


def _known(
    policy: Policy, kind: EventKind, purposes: tuple[str, ...], chance: random.Random
) -> dict[str, ConsentState]:
    """What the record holds of a person: the event's own effect, and what was said before it."""
    own = record(kind, _NOW)
    known = dict.fromkeys(policy.stopped_purposes(kind, purposes), own)
    for purpose in policy.purposes:
        before = _NOW - timedelta(days=chance.randrange(1, 1000))
        said = chance.choices(
            (EventKind.CONSENT_GIVEN, EventKind.CONSENT_WITHDRAWN, None), (40, 10, 50)
        )[0]
        if said is not None:
            state = record(said, before)
            known[purpose] = known[purpose].merge(state) if purpose in known else state
    return known
