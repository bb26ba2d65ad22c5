"""Waiting between tries, and waiting no longer than until the worker is told to stop."""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress

from worker.core.retry import Backoff


def pause(backoff: Backoff, failures: int) -> float:
    """Seconds to wait after so many failures in a row (from 1), spread by chance."""
    return backoff.delay(failures, random.random())  # noqa: S311 - spreads load, guards no secret


async def stopped_within(stop: asyncio.Event, seconds: float) -> bool:
    """Wait, but no longer than until ``stop`` is set; tell whether it is."""
    with suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)
    return stop.is_set()
