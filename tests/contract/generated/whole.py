"""A whole sweep of a drawn case: what people said is on record, runners die, others go on."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch
from uuid import uuid4

from hypothesis import strategies as st

from connectors.base import Connector
from connectors.sql import SqlConnector
from connectors.sql.sweeper import Sweeper
from tests.contract.generated.cases import Case, cases
from tests.contract.generated.policies import STORE
from tests.support.driving import message
from tests.support.nordlys import event
from tests.support.sweeping import asked, receipts, standing
from worker import hold
from worker.context import Context, Outgoing
from worker.core.policy import Policy
from worker.intake import take_in
from worker.ledger import sweep_steps
from worker.ledger.database import Ledger
from worker.ledger.sweeps import Sweep
from worker.ledger.upgrade import upgrade
from worker.sealing import Sealer
from worker.sweeping import runner
from worker.sweeping.pace import Pace
from worker.sweeping.record import LEASE_TTL, Record
from worker.sweeping.run import run_sweep

KINDS = {
    "withdrawn": "consent.withdrawn",
    "objected": "marketing.objected",
    "requested": "erasure.requested",
    "given": "consent.given",
}
STEPS: Sequence[tuple[Any, str]] = [
    (Sweeper, "span"),
    (Sweeper, "due"),
    (Sweeper, "doubtful"),
    (Sweeper, "sweep"),
    (Sweeper, "left"),
    (SqlConnector, "past"),
    (SqlConnector, "erase"),
    (SqlConnector, "verify"),
    (Record, "intend"),
    (Record, "go_on"),
    (sweep_steps, "begin"),
    (sweep_steps, "estimated"),
    (sweep_steps, "intend"),
    (sweep_steps, "step"),
    (sweep_steps, "end"),
]
PEOPLE = range(1, 6)
"""Keys that a row may have or lead to."""


class Died(BaseException):
    """The process of a runner ends here: nothing of it catches this."""


@dataclass(frozen=True)
class Whole:
    """A case, who is held or restricted, and how the sweep goes."""

    case: Case
    held: frozenset[int]
    restricted: frozenset[int]
    size: int
    """Pages or rows of each chunk."""
    unwritten: float
    """Seconds for which a runner keeps to itself that it found nothing."""
    deaths: tuple[tuple[int, bool], ...]
    """After how many steps each runner but the last dies; and whether that step was done."""


@dataclass(frozen=True)
class Told:
    """How a sweep ended, and who has a receipt of it."""

    sweep: Sweep
    people: frozenset[int]


@st.composite
def wholes(draw: st.DrawFn) -> Whole:
    """Draw a case and everything around it."""
    people = st.frozensets(st.sampled_from(PEOPLE), max_size=2)
    death = st.tuples(st.integers(1, 60), st.booleans())
    return Whole(
        draw(cases()),
        draw(st.one_of(st.just(frozenset[int]()), people)),
        draw(st.one_of(st.just(frozenset[int]()), people)),
        draw(st.sampled_from([1_000, 1, 2])),
        draw(st.sampled_from([0.0, 60.0])),
        tuple(draw(st.lists(death, max_size=3))),
    )


async def sweep_whole(whole: Whole, connector: SqlConnector, ledger: Path) -> Told:
    """Put on record what people said, and sweep the filled store to the end."""
    async with _opened(whole.case, connector, ledger) as (context, clock):
        await _say(context, whole)
        sweep_id = await asked(context, STORE)
        with (
            patch.object(Pace, "next_size", lambda *_: whole.size),
            patch.object(runner, "_SECONDS_UNWRITTEN", whole.unwritten),
        ):
            for number, (steps, done) in enumerate(whole.deaths):
                try:
                    with _dying(steps, done):
                        await run_sweep(context, sweep_id, f"runner {number}", asyncio.Event())
                except Died:
                    clock.go_on()
            await run_sweep(context, sweep_id, "the last", asyncio.Event())
        told = {p for p in PEOPLE if await receipts(context, STORE, (p,))}
        return Told(await standing(context, sweep_id), frozenset(told))


async def make_ledger(path: Path) -> None:
    """An empty ledger, of which each example takes a copy."""
    ledger = Ledger(f"sqlite+aiosqlite:///{path}")
    await upgrade(ledger)
    await ledger.close()


class _Clock:
    """Noon of the case's day, and later when somebody's lease must be over."""

    def __init__(self, case: Case) -> None:
        self.time = datetime.combine(case.day, time(12), UTC)

    def __call__(self) -> datetime:
        return self.time

    def go_on(self) -> None:
        self.time += 2 * LEASE_TTL


class _Silent:
    """A publisher whose topics nobody reads."""

    async def send(self, topic: str, messages: Sequence[Outgoing]) -> None:
        """Take them."""


@asynccontextmanager
async def _opened(
    case: Case, connector: Connector, ledger: Path
) -> AsyncIterator[tuple[Context, _Clock]]:
    own = ledger.with_name(f"{uuid4().hex}.db")
    shutil.copy(ledger, own)
    opened, clock, key = Ledger(f"sqlite+aiosqlite:///{own}"), _Clock(case), bytes(32)
    policy = Policy.model_validate(case.policy)
    sealer = Sealer({"k": key}, "k", key)
    try:
        yield Context(policy, opened, sealer, _Silent(), {STORE: connector}, clock), clock
    finally:
        await opened.close()
        own.unlink()


async def _say(context: Context, whole: Whole) -> None:
    """Take in what people said, without erasing anything for it; place the holds."""
    before = context.now() - timedelta(hours=1)
    said = [
        event(
            KINDS[one.kind],
            {"customer_id": str(person)},
            purposes=one.purposes,
            time=before + timedelta(seconds=one.second),
        )
        for person, events in whole.case.events.items()
        for one in events
    ]
    said += [
        event("restriction.requested", {"customer_id": str(person)}, time=before)
        for person in sorted(whole.restricted)
    ]
    await take_in(context, [message(at, one) for at, one in enumerate(said)])
    for person in sorted(whole.held):
        await hold.place_on_subject(
            context,
            {"customer_id": str(person)},
            by="Kari",
            reason="a claim",
            review_on=context.day() + timedelta(days=9),
        )


@contextmanager
def _dying(steps: int, done: bool) -> Iterator[None]:
    """Let the process die at one of its steps, before or after it is done."""
    taken = 0

    def counted(original: Any) -> Any:
        async def step(*args: Any, **options: Any) -> Any:
            nonlocal taken
            taken += 1
            if taken == steps and not done:
                raise Died
            mine = taken
            found = await original(*args, **options)
            if mine == steps:
                raise Died
            return found

        return step

    patches = [patch.object(o, name, counted(getattr(o, name))) for o, name in STEPS]
    for one in patches:
        one.start()
    try:
        yield
    finally:
        for one in patches:
            one.stop()
