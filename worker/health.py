"""Is all well? What waits for somebody's decision, and whether anything is being erased at all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from worker.core.brake import words
from worker.core.lifecycle import SweepState
from worker.ledger import brakes, pauses, progress, sweeps, waiting
from worker.ledger.brakes import Braked
from worker.ledger.database import Connection, Ledger
from worker.ledger.pauses import Pause
from worker.ledger.sweeps import Sweep
from worker.ledger.waiting import StandingSweep

STILL: Final = timedelta(hours=1)
"""Cases that wait so long while nothing is erased are an alarm (rule 10)."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing that is wrong: its kind, words for a person, and the command that answers it.

    ``kind`` is ``sweep-asks``, ``flood-asks``, ``sweep-failed``, ``store-paused``,
    ``store-draining`` or ``nothing-erased``; ``about`` is what the words are made of.
    """

    kind: str
    what: str
    todo: str
    since: datetime | None
    about: Mapping[str, Any]


async def troubles(ledger: Ledger, now: datetime) -> list[Trouble]:
    """Return what is wrong; nothing when all is well. Raises LedgerAway."""
    async with ledger.begin() as connection:
        settled = await progress.last_settled(connection)
        return judge(
            asking=await brakes.asking(connection),
            resting=await pauses.standing(connection),
            standing=await waiting.standing_sweeps(connection),
            failed=await sweeps.failed(connection),
            still=await standing_still(connection, settled, now),
        )


async def standing_still(
    connection: Connection, settled: datetime | None, now: datetime
) -> tuple[int, datetime | None]:
    """Cases that wait while nothing is erased, and since when; ``settled`` is when it last was."""
    if settled is not None and settled > now - STILL:
        return 0, None
    return await progress.open_since(connection, now - STILL)


def judge(
    *,
    asking: Iterable[Braked],
    resting: Iterable[Pause],
    standing: Iterable[StandingSweep],
    failed: Iterable[Sweep],
    still: tuple[int, datetime | None],
) -> list[Trouble]:
    """Say what is wrong, of what was read."""
    found = [
        Trouble(
            "flood-asks",
            f"the events of a day in {one.store}: going on {words(one.asks)}; nothing is erased "
            "there until somebody has looked",
            f"erasure retention approve flood:{one.store} --by NAME --reason TEXT",
            one.since,
            {"store": one.store, "asks": one.asks},
        )
        for one in asking
    ]
    found += [
        Trouble(
            "sweep-asks",
            f"sweep {one.id} of {one.store} {words(one.reason or {})}",
            f"erasure retention approve {one.id} --by NAME --reason TEXT",
            one.asked_at,
            {"store": one.store, "sweep": one.id, "asks": one.reason or {}},
        )
        for one in standing
        if one.state is SweepState.BRAKED
    ]
    found += [
        Trouble(
            "sweep-failed",
            f"sweep {one.id} of {one.store} has failed",
            f"erasure retention status {one.id}",
            one.ended_at,
            {"store": one.store, "sweep": one.id},
        )
        for one in failed
    ]
    found += [
        Trouble(
            "store-draining" if one.draining else "store-paused",
            f"{one.store} is {'being drained' if one.draining else 'paused'} by {one.by}: "
            f"{one.reason}; what is asked of it waits, and deadlines count on",
            f"erasure stores resume {one.store} --by NAME",
            one.paused_at,
            {"store": one.store, "by": one.by, "reason": one.reason},
        )
        for one in resting
    ]
    cases, oldest = still
    if cases:
        found.append(
            Trouble(
                "nothing-erased",
                f"{cases:,} open cases wait for more than an hour, and nothing was erased in "
                "any store meanwhile",
                "see that workers run and stores answer: erasure check, erasure dead-letters list",
                oldest,
                {"cases": cases},
            )
        )
    return found
