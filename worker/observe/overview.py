"""One reading of the ledger: how everything stands now.

``/metrics``, the page and the commands that show the state read this and nothing else. Whatever it
tells is a count; nobody can be told from it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from worker import health
from worker.core import budget
from worker.core.deadline import working_days_left
from worker.core.lifecycle import CaseState, SweepState
from worker.core.policy import Policy
from worker.health import Trouble
from worker.ledger import (
    brakes,
    holds,
    losses,
    obligations,
    pauses,
    progress,
    store_states,
    waiting,
)
from worker.ledger.batches import Lane
from worker.ledger.database import Ledger
from worker.ledger.losses import Loss
from worker.ledger.obligations import Ahead
from worker.ledger.sweeps import failed
from worker.ledger.waiting import DueCases, Flow, StandingSweep
from worker.observe.stores import NOW, StoreNow, age, stores_now

LATELY: Final = timedelta(hours=1)
"""The forecast believes the better of the rate now and that of so long."""
AHEAD: Final = timedelta(days=30)
"""Obligations of so many days are told."""


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
    due_at: datetime
    """When somebody takes it up who finds that nobody has moved it."""


@dataclass(frozen=True, slots=True)
class Overview:
    """How everything stood ``at`` a moment.

    ``troubles`` are what the ledger alone tells; all that ``erasure status`` tells stands in
    :mod:`worker.observe.situations`.
    """

    at: datetime
    policy: str
    stores: tuple[StoreNow, ...]
    cases: Mapping[CaseState, int]
    """Standing cases; every standing state is named."""
    unstopped: int
    unstopped_oldest: float | None
    stop_objective: int
    """Seconds after which a stop should be published."""
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
    losses: tuple[Loss, ...] = ()
    """What the broker has lost and nobody has answered: workers take nothing meanwhile."""


async def look(ledger: Ledger, policy: Policy, now: datetime) -> Overview:
    """Read how everything stands. Raises LedgerAway."""
    day = now.astimezone(ZoneInfo(policy.time_zone)).date()
    async with ledger.begin() as connection:
        flows = await waiting.flows(connection, now - NOW, now - LATELY)
        resting = await pauses.standing(connection)
        asking = await brakes.asking(connection)
        stores = stores_now(
            policy.stores,
            now,
            lags=await waiting.in_stores(connection),
            flows=flows,
            unplanned=await waiting.unplanned(connection),
            dead=await waiting.dead(connection),
            seen=await store_states.fresh(connection, now),
            resting=resting,
            asking=asking,
        )
        dues = await waiting.by_deadline(connection)
        unstopped, first = await waiting.unstopped(connection)
        untold = await waiting.untold(connection)
        sweeps = await waiting.standing_sweeps(connection)
        placed, to_review = await holds.standing_and_due(connection, day)
        ahead = await obligations.ahead(connection, until=day + AHEAD)
        settled = await progress.last_settled(connection)
        skew = await waiting.skew(connection, now)
        lost = await losses.standing(connection)
        troubles = health.judge(
            asking=asking,
            resting=resting,
            standing=sweeps,
            failed=await failed(connection),
            still=await health.standing_still(connection, settled, now),
        )
    return Overview(
        at=now,
        policy=policy.version,
        stores=stores,
        cases={
            state: sum(due.cases for due in dues if due.state is state)
            for state in (CaseState.OPEN, CaseState.PARKED, CaseState.HELD)
        },
        unstopped=unstopped,
        unstopped_oldest=age(now, first),
        stop_objective=policy.objectives.stopped,
        untold=untold,
        budget=_budget(policy, dues, stores, flows, now, day),
        sweeps=tuple(_sweep(one) for one in sweeps),
        holds=placed,
        holds_to_review=to_review,
        due=_due(ahead, day),
        ahead=tuple(one for one in ahead if one.look_on > day),
        troubles=tuple(troubles),
        last_settled=settled,
        skew=skew.total_seconds(),
        losses=tuple(lost),
    )


def _budget(
    policy: Policy,
    dues: Sequence[DueCases],
    stores: Collection[StoreNow],
    flows: Mapping[tuple[str, Lane], Flow],
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
        hour = sum(flows.get((store, lane), Flow()).settled_lately for lane in Lane)
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


def _sweep(sweep: StandingSweep) -> SweepNow:
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
        sweep.due_at,
    )


def _due(ahead: Sequence[Ahead], day: date) -> dict[str, int]:
    found: dict[str, int] = {}
    for one in ahead:
        if one.look_on <= day:
            found[one.store] = found.get(one.store, 0) + one.obligations
    return found
