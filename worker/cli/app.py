"""All commands, put together; and the one place where an error becomes an exit code."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from worker.cli import (
    cases,
    checking,
    dead_letters,
    demo,
    doctor,
    hold,
    ledger,
    obligations,
    policy,
    publish,
    retention,
    run,
    status,
    stores,
    token,
    topics,
)
from worker.cli.exits import tell

app = typer.Typer(
    name="erasure",
    help="Has personal data erased in every store when people withdraw, object or ask; verifies "
    "it and keeps the proof.",
    epilog="First steps: erasure check\n\nA running story on embedded servers: erasure demo",
    no_args_is_help=True,
    # What stands in local variables may be somebody's data: an error shows its place only.
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

run.add_to(app)
demo.add_to(app)
checking.add_to(app)
status.add_to(app)
doctor.add_to(app)
publish.add_to(app)
cases.add_to(app)
dead_letters.add_to(app)
hold.add_to(app)
stores.add_to(app)
obligations.add_to(app)
token.add_to(app)
topics.add_to(app)
ledger.add_to(app)
policy.add_to(app)
retention.add_to(app)


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        print(f"erasure-worker {version('erasure-worker')}")
        raise typer.Exit


@app.callback()
def _options(
    _: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """Carry out what stands before every command."""


def run_command_line() -> None:
    """Run the command line and exit with a code of :class:`worker.cli.exits.Exit`."""
    try:
        app()
    except Exception as error:  # noqa: BLE001 - the last place: every error becomes an exit code
        sys.exit(tell(error))
