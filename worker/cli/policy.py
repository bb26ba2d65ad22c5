"""``erasure policy``: look at a policy file before anything runs on it."""

from __future__ import annotations

import asyncio
import sys
from typing import Annotated

import typer

from worker.cli import (
    policy_check,
    policy_diff,
    policy_explain,
    policy_forecast,
    policy_scaffold,
)
from worker.cli.exits import NotThere
from worker.cli.output import AsJson, print_json, print_table


def add_to(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(help="The policy file.", no_args_is_help=True)
    group.command("list", epilog="erasure policy list --json")(list_versions)
    group.command(epilog="erasure policy show 2026-11-01 > then.yaml")(show)
    policy_check.add_to(group)
    policy_explain.add_to(group)
    policy_scaffold.add_to(group)
    policy_forecast.add_to(group)
    policy_diff.add_to(group)
    app.add_typer(group, name="policy")


def list_versions(as_json: AsJson = False) -> None:
    """List the versions of the policy that workers have run on, the newest first."""
    from worker.cli.opening import open_ledger, read_settings
    from worker.ledger import policies

    async def read() -> list[policies.Version]:
        async with open_ledger(read_settings()) as ledger, ledger.begin() as connection:
            return await policies.listed(connection)

    found = asyncio.run(read())
    if as_json:
        print_json(found)
    else:
        print_table(
            ("version", "taken up", "sha256"),
            [(one.version, one.taken_up_at, one.digest) for one in found],
        )


def show(
    version: Annotated[str, typer.Argument(help="As it stands in a case or in: policy list")],
) -> None:
    """Print the file of one version, to the letter."""
    from worker.cli.opening import open_ledger, read_settings
    from worker.ledger import policies

    async def read() -> bytes | None:
        async with open_ledger(read_settings()) as ledger, ledger.begin() as connection:
            return await policies.content(connection, version)

    found = asyncio.run(read())
    if found is None:
        raise NotThere(f"no worker has run on version {version}; see: erasure policy list")
    sys.stdout.buffer.write(found)
    sys.stdout.flush()
