"""``erasure dead-letters``: tasks that a store refused, and giving them to it again."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from worker.cli.exits import Exit, Unusable, say
from worker.cli.output import AsJson, print_json, print_table
from worker.cli.who import Because, Login, named, told
from worker.core.wording import counted

if TYPE_CHECKING:
    from worker.ledger.commands import CommandLine

ALL = 100_000
"""Dead letters are looked at by a person: more of them than this is one fault, not many."""


def add_to(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(
        help="Tasks that a store refused, each alone: see why, and try them again.",
        no_args_is_help=True,
    )
    group.command("list", epilog="For a machine: erasure dead-letters list --json")(list_)
    group.command(
        epilog="erasure dead-letters retry 17 18\n\nerasure dead-letters retry --all "
        '--reason "the foreign key is gone"'
    )(retry)
    app.add_typer(group, name="dead-letters")


def list_(as_json: AsJson = False) -> None:
    """List dead letters with the reason that the store gave. Their cases stay open meanwhile."""
    found = asyncio.run(_dead())
    if as_json:
        print_json([_plain(command) for command in found])
        return
    if not found:
        print("there is no dead letter")
        return
    print_table(
        ("id", "store", "case", "attempts", "last", "reason"),
        [
            (c.id, c.store, ", ".join(map(str, c.case_ids)), c.attempts, c.attempted_at, c.fault)
            for c in found
        ],
    )
    print("remove the cause, then: erasure dead-letters retry ID ..., or --all")


def retry(
    ids: Annotated[
        list[int] | None, typer.Argument(metavar="[ID]...", help="Which, as the list has them.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Every dead letter.")] = False,
    by: Login = None,
    reason: Because = None,
    as_json: AsJson = False,
) -> None:
    """Give dead letters to their stores again. What fails again becomes one again."""
    if bool(ids) == every:
        raise Unusable("say which: erasure dead-letters retry ID ..., or --all")
    retried, unknown = asyncio.run(_retry(ids, named(by), told(reason)))
    if as_json:
        print_json({"retried": retried, "not_dead_letters": unknown})
    else:
        print(f"{counted(len(retried), 'dead letter')} given to the stores again")
    if unknown:
        say(f"erasure: no dead letters: {', '.join(map(str, unknown))}; see the list")
        raise typer.Exit(Exit.WRONG)


async def _retry(ids: list[int] | None, by: str, reason: str | None) -> tuple[list[int], list[int]]:
    """Retry the dead letters named, or all; return those retried and those that are none."""
    from worker.cli.opening import open_worker
    from worker.context import PublishFailed
    from worker.operate import retry as retry_commands

    dead = {command.id for command in await _dead()}
    chosen = sorted(dead & set(ids) if ids else dead)
    if chosen:
        async with open_worker() as context:
            try:
                await retry_commands(context, chosen, by=by, reason=reason)
            except PublishFailed as failed:
                say(f"erasure: the broker takes nothing now ({failed}); a worker retries later")
    return chosen, sorted(set(ids or ()) - dead)


async def _dead() -> list[CommandLine]:
    from worker.cli.opening import open_ledger, read_settings
    from worker.ledger import commands

    async with open_ledger(read_settings()) as ledger, ledger.begin() as connection:
        return await commands.listed(connection, state="dead", limit=ALL)


def _plain(command: CommandLine) -> dict[str, object]:
    return {
        "id": command.id,
        "store": command.store,
        "cases": command.case_ids,
        "attempts": command.attempts,
        "attempted_at": command.attempted_at,
        "reason": command.fault,
    }
