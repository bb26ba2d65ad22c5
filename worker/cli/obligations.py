"""``erasure obligations``: what was retained, and on which day the worker looks at it again."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from worker.cli.output import AsJson, print_json, print_table

if TYPE_CHECKING:
    from worker.ledger.obligations import Ahead


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog="What falls due this year: erasure obligations --until 2026-12-31")(
        obligations
    )


def obligations(
    until: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Only those up to this day.")
    ] = None,
    store: Annotated[str | None, typer.Option(help="Only those of this store.")] = None,
    as_json: AsJson = False,
) -> None:
    """List what was retained and is looked at again, by day and store, the nearest first.

    The worker looks by itself and erases what is then due; nobody has to ask for it.
    """
    found = asyncio.run(_read(store, until.date() if until else None))
    if as_json:
        print_json(found)
        return
    if not found:
        print("nothing is to be looked at again")
        return
    rows: Sequence[Sequence[object]] = [(one.look_on, one.store, f"{one.tasks:,}") for one in found]
    print_table(("day", "store", "people's tasks"), rows)


async def _read(store: str | None, until: date | None) -> list[Ahead]:
    from worker.cli.opening import open_ledger, read_settings
    from worker.ledger import obligations as questions

    async with open_ledger(read_settings()) as ledger, ledger.begin() as connection:
        return await questions.ahead(connection, store=store, until=until)
