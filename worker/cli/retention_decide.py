"""``erasure retention pause``, ``resume``, ``cancel`` and ``approve``: what operators decide."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated

import typer

from worker.cli.exits import Unusable
from worker.cli.who import Because, By, Reason, in_words, told

if TYPE_CHECKING:
    from worker.context import Context

Id = Annotated[int, typer.Argument(metavar="ID", help="As erasure retention status shows it.")]


def add_to(group: typer.Typer) -> None:
    """Add the commands to ``erasure retention``."""
    named = '--by "Kari Nordmann"'
    group.command(epilog=f'erasure retention pause 7 {named} --reason "month-end closing"')(pause)
    group.command(epilog=f"erasure retention resume 7 {named}")(resume)
    group.command(epilog=f'erasure retention cancel 7 {named} --reason "wrong policy"')(cancel)
    group.command(
        epilog=f'erasure retention approve 7 {named} --reason "first sweep, looked at the plan"\n\n'
        f'erasure retention approve flood:crm {named} --reason "campaign ended, as announced"'
    )(approve)


def pause(sweep: Id, by: By, reason: Reason) -> None:
    """Let a sweep rest where it is, after the chunk in hand; nothing that it did is lost."""
    from worker.retention_operate import pause

    by, because = in_words(by, "--by"), in_words(reason, "--reason")
    _work(lambda context: pause(context, sweep, by=by, because=because))
    print(f"sweep {sweep} is paused; it goes on with: erasure retention resume {sweep} --by NAME")


def resume(sweep: Id, by: By, reason: Because = None) -> None:
    """Let a paused sweep go on where it was."""
    from worker.retention_operate import resume

    by, because = in_words(by, "--by"), told(reason)
    _work(lambda context: resume(context, sweep, by=by, because=because))
    print(f"sweep {sweep} goes on; see: erasure retention status {sweep}")


def cancel(sweep: Id, by: By, reason: Reason) -> None:
    """End a sweep for good. What it erased stays erased, with its receipts."""
    from worker.retention_operate import cancel

    by, because = in_words(by, "--by"), in_words(reason, "--reason")
    _work(lambda context: cancel(context, sweep, by=by, because=because))
    print(f"sweep {sweep} is cancelled")


def approve(
    what: Annotated[
        str, typer.Argument(metavar="ID|flood:STORE", help="What asks, as erasure status shows it.")
    ],
    by: By,
    reason: Reason,
) -> None:
    """Let a sweep begin, or a store's events go on for a day, that ask before they erase so much.

    It is asked once; who approved and why is kept.
    """
    from worker import flood
    from worker.retention_operate import approve

    by, because = in_words(by, "--by"), in_words(reason, "--reason")
    kind, _, store = what.partition(":")
    if kind == "flood" and store:
        _work(lambda context: flood.approve(context, store, by=by, because=because))
        print(f"the events of {store} go on for 24 hours")
        return
    if not what.isdecimal():
        raise Unusable("name a sweep by its number, or the events of a store as flood:STORE")
    _work(lambda context: approve(context, int(what), by=by, because=because))
    print(f"sweep {what} is approved and goes on; see: erasure retention status {what}")


def _work(decide: Callable[[Context], Awaitable[None]]) -> None:
    from worker.cli.opening import open_worker

    async def work() -> None:
        async with open_worker() as context:
            await decide(context)

    asyncio.run(work())
