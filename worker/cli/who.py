"""Who decides, and why, as it is typed on a command line."""

from __future__ import annotations

import getpass
from collections.abc import Mapping
from typing import Annotated, Final

import typer

from worker import who
from worker.cli.exits import Unusable
from worker.who import LIMIT, Unfit, UnfitWords

UNFIT: Final[Mapping[Unfit, str]] = {
    Unfit.LENGTH: f"needs 1 to {LIMIT} characters",
    Unfit.ADDRESS: "stays in the ledger: no address in it",
}

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
    """A name or a reason as it is kept. Raises Unusable for one that is not."""
    try:
        return who.in_words(given)
    except UnfitWords as unfit:
        raise Unusable(f"{option} {UNFIT[unfit.why]}") from None


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
