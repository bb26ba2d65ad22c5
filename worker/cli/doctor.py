"""``erasure doctor``: a file that one can attach to a bug report."""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from worker.cli.exits import Unusable

STDOUT = Path("-")


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        epilog="erasure doctor\n\nOn the terminal: erasure doctor --output -\n\n"
        "Exit codes: 0 written, 2 the file is there or cannot be written"
    )(doctor)


def doctor(
    output: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Where to; - for the terminal. Nothing is overwritten."),
    ] = None,
) -> None:
    """Write versions, settings, states and the last errors to a file for a bug report.

    It holds no personal data and no secret: no identifier, no event, no name, no
    password. Look at it before you send it. It is written also when parts are away.
    """
    from worker.bootstrap import now
    from worker.cli.opening import quieten
    from worker.doctor import examine

    quieten()
    report = asyncio.run(examine(now()))
    if output == STDOUT:
        sys.stdout.buffer.write(report)
        sys.stdout.flush()
        return
    file = output or Path(f"erasure-doctor-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.json")
    try:
        with file.open("xb") as opened:
            opened.write(report)
    except FileExistsError:
        raise Unusable(f"{file} is there; name another one with --output") from None
    except OSError as error:
        raise Unusable(f"{file} cannot be written ({error.strerror})") from None
    print(f"written: {file}; it holds no personal data and no secret, so you may attach it")
