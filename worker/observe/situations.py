"""What somebody must know of how everything stands: each situation, and what answers it.

``erasure status`` and the page tell these; without any, all is well and the promise is kept. Each
leads to a section of the runbook.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from worker.core.budget import LABELS
from worker.core.lifecycle import CaseState, SweepState
from worker.health import Trouble
from worker.ledger.batches import Lane
from worker.observe.lag import GroupLag
from worker.observe.overview import Overview
from worker.observe.stores import State, StoreNow

RUNBOOK: Final = "docs/runbook.md"
SECTIONS: Final[Mapping[str, str]] = {
    "stop-not-published": "stop-clock-over-objective",
    "broker-away": "stop-clock-over-objective",
    "deadline-near": "deadline-in-danger",
    "deadline-forecast": "deadline-in-danger",
    "offset-beyond-end": "offset-beyond-end",
    "not-gone": "verification-failed",
    "nothing-erased": "nothing-erased",
    "flood-asks": "brake-waiting",
    "sweep-asks": "brake-waiting",
    "store-away": "store-down",
    "dead-letters": "dead-letters",
    "lag-growing": "lag-growing",
    "sweep-still": "sweep-stands-still",
    "sweep-failed": "a-sweep",
    "sweep-paused": "a-sweep",
    "store-paused": "a-store",
    "store-draining": "a-store",
    "store-unserved": "a-store",
    "no-worker": "no-worker",
    "cases-parked": "a-case",
    "hold-past-review": "hold-past-review",
    "clock-skew": "clock-skew",
}
"""The section that explains each kind, in the order of urgency: what loses time comes first."""
WAITED: Final = timedelta(minutes=5)
"""A forecast of the first minutes says nothing: nobody has had time to erase."""
GROWN: Final = timedelta(minutes=30)
"""A lag that does not shrink for so long grows."""
STILL: Final = timedelta(minutes=10)
"""A running sweep that nobody took up for so long, long after its worker was given up."""
SKEW_SECONDS: Final = 5.0
LAST_PART: Final = LABELS[-2]
"""The part of the legal time before it is over."""


@dataclass(frozen=True, slots=True)
class Situation:
    """One thing that is so: its kind, words for a person, what answers it, and where to read.

    ``store`` names the one that it is about, or several with commas; it is empty for all of them.
    """

    kind: str
    what: str
    todo: str
    since: datetime | None = None
    store: str = ""

    @property
    def runbook(self) -> str:
        """Its section of the runbook."""
        return f"{RUNBOOK}#{SECTIONS[self.kind]}"


def situations(
    seen: Overview,
    *,
    found_again: Mapping[str, int] | None = None,
    groups: Mapping[str, GroupLag] | None = None,
) -> list[Situation]:
    """What is so, the most urgent first; nothing when all is well.

    ``found_again`` counts, by store, dead letters whose data the re-read found; ``groups`` are
    Kafka's own numbers, where the broker was asked.
    """
    every = [
        *_stops(seen),
        *_deadlines(seen),
        *_groups(seen, groups or {}),
        *map(_of_ledger, seen.troubles),
        *_stores(seen, found_again or {}),
        *_sweeps(seen),
        *_others(seen),
    ]
    order = list(SECTIONS)
    return sorted(every, key=lambda one: order.index(one.kind))


def _of_ledger(trouble: Trouble) -> Situation:
    store = str(trouble.about.get("store", ""))
    return Situation(trouble.kind, trouble.what, trouble.todo, trouble.since, store)


def broker_away(why: str) -> Situation:
    """The broker was asked and did not answer."""
    what = f"the broker does not answer ({why}): no event is taken in and no stop published"
    return Situation("broker-away", what, "erasure check")


def in_danger(seen: Overview) -> int:
    """Standing cases whose legal time is nearly over, or is over."""
    return sum(part[LAST_PART] + part[LABELS[-1]] for part in seen.budget.parts.values())


def _stops(seen: Overview) -> Iterator[Situation]:
    oldest = seen.unstopped_oldest or 0.0
    if seen.unstopped and oldest > seen.stop_objective:
        yield Situation(
            "stop-not-published",
            f"{seen.unstopped:,} accepted, and nobody who collects data was told to stop",
            "erasure check",
            seen.at - timedelta(seconds=oldest),
        )


def _deadlines(seen: Overview) -> Iterator[Situation]:
    if near := in_danger(seen):
        late = sum(part[LABELS[-1]] for part in seen.budget.parts.values())
        what = f"{_cases(near)} near or past the deadline, {late:,} of them past it"
        yield Situation(
            "deadline-near", what, "see which: erasure cases; one of them: erasure case ID"
        )
    ahead = seen.budget.forecast - seen.budget.late
    oldest = max((waits(one) or 0.0 for one in seen.stores), default=0.0)
    if ahead > 0 and oldest >= WAITED.total_seconds():
        what = f"{_cases(ahead)} will end after the deadline at the present rates"
        yield Situation("deadline-forecast", what, "erasure lag")


def _groups(seen: Overview, groups: Mapping[str, GroupLag]) -> Iterator[Situation]:
    found: dict[str, tuple[int, datetime | None]] = {
        name: (one.beyond, None) for name, one in groups.items() if one.beyond > 0
    }
    found |= {one.group: (one.messages, one.seen_at) for one in seen.losses}
    for name, (messages, since) in found.items():
        what = (
            f"{name} has read messages ({messages:,} or more) that the broker no longer has: "
            "workers take nothing"
        )
        todo = "erasure topics check; then: erasure topics recover --by NAME --reason TEXT"
        yield Situation("offset-beyond-end", what, todo, since)


def _stores(seen: Overview, found_again: Mapping[str, int]) -> Iterator[Situation]:
    people = [one for one in seen.stores if one.lane is Lane.PEOPLE]
    sweeping = {one.store for one in seen.sweeps if one.state is SweepState.RUNNING}
    away = {one.store for one in people if one.state is State.AWAY}
    for one in seen.stores:
        # One store is told once; a sweep that it alone holds up is no store that is away.
        hindered = one.lane is Lane.SWEEPS and (one.store in away or one.store in sweeping)
        if one.state is State.AWAY and not hindered:
            what = f"{one.store} is away ({_why(one)}); it is tried again by itself"
            yield Situation("store-away", what, "erasure check", one.since, one.store)
    for one in people:
        again = found_again.get(one.store, 0)
        if again:
            what = f"{one.store} said {_cases(again)} erased, and the data are still there"
            yield Situation("not-gone", what, "erasure dead-letters list", store=one.store)
        if one.dead > again:
            what = f"{one.store} refused to erase in {_cases(one.dead - again)}"
            yield Situation("dead-letters", what, "erasure dead-letters list", store=one.store)
        waited = waits(one) or 0.0
        shrinks = one.lag_people > 0 and one.drain < float("inf")
        if not shrinks and waited >= GROWN.total_seconds():
            before = one.lag_people + one.unplanned
            what = f"the lag of {one.store} does not shrink: {before:,} wait for it"
            since = seen.at - timedelta(seconds=waited)
            todo = f"erasure lag --store {one.store}"
            yield Situation("lag-growing", what, todo, since, one.store)
    unserved = [one.store for one in people if not one.workers]
    if unserved and len(unserved) == len(people):
        what = "no worker serves a store: none runs, or none can write to the ledger"
        yield Situation("no-worker", what, "erasure run")
    elif unserved:
        names = ", ".join(unserved)
        parts = " ".join(f"--only {store}" for store in unserved)
        what, todo = f"no worker serves {names}", f"erasure run {parts}"
        yield Situation("store-unserved", what, todo, store=names)


def _sweeps(seen: Overview) -> Iterator[Situation]:
    lanes = {one.store: one for one in seen.stores if one.lane is Lane.SWEEPS}
    for one in seen.sweeps:
        named = f"sweep {one.id} of {one.store}"
        if one.state is SweepState.PAUSED:
            todo = f"erasure retention resume {one.id} --by NAME"
            yield Situation("sweep-paused", f"{named} is paused", todo, store=one.store)
        if one.state is not SweepState.RUNNING:
            continue
        store = lanes[one.store]
        status = f"erasure retention status {one.id}"
        if store.state is State.AWAY:
            what = f"{named} stands still ({_why(store)}); it is tried again by itself"
            yield Situation("sweep-still", what, status, store.since, one.store)
        elif store.state not in (State.PAUSED, State.DRAINING) and one.due_at <= seen.at - STILL:
            what = f"{named} stands still: no worker moves it"
            yield Situation("sweep-still", what, status, one.due_at, one.store)


def _others(seen: Overview) -> Iterator[Situation]:
    if parked := seen.cases.get(CaseState.PARKED, 0):
        what = f"{_cases(parked)} parked: somebody must say who is meant"
        yield Situation("cases-parked", what, "erasure cases --state parked")
    if held := seen.holds_to_review:
        what = f"{held:,} hold{'' if held == 1 else 's'} past the review date"
        yield Situation("hold-past-review", what, "erasure hold list")
    if abs(seen.skew) > SKEW_SECONDS:
        which = "ahead of" if seen.skew > 0 else "behind"
        what = f"this machine's clock is {abs(seen.skew):,.0f} s {which} the ledger's"
        yield Situation("clock-skew", what, "set the clock that is wrong (NTP)")


def waits(one: StoreNow) -> float | None:
    """Seconds for which the oldest waits in a store, looked up or not; None: nobody waits."""
    ages = [age for age in (one.oldest, one.unplanned_oldest) if age is not None]
    return max(ages, default=None)


def _why(one: StoreNow) -> str:
    """The last failure of a store, with what can be done about it."""
    return f"{one.fault}: {one.hint}" if one.hint else str(one.fault)


def _cases(number: int) -> str:
    return f"{number:,} case{'' if number == 1 else 's'}"
