"""``erasure stores``: let a store rest, and let it go on."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated

import typer

from worker.cli.exits import Exit, say
from worker.cli.output import AsJson, print_json, print_table
from worker.cli.who import Because, By, Reason, in_words, told

if TYPE_CHECKING:
    from worker.context import Context
    from worker.stores_operate import Resting

EVERY = 1.0
"""Seconds between two looks at a store that is drained."""

Store = Annotated[str, typer.Argument(metavar="STORE", help="As the policy calls it.")]


def add_to(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(
        help="Stores: let one rest while it is looked after, and let it go on; nothing is lost.",
        no_args_is_help=True,
    )
    named = '--by "Kari Nordmann" --reason "restore test until noon"'
    group.command("list", epilog="For a machine: erasure stores list --json")(list_)
    group.command(epilog=f"erasure stores pause crm {named}")(pause)
    group.command(
        epilog=f"erasure stores drain crm {named}\n\n"
        "Exit codes: 0 nobody is at work in it (with --no-wait: it is told), 1 it was resumed "
        "meanwhile or there is no such store, 130 Ctrl-C: it is drained all the same"
    )(drain)
    group.command(epilog='erasure stores resume crm --by "Kari Nordmann"')(resume)
    app.add_typer(group, name="stores")


def list_(as_json: AsJson = False) -> None:
    """List the stores of the policy: which are served and which rest, by whose word and why."""
    names, found = asyncio.run(_look())
    resting = {one.pause.store: one for one in found}
    every = sorted({*names, *resting})
    if as_json:
        print_json([_plain(store, resting.get(store)) for store in every])
        return
    rows: list[tuple[object, ...]] = []
    for store in every:
        one = resting.get(store)
        if one is None:
            rows.append((store, "served", None, "", ""))
        else:
            pause = one.pause
            rows.append((store, one.rest, pause.paused_at, pause.by, pause.reason))
    print_table(("store", "state", "since", "by", "reason"), rows)
    if resting:
        print("what is asked of them waits, and deadlines count on; go on with: "
              "erasure stores resume STORE --by NAME")  # fmt: skip


def pause(store: Store, by: By, reason: Reason) -> None:
    """Let nothing begin in a store any more. A statement that runs ends by itself.

    What is asked of the store waits and is not lost; its deadlines count on.
    No other store is touched. When nobody is at work in it any more shows:
    erasure stores list.
    """
    from worker.stores_operate import pause_store

    by, because = in_words(by, "--by"), in_words(reason, "--reason")
    _work(lambda context: pause_store(context, store, by=by, reason=because))
    print(f"{store} is paused; see when nobody is at work in it any more: erasure stores list")


def drain(
    store: Store,
    by: By,
    reason: Reason,
    wait: Annotated[
        bool, typer.Option("--wait/--no-wait", help="Until nobody works in it.")
    ] = True,
) -> None:
    """Have a store's work in hand finished, take nothing new, and then pause it.

    Waits until nobody is at work in it: then it may be shut down, moved or
    restored. A store that does not answer is never drained: pause it.
    """
    from worker.stores_operate import drain_store

    by, because = in_words(by, "--by"), in_words(reason, "--reason")
    _work(lambda context: drain_store(context, store, by=by, reason=because))
    if not wait:
        print(f"{store} is being drained; see how far that is: erasure stores list")
        return
    try:
        drained = asyncio.run(_until_drained(store))
    except KeyboardInterrupt:
        say(f"erasure: {store} is drained all the same; see: erasure stores list")
        raise typer.Exit(Exit.INTERRUPTED) from None
    if not drained:
        say(f"erasure: somebody has resumed {store} meanwhile")
        raise typer.Exit(Exit.WRONG)
    print(f"{store} is drained: nobody is at work in it; go on with: erasure stores resume {store}")


def resume(store: Store, by: By, reason: Because = None) -> None:
    """Let a store go on: workers take up within seconds what waited for it."""
    from worker.stores_operate import resume_store

    by, because = in_words(by, "--by"), told(reason)
    _work(lambda context: resume_store(context, store, by=by, reason=because))
    print(f"{store} goes on")


async def _until_drained(store: str) -> bool:
    """Look until nobody is at work in a store; False when it was resumed before that."""
    from worker.cli.opening import open_worker
    from worker.stores_operate import Rest, resting

    async with open_worker() as context:
        while True:
            found = {one.pause.store: one.rest for one in await resting(context)}
            if found.get(store) in (Rest.PAUSED, None):
                return store in found
            await asyncio.sleep(EVERY)


async def _look() -> tuple[list[str], list[Resting]]:
    from worker.cli.opening import open_worker
    from worker.stores_operate import resting

    async with open_worker() as context:
        return list(context.connectors), await resting(context)


def _plain(store: str, one: Resting | None) -> dict[str, object]:
    if one is None:
        return {"store": store, "state": "served"}
    pause = one.pause
    return {
        "store": store,
        "state": one.rest,
        "since": pause.paused_at,
        "by": pause.by,
        "reason": pause.reason,
    }


def _work(decide: Callable[[Context], Awaitable[None]]) -> None:
    from worker.cli.opening import open_worker

    async def work() -> None:
        async with open_worker() as context:
            await decide(context)

    asyncio.run(work())
