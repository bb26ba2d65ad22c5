"""``erasure token``: a token that signs somebody in at the page, and the setting that knows it."""

from __future__ import annotations

from typing import Annotated

import typer

from worker.cli.exits import Unusable
from worker.web_settings import Role, new_token


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        epilog="erasure token kari --role operator\n\n"
        "For Prometheus: erasure token prometheus --role viewer"
    )(token)


def token(
    name: Annotated[str, typer.Argument(help="Whose it is: small letters, digits and -.")],
    role: Annotated[
        Role,
        typer.Option(
            help="viewer looks; operator also retries, holds, pauses; approver also approves, "
            "releases and extends."
        ),
    ] = Role.VIEWER,
) -> None:
    """Make a token for the page: shown once, kept nowhere. The settings hold its hash alone."""
    if not name.replace("-", "").isalnum() or not name.isascii() or name != name.lower():
        raise Unusable("a name has small letters, digits and - only, as kari or night-shift")
    made, hashed = new_token()
    print(f"token, for {name} alone (it is not shown again):\n  {made}\n")
    print("add to the settings of every worker, and start them again; in the settings file:")
    print(f'  [web.tokens.{name}]\n  role = "{role}"\n  sha256 = "{hashed}"')
    if "-" not in name:
        place = f"ERASURE_WEB__TOKENS__{name.upper()}"
        print(f"or as variables:\n  {place}__ROLE={role}\n  {place}__SHA256={hashed}")
