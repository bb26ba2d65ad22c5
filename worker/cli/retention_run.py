"""``erasure retention run``: ask for a sweep now, and follow it."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from worker.cli.exits import Exit, say
from worker.cli.output import AsJson, console, print_json
from worker.cli.who import Because, Login, named, told

if TYPE_CHECKING:
    from worker.ledger.database import Ledger
    from worker.ledger.sweeps import Sweep

EVERY = 0.5
"""Seconds between two looks into the ledger."""


def add_to(group: typer.Typer) -> None:
    """Add the command to ``erasure retention``."""
    group.command(
        epilog="erasure retention run --store billing\n\n"
        "erasure retention run --store billing --table invoice --no-wait\n\n"
        "Exit codes: 0 done (with --no-wait: asked for), 1 it failed, was cancelled or paused, "
        "3 it asks before it begins, 130 Ctrl-C: the sweep goes on"
    )(run)


def run(
    store: Annotated[str, typer.Option(metavar="STORE", help="The store to sweep.")],
    table: Annotated[str | None, typer.Option(metavar="TABLE", help="One table's rule.")] = None,
    ground: Annotated[str | None, typer.Option(metavar="GROUND", help="One ground's rule.")] = None,
    as_of: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="What was past by this day; never ahead."),
    ] = None,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Follow it to its end.")] = True,
    by: Login = None,
    reason: Because = None,
    as_json: AsJson = False,
) -> None:
    """Have a running worker erase what is past its last ground, and show how far it is.

    What it would do shows: erasure retention plan. Ctrl-C ends the showing;
    the sweep goes on.
    """
    asked = asyncio.run(_ask(store, table, ground, as_of, named(by), told(reason)))
    try:
        sweep = asyncio.run(_follow(asked, wait))
    except KeyboardInterrupt:
        say(f"erasure: sweep {asked} goes on; see: erasure retention status {asked}")
        raise typer.Exit(Exit.INTERRUPTED) from None
    if as_json:
        from worker.cli.retention_status import plain_sweep

        print_json(plain_sweep(sweep))
    elif not wait:
        print(f"sweep {asked} is asked for; see: erasure retention status {asked}")
    else:
        _tell(sweep)
    if wait:
        raise typer.Exit(meaning_of(sweep))


def meaning_of(sweep: Sweep) -> Exit:
    """The exit code of a sweep that was followed until it rested."""
    from worker.core.lifecycle import SweepState

    match sweep.state:
        case SweepState.DONE:
            return Exit.OK
        case SweepState.BRAKED:
            return Exit.REVIEW
        case _:
            return Exit.WRONG


async def _ask(
    store: str,
    table: str | None,
    ground: str | None,
    as_of: datetime | None,
    by: str,
    reason: str | None,
) -> int:
    from worker.cli.opening import open_worker
    from worker.retention_operate import run

    async with open_worker() as context:
        day = None if as_of is None else as_of.date()
        return await run(
            context, store, table=table, ground=ground, as_of=day, by=by, reason=reason
        )


async def _follow(sweep_id: int, wait: bool) -> Sweep:
    from worker.cli.opening import open_ledger, read_settings

    async with open_ledger(read_settings()) as ledger:
        if not wait:
            return await _read(ledger, sweep_id)
        return await follow(ledger, sweep_id)


async def follow(ledger: Ledger, sweep_id: int) -> Sweep:
    """Draw how far a sweep is until nothing moves it any more: it ended, asks or is paused."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from worker.cli.sweep_words import STATES, estimated, rule, why
    from worker.core.lifecycle import SweepState

    out = console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("rows"),
        TimeElapsedColumn(),
    )
    resting = {SweepState.BRAKED, SweepState.PAUSED}
    with Progress(*columns, console=out, disable=not out.is_terminal) as shown:
        task = shown.add_task(f"sweep {sweep_id}", total=None)
        while True:
            sweep = await _read(ledger, sweep_id)
            said = f"sweep {sweep_id} of {rule(sweep)} {STATES[sweep.state]}"
            if sweep.state is SweepState.WAITING and (because := why(sweep.reason)):
                said = f"{said}: {because}"
            shown.update(
                task, description=said, total=estimated(sweep), completed=sweep.rows, refresh=True
            )
            if sweep.ended_at is not None or sweep.state in resting:
                return sweep
            await asyncio.sleep(EVERY)


async def _read(ledger: Ledger, sweep_id: int) -> Sweep:
    from worker.cli.exits import NotThere
    from worker.ledger import sweeps

    async with ledger.begin() as connection:
        sweep = await sweeps.read(connection, sweep_id)
    if sweep is None:
        raise NotThere(f"there is no sweep {sweep_id} any more")
    return sweep


def _tell(sweep: Sweep) -> None:
    from worker.cli.sweep_words import STATES, todo, why

    because = why(sweep.reason)
    said = f"sweep {sweep.id} {STATES[sweep.state]}" + (f": {because}" if because else "")
    erased = f"{sweep.rows:,} rows erased or anonymised, told in {sweep.receipts:,} receipts"
    print(f"{said}; {erased}")
    if sweep.proof is not None:
        print(f"rows past their last ground, counted apart at its end: {sweep.proof['rows']:,}")
    if words := todo(sweep):
        say(f"erasure: {words}")
