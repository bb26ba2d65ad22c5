"""The last chapter: twelve years of history, of which the half is past its ground."""

from __future__ import annotations

import shlex
import time
from typing import Final

from worker.core.lifecycle import SweepState
from worker.demo.failing import DemoFailed
from worker.demo.stage import Stage
from worker.ledger import sweeps
from worker.ledger.sweeps import Sweep

STORE: Final = "billing"
YEARS: Final = 12
_RESTING: Final = frozenset({SweepState.BRAKED, SweepState.PAUSED})


async def retention(stage: Stage, people: int) -> None:
    """Fill the accounts system with history; forecast, look, be asked, approve, sweep, prove."""
    stage.narrator.chapter(
        f"{YEARS} years, {people:,} customers, and nobody asks",
        f"The accounts system gets {people:,} customers of the last {YEARS} years with their "
        "invoices. Nobody has asked for anything: time alone ends what the Bookkeeping Act keeps.",
    )
    with stage.narrator.waiting("Writing the history"):
        await stage.stores.add_history(people, YEARS)
    await _show(stage, "policy", "forecast", "--store", STORE, "--by", "year")
    await _show(stage, "retention", "plan", "--store", STORE)
    asked = await stage.command("retention", "run", "--store", STORE, "--no-wait")
    sweep = await _rests(stage, None, 0)
    if sweep.state is not SweepState.BRAKED:
        raise DemoFailed(f"the sweep would erase far more than usual and is {sweep.state}: {asked}")
    stage.narrator.say(
        "So many at once is unusual: the sweep counted, and [bold]asks[/] before it begins. "
        "Somebody looks at the figures above and answers; who and why is kept."
    )
    await _show(
        stage,
        *("retention", "approve", str(sweep.id), "--by", "Kari Nordmann"),
        *("--reason", "the first sweep of twelve years"),
    )
    began = time.monotonic()
    done = await _rests(stage, sweep.id, _estimated(sweep))
    took = time.monotonic() - began
    if done.state is not SweepState.DONE:
        raise DemoFailed(f"the sweep is {done.state}: {done.reason}")
    await _show(stage, "retention", "status", str(done.id))
    left = await stage.stores.older_than(stage.policy.cutoffs(STORE, done.as_of)["bookkeeping"])
    if left:
        raise DemoFailed(f"{left} invoices are past their ground and still there")
    stage.narrator.say(
        f"{done.rows:,} rows in {took:.1f} s, and a receipt for each person and table: "
        f"{done.receipts:,}. A plain count past the worker says it too: invoices older than they "
        f"may be: [bold]{left}[/]."
    )


async def _show(stage: Stage, *words: str) -> None:
    """Run a command as a user would, and show what it says."""
    said = await stage.command(*words)
    stage.narrator.lines(f"$ erasure {shlex.join(words)}", *said.rstrip().splitlines())


async def _rests(stage: Stage, sweep_id: int | None, total: int) -> Sweep:
    """Wait, with a bar, until a sweep asks or has ended; the newest where none is named."""
    found: list[Sweep] = []

    async def resting() -> bool:
        async with stage.ledger.begin() as connection:
            newest = await sweeps.listed(connection, store=STORE, limit=1)
        found[:] = [one for one in newest if sweep_id in (None, one.id)]
        return any(one.ended_at is not None or one.state in _RESTING for one in found)

    with stage.narrator.bar("rows", max(total, 1)) as reached:
        await stage.until(
            resting, "the sweep", lambda: reached(min(total, found[0].rows if found else 0))
        )
    return found[0]


def _estimated(sweep: Sweep) -> int:
    """Rows that a sweep said it would erase."""
    return sum((sweep.estimate or {}).get("rows", {}).values())
