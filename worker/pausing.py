"""What a pause means for the worker: nothing of a paused store is read or written.

Where a store is only asked who is meant, a paused one answers as one that is away: what depends on
it waits in the ledger, and no other store waits for it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Any, cast

from connectors.base import Connector
from connectors.faults import HINTS, RetryLater
from worker.context import Context
from worker.ledger import pauses


class StorePaused(Exception):
    """An operator lets the store rest. Nothing was begun: try again when it is resumed."""


async def paused(context: Context) -> set[str]:
    """The stores that nobody may touch now, those that are being drained included."""
    async with context.ledger.begin() as connection:
        return {one.store for one in await pauses.standing(connection)}


def without(context: Context, stores: Collection[str]) -> Context:
    """The same parts, in which these stores answer nothing."""
    if not stores:
        return context
    connectors = {
        name: cast(Connector, _Resting(one)) if name in stores else one
        for name, one in context.connectors.items()
    }
    return replace(context, connectors=connectors)


class _Resting:
    """A paused store: what it is like is known, what is in it nobody asks."""

    def __init__(self, connector: Connector) -> None:
        self.mapping = connector.mapping
        self.capabilities = connector.capabilities

    def __getattr__(self, name: str) -> Callable[..., Any]:
        async def refuse(*_: object, **__: object) -> None:
            raise RetryLater("paused", HINTS["paused"])

        return refuse
