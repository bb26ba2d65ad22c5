"""``erasure check``: what is wrong, and what to do about it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING

import typer

from worker.cli.exits import Exit
from worker.cli.output import STYLES, AsJson, console, print_json

if TYPE_CHECKING:
    from worker.check import Found


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        epilog="For a machine: erasure check --json\n\n"
        "Exit codes: 0 nothing forbids work, 1 something does"
    )(check)


def check(as_json: AsJson = False) -> None:
    """Look at settings, policy, broker, topics, ledger and each store: what is wrong, what to do.

    Everything is looked at, also when something else is wrong. Nothing is changed.
    """
    from worker import check as looking
    from worker.cli.opening import quieten

    quieten()
    findings = asyncio.run(looking.check())
    wrong = looking.is_wrong(findings)
    if as_json:
        print_json({"ok": not wrong, "findings": findings})
    else:
        _show(findings)
    raise typer.Exit(Exit.WRONG if wrong else Exit.OK)


def _show(findings: Iterable[Found]) -> None:
    out = console()
    for found in findings:
        out.print(f"{found.level:8} {found.part}: {found.what}", style=STYLES[found.level])
        if found.todo:
            out.print(f"         {found.todo}")
