"""Who decides, and why, as it is typed."""

from __future__ import annotations

import getpass
from typing import Annotated

import typer

from worker.cli.exits import Unusable

LIMIT = 500
"""Characters of a name or a reason."""

By = Annotated[str, typer.Option(metavar="NAME", help="Who decides.")]
Login = Annotated[
    str | None,
    typer.Option("--by", metavar="NAME", help="Who decides; else the name of your login is kept."),
]
Reason = Annotated[
    str, typer.Option(metavar="TEXT", help="Why. It is kept: do not name anybody's data.")
]
Because = Annotated[
    str | None,
    typer.Option("--reason", metavar="TEXT", help="Why. It is kept: do not name anybody's data."),
]


def in_words(given: str, option: str) -> str:
    """A name or a reason as it is kept. Raises Unusable for one that is empty or too long."""
    words = given.strip()
    if not words or len(words) > LIMIT:
        raise Unusable(f"{option} needs 1 to {LIMIT} characters")
    if "@" in words:
        raise Unusable(f"{option} stays in the ledger: no address in it")
    return words


def named(given: str | None) -> str:
    """Who decides: the name that was given, or that of the login. Raises Unusable."""
    if given is not None:
        return in_words(given, "--by")
    try:
        return in_words(getpass.getuser().partition("@")[0], "--by")
    except (OSError, KeyError):
        raise Unusable("nobody knows who you are here; say it: --by NAME") from None


def told(given: str | None) -> str | None:
    """A reason that may be left out. Raises Unusable."""
    return None if given is None else in_words(given, "--reason")
