"""One reading of the ledger: how everything stands now.

``/metrics``, the page and the commands that show the state read this and nothing else. Whatever it
tells is a count; nobody can be told from it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from worker import health
from worker.core import budget
from worker.core.deadline import working_days_left
from worker.core.lifecycle import CaseState, SweepState
from worker.core.policy import Policy
from worker.health import Trouble
from worker.ledger import brakes, holds, obligations, pauses, progress, store_states, waiting
from worker.ledger.batches import Lane
from worker.ledger.database import Connection, Ledger
from worker.ledger.obligations import Ahead
from worker.ledger.store_states import StoreState
from worker.ledger.sweeps import Sweep
from worker.ledger.waiting import DueCases, Flow, InStore, Unplanned

NOW: Final = timedelta(minutes=1)
"""Over which the rates in and out are measured."""
LATELY: Final = timedelta(hours=1)
"""The forecast believes the better of the rate now and that of so long."""
AHEAD: Final = timedelta(days=30)
"""Obligations of so many days are told."""


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


@dataclass(frozen=True, slots=True)
class Budget:
    """Standing cases by state and the part of their legal time that is used.

    The parts are those of :data:`worker.core.budget.LABELS`. ``late`` are late now, ``forecast``
    late now or later if all goes on as it does; both count open cases. ``nearest`` is the nearest
    deadline of each state that has one, with the working days that are left of it.
    """

    parts: Mapping[CaseState, Mapping[str, int]]
    late: int
    forecast: int
    nearest: Mapping[CaseState, tuple[date, int]]


@dataclass(frozen=True, slots=True)
class SweepNow:
    """A sweep that has not ended. ``expected`` rows were counted before it began; None: not yet."""

    id: int
    store: str
    state: SweepState
    rows: int
    expected: int | None
    chunks: int
    asked_at: datetime
    started_at: datetime | None


@dataclass(frozen=True, slots=True)
class Overview:
    """How everything stood ``at`` a moment. ``troubles`` is what ``erasure status`` tells."""

    at: datetime
    policy: str
    stores: tuple[StoreNow, ...]
    cases: Mapping[CaseState, int]
    """Standing cases; every standing state is named."""
    unstopped: int
    unstopped_oldest: float | None
    untold: int
    budget: Budget
    sweeps: tuple[SweepNow, ...]
    holds: int
    holds_to_review: int
    due: Mapping[str, int]
    """Obligations, by store, whose day has come and that nobody has looked at again."""
    ahead: tuple[Ahead, ...]
    """Obligations of the next days."""
    troubles: tuple[Trouble, ...]
    last_settled: datetime | None
    skew: float
    """This process's clock less the ledger's, in seconds."""

    @property
    def kept(self) -> bool:
        """Whether the promise is kept now: nothing late, nothing that asks for somebody."""
        return not self.troubles and not self.budget.late


async def look(ledger: Ledger, policy: Policy, now: datetime) -> Overview:
    """Read how everything stands. Raises LedgerAway."""
    day = now.astimezone(ZoneInfo(policy.time_zone)).date()
    async with ledger.begin() as connection:
        stores = await _stores(connection, policy, now)
        dues = await waiting.by_deadline(connection)
        lately = await waiting.flows(connection, now - LATELY)
        unstopped, first = await waiting.unstopped(connection)
        untold = await waiting.untold(connection)
        sweeps = await waiting.standing_sweeps(connection)
        placed = await holds.listed(connection)
        ahead = await obligations.ahead(connection, until=day + AHEAD)
        settled = await progress.last_settled(connection)
        skew = await waiting.skew(connection, now)
    return Overview(
        at=now,
        policy=policy.version,
        stores=stores,
        cases={
            state: sum(due.cases for due in dues if due.state is state)
            for state in (CaseState.OPEN, CaseState.PARKED, CaseState.HELD)
        },
        unstopped=unstopped,
        unstopped_oldest=_age(now, first),
        untold=untold,
        budget=_budget(policy, dues, stores, lately, now, day),
        sweeps=tuple(_sweep(one) for one in sweeps),
        holds=len(placed),
        holds_to_review=sum(1 for one in placed if one.review_on <= day),
        due=_due(ahead, day),
        ahead=tuple(one for one in ahead if one.look_on > day),
        troubles=tuple(await health.troubles(ledger, now)),
        last_settled=settled,
        skew=skew.total_seconds(),
    )


async def _stores(connection: Connection, policy: Policy, now: datetime) -> tuple[StoreNow, ...]:
    """Every store of the policy, and others of which the ledger still has something to do."""
    lags = {(one.store, one.lane): one for one in await waiting.in_stores(connection)}
    flows = await waiting.flows(connection, now - NOW)
    unplanned = {one.store: one for one in await waiting.unplanned(connection)}
    dead = await waiting.dead(connection)
    seen: dict[tuple[str, Lane], list[StoreState]] = {}
    for one in await store_states.fresh(connection, now):
        seen.setdefault((one.store, one.lane), []).append(one)
    resting = {one.store: one for one in await pauses.standing(connection)}
    asking = {one.store: one.since for one in await brakes.asking(connection)}
    names = dict.fromkeys([*policy.stores, *sorted({store for store, _ in lags} | dead.keys())])
    found = []
    for store in names:
        for lane in Lane:
            state = _state(seen.get((store, lane), ()), resting.get(store))
            if state[0] in (State.SERVING, State.UNSERVED) and store in asking:
                state = (State.ASKS, asking[store], None, None, None)
            found.append(
                _store(
                    store,
                    lane,
                    state,
                    len(seen.get((store, lane), ())),
                    lags.get((store, lane)),
                    flows.get((store, lane), Flow()),
                    dead.get(store, 0),
                    unplanned.get(store),
                    now,
                )
            )
    return tuple(found)


_How = tuple[State, datetime | None, str | None, str | None, datetime | None]
"""State, since when, fault, hint, next try."""


def _state(seen: Sequence[StoreState], pause: pauses.Pause | None) -> _How:
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
        oldest=_age(now, lag.oldest if lag else None),
        rate_in=rate_in,
        rate_out=rate_out,
        drain=budget.drain_seconds(people, rate_in, rate_out),
        dead=dead if main else 0,
        unplanned=unplanned.people if unplanned and main else 0,
        unplanned_oldest=_age(now, unplanned.oldest if unplanned and main else None),
    )


def _budget(
    policy: Policy,
    dues: Sequence[DueCases],
    stores: Collection[StoreNow],
    lately: Mapping[tuple[str, Lane], Flow],
    now: datetime,
    day: date,
) -> Budget:
    zone = ZoneInfo(policy.time_zone)
    by_state: dict[CaseState, list[budget.Due]] = {}
    for due in dues:
        one = budget.Due(due.due_on, due.cases, due.asked_on)
        by_state.setdefault(due.state, []).append(one)
    open_ones = by_state.get(CaseState.OPEN, [])
    worst = budget.late(open_ones, now, zone)
    for store in {one.store for one in stores}:
        own = [one for one in stores if one.store == store]
        lag = sum(one.lag_people + one.unplanned for one in own)
        hour = sum(lately.get((store, lane), Flow()).settled for lane in Lane)
        rate = max(sum(one.rate_out for one in own), hour / LATELY.total_seconds())
        worst = max(worst, budget.forecast(open_ones, lag, rate, now, zone))
    states = (CaseState.OPEN, CaseState.PARKED, CaseState.HELD)
    return Budget(
        parts={state: budget.budget(by_state.get(state, ()), now, zone) for state in states},
        late=budget.late(open_ones, now, zone),
        forecast=worst,
        nearest={
            state: (due, working_days_left(day, due, policy.country))
            for state, some in by_state.items()
            for due in (min(one.due_on for one in some),)
        },
    )


def _sweep(sweep: Sweep) -> SweepNow:
    expected = None if sweep.estimate is None else sum(sweep.estimate["rows"].values())
    return SweepNow(
        sweep.id,
        sweep.store,
        sweep.state,
        sweep.rows,
        expected,
        sweep.chunks,
        sweep.asked_at,
        sweep.started_at,
    )


def _due(ahead: Sequence[Ahead], day: date) -> dict[str, int]:
    found: dict[str, int] = {}
    for one in ahead:
        if one.look_on <= day:
            found[one.store] = found.get(one.store, 0) + one.obligations
    return found


def _age(now: datetime, moment: datetime | None) -> float | None:
    return None if moment is None else max(0.0, (now - moment).total_seconds())
