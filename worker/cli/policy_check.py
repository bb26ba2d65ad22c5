"""``erasure policy check``: all that is wrong with a policy file, before anything runs on it.

Made for a pipeline as well: ``--json`` for a machine, ``--format github`` for annotations that
stand beside the lines of a pull request.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from worker.cli.exits import Exit, Unusable
from worker.cli.output import AsJson, print_json
from worker.core.wording import counted

if TYPE_CHECKING:
    from worker.core.policy import Policy
    from worker.policy_file import Problem


class Format(StrEnum):
    """How findings are written."""

    TEXT = "text"
    GITHUB = "github"


def add_to(group: typer.Typer) -> None:
    """Add the command to ``erasure policy``."""
    group.command(
        epilog="erasure policy check deploy/policy/nordlys.yaml\n\n"
        "In a pipeline: erasure policy check policy.yaml --format github\n\n"
        "Against the running databases of ERASURE_STORES__…: erasure policy check policy.yaml "
        "--live\n\n"
        "Exit codes: 0 sound (there may be warnings), 1 it has a hole, 2 it cannot be used at all"
    )(check)


def check(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A policy, as YAML.")],
    live: Annotated[
        bool, typer.Option("--live", help="Look at the running databases as well.")
    ] = False,
    as_json: AsJson = False,
    form: Annotated[
        Format, typer.Option("--format", help="github: annotations for a workflow.")
    ] = Format.TEXT,
) -> None:
    """Say everything that is wrong with a policy: where, what, why it matters, what to write."""
    from worker.policy_file import PolicyError, review

    policy: Policy | None = None
    try:
        policy, found = review(file)
    except OSError as error:
        raise Unusable(f"{file} cannot be read ({error.strerror})") from None
    except PolicyError as error:
        found = list(error.problems)
    if live and policy is not None:
        found = sorted([*found, *_look(file, policy)])
    wrong = [one for one in found if one.level == "error"]
    if as_json:
        print_json({"ok": not wrong, "file": str(file), "findings": found})
    elif form is Format.GITHUB:
        _annotate(file, found)
    else:
        _tell(file, found)
        if wrong:
            print(f"{counted(len(wrong), 'thing')} to put right")
        elif policy is not None:
            _praise(file, policy)
    raise typer.Exit(Exit.USAGE if policy is None else Exit.WRONG if wrong else Exit.OK)


def _look(file: Path, policy: Policy) -> list[Problem]:
    """Ask the running stores."""
    from worker.cli.opening import quieten
    from worker.live_check import look
    from worker.policy_file import Problem, places
    from worker.settings import load_stores

    quieten()
    told = asyncio.run(look(policy, load_stores().stores))
    line = places(file)
    return [Problem(line(one.place), one.what, one.level, one.write) for one in told]


def _tell(file: Path, found: Sequence[Problem]) -> None:
    for one in found:
        print(f"{file}:{one.line}: {'warning: ' if one.level == 'warning' else ''}{one.what}")
        if one.write:
            print(one.write)


def _praise(file: Path, policy: Policy) -> None:
    tables = sum(len(store.tables) for store in policy.stores.values())
    print(
        f"{file} is sound: {policy.company}, version {policy.version}, {len(policy.stores)} "
        f"stores with {tables} tables, {len(policy.grounds)} grounds, sha256 {policy.digest}"
    )


def _annotate(file: Path, found: Sequence[Problem]) -> None:
    """Write GitHub's workflow commands; their values have an escaping of their own."""
    for one in found:
        text = f"{one.what}\n{one.write}" if one.write else one.what
        words = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
        name = str(file).replace("%", "%25").replace(",", "%2C").replace(":", "%3A")
        print(f"::{one.level} file={name},line={one.line},title=erasure policy::{words}")
