"""``erasure demo``: a story on embedded servers, told as it happens."""

from __future__ import annotations

from typing import Annotated

import typer

from worker.cli.exits import NotReady

PEOPLE = 2000
"""Made-up people in the stores of the demo."""


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        epilog="Look around afterwards: erasure demo --keep\n\n"
        "Watch it in a browser: erasure demo --dashboard"
    )(demo)


def demo(
    keep: Annotated[
        bool,
        typer.Option("--keep", help="Leave everything running afterwards, until Ctrl-C."),
    ] = False,
    dashboard: Annotated[
        bool,
        typer.Option("--dashboard", help="Watch it on the worker's page; goes on until Ctrl-C."),
    ] = False,
) -> None:
    """Show real events erase real rows in three databases, with the proof. Needs no server."""
    try:
        from worker.demo.story import run_demo
    except ModuleNotFoundError as missing:
        if (missing.name or "").partition(".")[0] in ("worker", "topics", "connectors"):
            raise
        raise NotReady(
            f"the demo needs {missing.name}; run: pip install 'erasure-worker[demo]'"
        ) from None
    raise typer.Exit(run_demo(keep, PEOPLE, dashboard=dashboard))
