"""``erasure policy``: look at a policy file before anything runs on it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from worker.cli.exits import Unusable


def add_to(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(help="The policy file.", no_args_is_help=True)
    group.callback()(lambda: None)  # A group of one command is still a group.
    group.command(epilog="erasure policy check deploy/policy/nordlys.yaml")(check)
    app.add_typer(group, name="policy")


def check(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A policy, as YAML.")],
) -> None:
    """Say everything that is wrong with a policy, with line and suggestion; 2 if anything is."""
    from worker.policy_file import load

    try:
        policy = load(file)
    except OSError as error:
        raise Unusable(f"{file} cannot be read ({error.strerror})") from None
    tables = sum(len(store.tables) for store in policy.stores.values())
    print(
        f"{file} is sound: {policy.company}, version {policy.version}, {len(policy.stores)} "
        f"stores with {tables} tables, {len(policy.grounds)} grounds, sha256 {policy.digest}"
    )
