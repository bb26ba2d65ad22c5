"""Planning is a function of its input and of nothing else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.mapping import Key
from tests.unit.core.policies import declared, small
from topics.events import ACTING, RESTRICTING, EventKind
from worker.core.decisions import ConsentState, record
from worker.core.planner import PlannedCase, plan
from worker.core.policy import Policy

POLICY = small()
PURPOSES = sorted(POLICY.purposes)
START = datetime(2026, 11, 1, tzinfo=UTC)
TIMES = st.none() | st.integers(0, 3).map(lambda n: START + timedelta(seconds=n))
STATES = st.dictionaries(
    st.sampled_from(PURPOSES), st.builds(ConsentState, TIMES, TIMES, TIMES), max_size=5
)
STOPS = sorted(ACTING - RESTRICTING - {EventKind.CONSENT_GIVEN, EventKind.RETENTION_EXPIRED})
KEYS: st.SearchStrategy[list[Key]] = st.lists(
    st.tuples(st.integers(0, 9) | st.text("ab", max_size=2)), max_size=3
)
CASES = st.lists(
    st.tuples(
        st.integers(1, 40),
        st.sampled_from(sorted(ACTING)),
        st.lists(st.sampled_from(PURPOSES), max_size=2, unique=True).map(tuple),
        STATES,
        KEYS,
    ),
    unique_by=lambda case: case[0],
    max_size=12,
)
Drawn = list[tuple[int, EventKind, tuple[str, ...], dict[str, ConsentState], list[Key]]]


def planned(policy: Policy, store: str, drawn: Drawn) -> object:
    """Plan what was drawn, and return everything that can be seen of the plan, orders included."""
    found = plan(
        policy,
        store,
        [PlannedCase(UUID(int=n), kind, purposes) for n, kind, purposes, _, _ in drawn],
        {UUID(int=n): states for n, _, _, states, _ in drawn},
        {UUID(int=n): keys for n, _, _, _, keys in drawn},
    )
    return list(found.tasks_by_shape.items()), found.restricting, found.absent


@given(st.data(), CASES, st.sampled_from(sorted(POLICY.stores)))
@settings(deadline=None)
def test_order_does_not_matter(data: st.DataObject, drawn: Drawn, store: str) -> None:
    """Cases and keys in another order give the same plan, down to the order of its lists."""
    shuffled = [
        (n, kind, purposes, dict(reversed(states.items())), data.draw(st.permutations(keys)))
        for n, kind, purposes, states, keys in data.draw(st.permutations(drawn))
    ]
    assert planned(POLICY, store, shuffled) == planned(POLICY, store, drawn)


@given(CASES, st.sampled_from(sorted(POLICY.stores)))
@settings(deadline=None)
def test_declared_order_does_not_matter(drawn: Drawn, store: str) -> None:
    """A policy that declares its grounds the other way round plans the same."""
    turned = declared()
    turned["grounds"] = dict(reversed(turned["grounds"].items()))
    assert planned(Policy.model_validate(turned), store, drawn) == planned(POLICY, store, drawn)


@given(CASES, st.sampled_from(sorted(POLICY.stores)))
@settings(deadline=None)
def test_every_case_once(drawn: Drawn, store: str) -> None:
    """Each case has exactly one task or is absent, and no neighbour changes its shape."""
    found = plan(
        POLICY,
        store,
        [PlannedCase(UUID(int=n), kind, purposes) for n, kind, purposes, _, _ in drawn],
        {UUID(int=n): states for n, _, _, states, _ in drawn},
        {UUID(int=n): keys for n, _, _, _, keys in drawn},
    )
    tasks = [task for tasks in found.tasks_by_shape.values() for task in tasks]
    placed = [task.case_id.int for task in (*tasks, *found.restricting)]
    assert sorted(placed + [case.int for case in found.absent]) == sorted(n for n, *_ in drawn)
    for case in drawn:
        alone = planned(POLICY, store, [case])
        with_neighbours = (
            [(t.shape, [t]) for t in tasks if t.case_id.int == case[0]],
            [t for t in found.restricting if t.case_id.int == case[0]],
            [c for c in found.absent if c.int == case[0]],
        )
        assert alone == with_neighbours


@given(STATES, st.sampled_from(STOPS), st.sampled_from(PURPOSES), st.integers(0, 3))
@settings(deadline=None)
def test_a_stop_never_revives(
    states: dict[str, ConsentState], kind: EventKind, purpose: str, second: int
) -> None:
    """One more withdrawal, objection or request never makes a ground live that was dead."""
    case = UUID(int=1)
    more = dict(states)
    said = record(kind, START + timedelta(seconds=second))
    more[purpose] = more.get(purpose, ConsentState()).merge(said)
    cases = [PlannedCase(case, EventKind.ERASURE_REQUESTED, ())]
    for store in POLICY.stores:
        (before,) = plan(POLICY, store, cases, {case: states}, {case: [(1,)]}).tasks_by_shape
        (after,) = plan(POLICY, store, cases, {case: more}, {case: [(1,)]}).tasks_by_shape
        assert set(after) <= set(before)
