"""``erasure ledger``: bring the ledger's schema up to date, and say how it stands."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import typer

from worker.cli.exits import Exit
from worker.cli.output import AsJson, print_json
from worker.core.wording import counted


def add_to(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(help="The ledger: its schema and how it stands.", no_args_is_help=True)
    group.command(epilog="Before every new version: erasure ledger upgrade")(upgrade)
    group.command(epilog="For a machine: erasure ledger status --json")(status)
    app.add_typer(group, name="ledger")


def upgrade() -> None:
    """Make or change what this version of the worker needs. May be repeated."""
    from worker.cli.opening import read_settings
    from worker.ledger.upgrade import upgrade as bring_up
    from worker.ready import ledger_of, revision_of

    async def work() -> str:
        ledger = ledger_of(read_settings())
        try:
            await revision_of(ledger)  # Says in words why it cannot be had.
            return await bring_up(ledger)
        finally:
            await ledger.close()

    print(f"the ledger is at revision {asyncio.run(work())}")


@dataclass(frozen=True, slots=True)
class Status:
    """How a ledger stands."""

    up_to_date: bool
    todo: str = ""
    cases: dict[str, int] = field(default_factory=dict)
    dead_letters: int = 0


def status(as_json: AsJson = False) -> None:
    """Say whether the ledger is up to date, and how many cases and dead letters it holds."""
    found = asyncio.run(_status())
    if as_json:
        print_json(found)
    elif found.up_to_date:
        print("the ledger is up to date")
        for state, number in found.cases.items():
            print(f"{counted(number, 'case')} {state}")
        print(counted(found.dead_letters, "dead letter"))
    else:
        print(found.todo)
    raise typer.Exit(Exit.OK if found.up_to_date else Exit.WRONG)


async def _status() -> Status:
    from worker.cli.opening import open_ledger, read_settings
    from worker.ledger import cases, commands
    from worker.ready import LedgerBehind

    try:
        async with open_ledger(read_settings()) as ledger, ledger.begin() as connection:
            counts = await cases.counts(connection)
            dead = await commands.listed(connection, state="dead", limit=MANY)
    except LedgerBehind as error:
        return Status(False, str(error))
    return Status(True, "", {state.value: n for state, n in counts.items()}, len(dead))


MANY = 100_000
"""Dead letters are things a person looks at: nobody has more of them."""
