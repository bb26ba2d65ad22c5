"""Probes: does this process live, can it work, has it started. Each answers (ok, details).

A store that is away is a warning and never makes a worker unready: others are served, and taking
this worker out would help nobody.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from time import monotonic
from typing import Final

from worker.context import Context
from worker.ledger.database import LedgerAway, LedgerConflict

Answer = tuple[bool, Mapping[str, object]]

STUCK_SECONDS: Final = 30.0
"""An event loop that has not turned for so long is stuck."""
PATIENCE_SECONDS: Final = 2.0
"""How long ledger and broker may take to answer a probe."""


def livez(context: Context) -> Answer:
    """Whether the event loop turns. When not, the process should be started anew."""
    since = monotonic() - context.here.turned
    return since < STUCK_SECONDS, {"loop_turned_seconds_ago": round(since, 1)}


def startupz(context: Context) -> Answer:
    """Whether the worker has read its ledger once and begun every part."""
    started = context.here.started
    return started, {"started": started}


async def readyz(context: Context) -> Answer:
    """Whether ledger and broker answer, and this process is in each of its consumer groups."""
    ledger, broker = await asyncio.gather(_ledger(context), _broker(context.here.bootstrap))
    assigned = context.here.assignments
    outside = sorted(group for group, partitions in assigned.items() if partitions is None)
    details: dict[str, object] = {
        "ledger": "answers" if ledger else "away",
        "broker": "answers" if broker else "away",
        "partitions": dict(sorted(assigned.items())),
        "warnings": [
            f"{store} ({lane.value}) is away: {seen.fault}"
            for (store, lane), seen in sorted(context.here.seen().items())
            if seen.away
        ],
    }
    return ledger and broker and context.here.started and not outside, details


async def _ledger(context: Context) -> bool:
    try:
        async with asyncio.timeout(PATIENCE_SECONDS), context.ledger.begin():
            pass
    except (LedgerAway, LedgerConflict, TimeoutError):
        return False
    return True


async def _broker(bootstrap: str) -> bool:
    """Whether one of the brokers takes a connection."""
    for address in filter(None, (part.strip() for part in bootstrap.split(","))):
        host, _, port = address.rpartition(":")
        with suppress(OSError, ValueError, TimeoutError):
            async with asyncio.timeout(PATIENCE_SECONDS):
                _, writer = await asyncio.open_connection(host.strip("[]"), int(port))
            writer.close()
            return True
    return False
