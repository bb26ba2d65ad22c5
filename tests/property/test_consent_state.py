"""Newest wins, whatever order events come in and however often."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import reduce

from hypothesis import given
from hypothesis import strategies as st

from topics.events import ACTING, RESTRICTING, EventKind
from worker.core.decisions import ConsentState, record

START = datetime(2026, 11, 1, tzinfo=UTC)
# Few instants, so that ties are common.
Events = list[tuple[EventKind, datetime]]
TIMES = st.integers(0, 6).map(lambda n: START + timedelta(seconds=n))
EVENTS = st.tuples(st.sampled_from(sorted(ACTING)), TIMES)
STATES = st.builds(ConsentState, st.none() | TIMES, st.none() | TIMES, st.none() | TIMES)


def known(events: Events) -> ConsentState:
    """Return what is known after these events, in this order."""
    return reduce(ConsentState.merge, (record(*event) for event in events), ConsentState())


@given(st.data(), st.lists(EVENTS, max_size=8))
def test_any_order_and_number(data: st.DataObject, events: Events) -> None:
    """Shuffled and repeated, the same events leave the same state."""
    again = data.draw(st.lists(st.sampled_from(events), max_size=4)) if events else []
    assert known(data.draw(st.permutations(events + again))) == known(events)


@given(st.lists(EVENTS, max_size=8))
def test_newest_decides(events: Events) -> None:
    """Consent stands unless the newest event takes it back; at the same instant it does not.

    Neither a restriction nor a trigger of retention gives or takes one.
    """
    neither = {EventKind.CONSENT_GIVEN, EventKind.RETENTION_EXPIRED, *RESTRICTING}
    stops = [time for kind, time in events if kind not in neither]
    gifts = [time for kind, time in events if kind is EventKind.CONSENT_GIVEN]
    expected = bool(stops) and (not gifts or max(stops) >= max(gifts))
    assert known(events).stopped is expected


@given(STATES, STATES, STATES)
def test_merge_laws(one: ConsentState, two: ConsentState, three: ConsentState) -> None:
    """Merging is commutative, associative and idempotent, and nothing known adds nothing."""
    assert one.merge(two) == two.merge(one)
    assert one.merge(two).merge(three) == one.merge(two.merge(three))
    assert one.merge(one) == one
    assert one.merge(ConsentState()) == one
