"""What operators do with stores: pause, drain and resume one, and see how far that is.

A paused store loses nothing: what is asked of it waits, its deadlines count on, and its consumers
stay in their groups. ``pause_store`` lets no attempt begin any more; ``drain_store`` has finished
first what workers have in hand, also what they try again. A statement that runs is never cut off.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

from worker.context import Context, NotPossible
from worker.ledger import actions, pauses
from worker.ledger.actions import Did, Origin, Who
from worker.ledger.pauses import Pause

HEARD: Final = timedelta(seconds=6)
"""After this every worker has heard of a pause, and a look-up from before it has ended."""
SEE: Final = "see them with: erasure stores list"


class Rest(StrEnum):
    """How far the pause of a store is."""

    DRAINING = "draining"
    """Workers finish what they have in hand."""
    STOPPING = "stopping"
    """Nothing begins any more; what has begun may still run."""
    PAUSED = "paused"
    """Nobody is at work in the store."""


@dataclass(frozen=True, slots=True)
class Resting:
    """A store that rests, and how far that is."""

    pause: Pause
    rest: Rest


async def pause_store(
    context: Context, store: str, *, by: str, reason: str, origin: Origin = Origin.CLI
) -> None:
    """Let nothing begin in a store any more, also not what is being drained.

    Raises NotPossible for a store that the policy does not have or that is paused.
    """
    _known(context, store)
    async with context.ledger.begin() as connection:
        standing = await pauses.of_store(connection, store, lock=True)
        if standing is None:
            await pauses.place(
                connection, store, by=by, reason=reason, draining=False, now=context.now()
            )
        elif standing.draining:
            await pauses.stop_draining(connection, standing.id)
        else:
            raise _rests(standing)
        who = Who(by, reason, origin)
        await actions.note(connection, context.now(), who, Did.STORE_PAUSED, f"store:{store}")


async def drain_store(
    context: Context, store: str, *, by: str, reason: str, origin: Origin = Origin.CLI
) -> None:
    """Let a store take nothing new, finish what workers have in hand, and then pause it.

    How far that is tells :func:`resting`. Raises NotPossible as :func:`pause_store` does.
    """
    _known(context, store)
    async with context.ledger.begin() as connection:
        standing = await pauses.of_store(connection, store, lock=True)
        if standing is not None:
            raise _rests(standing)
        await pauses.place(
            connection, store, by=by, reason=reason, draining=True, now=context.now()
        )
        who = Who(by, reason, origin)
        await actions.note(connection, context.now(), who, Did.STORE_DRAINED, f"store:{store}")


async def resume_store(
    context: Context, store: str, *, by: str, reason: str | None = None, origin: Origin = Origin.CLI
) -> None:
    """Let a store go on. Raises NotPossible for one that is not paused."""
    now = context.now()
    async with context.ledger.begin() as connection:
        standing = await pauses.of_store(connection, store, lock=True)
        if standing is None:
            raise NotPossible("not-paused", f"{store} is not paused; {SEE}", store=store)
        await pauses.resume(connection, standing.id, by=by, reason=reason, now=now)
        await pauses.leave_in_transport(connection, store, now + context.timing.command_grace)
        who = Who(by, reason, origin)
        await actions.note(connection, context.now(), who, Did.STORE_RESUMED, f"store:{store}")


async def resting(context: Context) -> list[Resting]:
    """The stores that rest, and how far that is. A drain that is through becomes a pause here."""
    now = context.now()
    async with context.ledger.begin() as connection:
        await pauses.end_drained(connection, now - HEARD, now)
        found = []
        for pause in await pauses.standing(connection):
            if pause.draining:
                rest = Rest.DRAINING
            elif pause.paused_at > now - HEARD or await pauses.busy(
                connection, pause.store, now - context.timing.command_grace, now
            ):
                rest = Rest.STOPPING
            else:
                rest = Rest.PAUSED
            found.append(Resting(pause, rest))
    return found


def _known(context: Context, store: str) -> None:
    if store not in context.connectors:
        raise context.no_store(store)


def _rests(standing: Pause) -> NotPossible:
    rest = "is being drained" if standing.draining else "is paused"
    return NotPossible(
        "drained-already" if standing.draining else "paused-already",
        f"{standing.store} {rest} already, by {standing.by}; {SEE}",
        store=standing.store,
        by=standing.by,
    )
