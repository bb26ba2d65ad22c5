"""``erasure status``: is all well, and what to do when it is not."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import typer

from worker.cli.exits import Exit
from worker.cli.output import AsJson, console, moment, print_json

if TYPE_CHECKING:
    from worker.health import Trouble


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        epilog="For a machine: erasure status --json\n\n"
        "Exit codes: 0 healthy, 4 something waits for somebody or nothing is erased, 75 the ledger "
        "does not answer"
    )(status)


def status(as_json: AsJson = False) -> None:
    """Say that all is well, or what is wrong and the command that answers it.

    Sweeps and events that ask before they erase far more than usual, sweeps
    that failed, and cases that wait while nothing is erased for an hour.
    """
    found = asyncio.run(_look())
    if as_json:
        print_json({"healthy": not found, "troubles": found})
    elif not found:
        print("healthy: nothing waits for a person, and what comes in is erased")
    for one in () if as_json else found:
        since = f" (since {moment(one.since)})" if one.since else ""
        console().print(f"{one.what}{since}", style="yellow")
        print(f"  {one.todo}")
    if found:
        raise typer.Exit(Exit.ALARM)


async def _look() -> list[Trouble]:
    from worker.bootstrap import now
    from worker.cli.opening import open_ledger, read_settings
    from worker.health import troubles

    async with open_ledger(read_settings()) as ledger:
        return await troubles(ledger, now())
