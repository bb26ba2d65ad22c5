"""``erasure policy check``: all that is wrong with a policy file, before anything runs on it.

Made for a pipeline as well: ``--json`` for a machine, ``--format github`` for annotations that
stand beside the lines of a pull request.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from worker.cli.exits import Exit, Unusable
from worker.cli.output import AsJson, counted, print_json

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
        "Exit codes: 0 sound, 1 it has a hole, 2 it cannot be used at all"
    )(check)


def check(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A policy, as YAML.")],
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
    if as_json:
        print_json({"ok": not found, "file": str(file), "findings": found})
    elif form is Format.GITHUB:
        _annotate(file, found)
    elif found:
        for one in found:
            print(f"{file}:{one.line}: {one.what}")
        print(f"{counted(len(found), 'thing')} to put right")
    elif policy is not None:
        _praise(file, policy)
    raise typer.Exit(Exit.USAGE if policy is None else Exit.WRONG if found else Exit.OK)


def _praise(file: Path, policy: Policy) -> None:
    tables = sum(len(store.tables) for store in policy.stores.values())
    print(
        f"{file} is sound: {policy.company}, version {policy.version}, {len(policy.stores)} "
        f"stores with {tables} tables, {len(policy.grounds)} grounds, sha256 {policy.digest}"
    )


def _annotate(file: Path, found: Sequence[Problem]) -> None:
    """Write GitHub's workflow commands; their values have an escaping of their own."""
    for one in found:
        words = one.what.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
        name = str(file).replace("%", "%25").replace(",", "%2C").replace(":", "%3A")
        print(f"::error file={name},line={one.line},title=erasure policy::{words}")
