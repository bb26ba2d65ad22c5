"""Running one sweep over its store, chunk by chunk, under the lease of the store."""

from __future__ import annotations

import asyncio

from worker.context import Context


async def run_sweep(context: Context, sweep_id: int, holder: str, stop: asyncio.Event) -> None:
    """Carry a sweep on until it is done, an operator or ``stop`` ends it, or the store is away."""
    raise NotImplementedError
