"""``erasure policy scaffold``: a first draft of a store's part of the policy, from the store."""

from __future__ import annotations

import asyncio
import re
import sys
from typing import Annotated, Literal

import typer

from worker.cli.exits import Exit, NotThere, Unusable, say
from worker.core.wording import counted


def add_to(group: typer.Typer) -> None:
    """Add the command to ``erasure policy``."""
    group.command(
        # Left to us: a word too many may be a URL, which would be shown with its password.
        context_settings={"allow_extra_args": True},
        epilog="erasure policy scaffold --store crm postgresql://reader@host/crm --schema crm "
        "> draft.yaml\n\n"
        "The URL of ERASURE_STORES__SHOP, as a policy file of its own: erasure policy scaffold "
        "--store shop --whole > policy.yaml",
    )(scaffold)


def scaffold(
    context: typer.Context,
    store: Annotated[str, typer.Option(metavar="NAME", help="What the policy calls the store.")],
    url: Annotated[
        str | None,
        typer.Argument(metavar="[URL]", help="Of its database; that of the settings by default."),
    ] = None,
    connector: Annotated[
        Literal["sql", "crm", "newsletter", "billing"], typer.Option(help="Its kind of store.")
    ] = "sql",
    schema: Annotated[
        str | None, typer.Option(metavar="SCHEMA", help="Other than the login's own.")
    ] = None,
    whole: Annotated[
        bool, typer.Option("--whole", help="A whole policy file, not the store's part alone.")
    ] = False,
) -> None:
    """Write a draft to standard output: tables, keys, links, and guesses at what each column is.

    Every guess is marked, and refused by erasure policy check until you take its mark away.
    The database is looked at, never what its tables hold. The URL is not shown.
    """
    from connectors.registry import survey
    from worker.scaffold import draft

    if context.args:
        raise Unusable("too many arguments: give the store's name with --store, then one URL")
    if not re.fullmatch(r"[a-z][a-z0-9-]{0,39}", store):
        raise Unusable("--store: a store's name is small letters, digits and hyphens")
    tables = asyncio.run(survey(url or _of_settings(store), schema))
    if not tables:
        raise NotThere("there is no table; name the schema with --schema")
    made = draft(store, connector, tables, whole=whole)
    sys.stdout.write(made.content)
    say(
        f"{counted(made.tables, 'table')} drafted, {made.left_out} left out with the reason; "
        "confirm each guess by taking its mark away, then: erasure policy check FILE --live"
    )
    raise typer.Exit(Exit.OK)


def _of_settings(store: str) -> str:
    from worker.settings import load_stores

    url = load_stores().stores.get(store)
    if url is None:
        raise Unusable(f"give the URL of the store, or set ERASURE_STORES__{store.upper()}")
    return url.get_secret_value()
