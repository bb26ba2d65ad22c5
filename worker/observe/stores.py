"""How each store stands on each lane, of what was read from the ledger."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from worker.core import budget
from worker.ledger.batches import Lane
from worker.ledger.brakes import Braked
from worker.ledger.pauses import Pause
from worker.ledger.store_states import StoreState
from worker.ledger.waiting import Flow, InStore, Unplanned

NOW: Final = timedelta(minutes=1)
"""Over which the rates in and out are measured."""


class State(StrEnum):
    """How a store stands on a lane."""

    SERVING = "serving"
    AWAY = "away"
    """A worker has found it away or not fitting the policy, and tries again by itself."""
    PAUSED = "paused"
    """An operator lets it rest, until somebody resumes it."""
    DRAINING = "draining"
    """An operator lets it rest as soon as what is in hand is finished."""
    ASKS = "asks"
    """Today's events would erase far more than usual there: somebody must look (rule 10)."""
    UNSERVED = "unserved"
    """No worker that is running serves it."""


@dataclass(frozen=True, slots=True)
class StoreNow:
    """One store on one lane. Rates are people a second; ages and ``drain`` are seconds.

    ``drain`` is infinite when the lag does not shrink, 0 without lag. ``fault`` is the kind of the
    last failure, ``hint`` what can be done about it, ``next_try`` when a worker tries again.
    ``since`` is when the state began, ``workers`` how many serve it.
    """

    store: str
    lane: Lane
    state: State
    since: datetime | None
    fault: str | None
    hint: str | None
    next_try: datetime | None
    workers: int
    lag_commands: int
    lag_people: int
    oldest: float | None
    rate_in: float
    rate_out: float
    drain: float
    dead: int
    """Dead letters of the store, told on the lane of people."""
    unplanned: int
    """People not looked up for good there yet, told on the lane of people."""
    unplanned_oldest: float | None


def stores_now(
    declared: Iterable[str],
    now: datetime,
    *,
    lags: Iterable[InStore],
    flows: Mapping[tuple[str, Lane], Flow],
    unplanned: Iterable[Unplanned],
    dead: Mapping[str, int],
    seen: Iterable[StoreState],
    resting: Iterable[Pause],
    asking: Iterable[Braked],
) -> tuple[StoreNow, ...]:
    """Every declared store, and others of which the ledger still has something to do."""
    lag_of = {(one.store, one.lane): one for one in lags}
    unplanned_of = {one.store: one for one in unplanned}
    seen_of: dict[tuple[str, Lane], list[StoreState]] = {}
    for one in seen:
        seen_of.setdefault((one.store, one.lane), []).append(one)
    rests = {one.store: one for one in resting}
    asks = {one.store: one.since for one in asking}
    others = sorted({store for store, _ in lag_of} | dead.keys())
    found = []
    for store in dict.fromkeys([*declared, *others]):
        for lane in Lane:
            key = store, lane
            how = _state(seen_of.get(key, ()), rests.get(store))
            if how[0] in (State.SERVING, State.UNSERVED) and store in asks:
                how = (State.ASKS, asks[store], None, None, None)
            found.append(
                _store(
                    store,
                    lane,
                    how,
                    len(seen_of.get(key, ())),
                    lag_of.get(key),
                    flows.get(key, Flow()),
                    dead.get(store, 0),
                    unplanned_of.get(store),
                    now,
                )
            )
    return tuple(found)


_How = tuple[State, datetime | None, str | None, str | None, datetime | None]
"""State, since when, fault, hint, next try."""


def _state(seen: Sequence[StoreState], pause: Pause | None) -> _How:
    away = [one for one in seen if one.state == "away"]
    if pause is not None:
        state = State.DRAINING if pause.draining else State.PAUSED
        return state, pause.paused_at, None, pause.reason, None
    if away:
        first = min(away, key=lambda one: one.since)
        tries = [one.next_try for one in away if one.next_try is not None]
        return State.AWAY, first.since, first.fault, first.hint, min(tries, default=None)
    if not seen:
        return State.UNSERVED, None, None, None, None
    return State.SERVING, min(one.since for one in seen), None, None, None


def _store(
    store: str,
    lane: Lane,
    how: _How,
    workers: int,
    lag: InStore | None,
    flow: Flow,
    dead: int,
    unplanned: Unplanned | None,
    now: datetime,
) -> StoreNow:
    state, since, fault, hint, next_try = how
    people = lag.people if lag else 0
    rate_in, rate_out = (n / NOW.total_seconds() for n in (flow.arrived, flow.settled))
    main = lane is Lane.PEOPLE
    return StoreNow(
        store=store,
        lane=lane,
        state=state,
        since=since,
        fault=fault,
        hint=hint,
        next_try=next_try,
        workers=workers,
        lag_commands=lag.commands if lag else 0,
        lag_people=people,
        oldest=age(now, lag.oldest if lag else None),
        rate_in=rate_in,
        rate_out=rate_out,
        drain=budget.drain_seconds(people, rate_in, rate_out),
        dead=dead if main else 0,
        unplanned=unplanned.people if unplanned and main else 0,
        unplanned_oldest=age(now, unplanned.oldest if unplanned and main else None),
    )


def age(now: datetime, moment: datetime | None) -> float | None:
    """Seconds since a moment; None where there is none."""
    return None if moment is None else max(0.0, (now - moment).total_seconds())
