"""``erasure policy explain``: why is this kept, on which ground, and until when?"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from worker.cli.exits import Unusable, say
from worker.cli.hold import subject_of
from worker.cli.output import AsJson, console, print_json

if TYPE_CHECKING:
    from worker.explain import Explained


def add_to(group: typer.Typer) -> None:
    """Add the command to ``erasure policy``."""
    group.command(
        epilog="erasure policy explain --store billing --table invoice --key 4711\n\n"
        "A person in every store: erasure policy explain --subject email=kari@example.no\n\n"
        "Another day: … --on 2032-01-01"
    )(explain)


def explain(
    store: Annotated[str | None, typer.Option(metavar="STORE")] = None,
    table: Annotated[str | None, typer.Option(metavar="TABLE", help="The policy's name.")] = None,
    key: Annotated[
        str | None,
        typer.Option(metavar="KEY", help="The row's own key; / between several columns."),
    ] = None,
    subject: Annotated[
        list[str] | None, typer.Option(metavar="KIND=VALUE", help="A person. May be repeated.")
    ] = None,
    on: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The day; today by default.")
    ] = None,
    lang: Annotated[str, typer.Option(help="nb or en")] = "en",
    as_json: AsJson = False,
) -> None:
    """Show for each field group every ground: lives or dead, from when, until when, by what.

    Categories and dates are shown, never what the fields hold.
    """
    row = (store, table, key) if store and table and key else None
    if (subject is None) is (row is None) or (subject and any((store, table, key))):
        raise Unusable("name a row by --store, --table and --key, or a person by --subject")
    if lang not in ("nb", "en"):
        raise Unusable("--lang is nb or en")
    found, unanswered = asyncio.run(_explain(row, subject or (), on))
    if as_json:
        print_json({"rows": found, "unanswered": unanswered})
    else:
        _show(found, "nb" if lang == "nb" else "en")
    if unanswered:
        say(f"erasure: {', '.join(unanswered)} did not answer, and may hold more")


async def _explain(
    row: tuple[str, str, str] | None, subject: Sequence[str], on: datetime | None
) -> tuple[list[Explained], list[str]]:
    from worker.cli.opening import open_worker
    from worker.explain import explain_row, explain_subject

    async with open_worker() as context:
        day = context.day() if on is None else on.date()
        if row is None:
            return await explain_subject(context, subject_of(subject), day)
        store, table, key = row
        values = key.split("/") if len(_key(context.connectors.get(store), table)) > 1 else [key]
        return await explain_row(context, store, table, values, day), []


def _key(connector: object, table: str) -> tuple[str, ...]:
    """The columns of a table's key; none for a table that is not there, as is said later."""
    tables = getattr(getattr(connector, "mapping", None), "tables", ())
    return next((one.key for one in tables if one.name == table), ())


def _show(found: Sequence[Explained], lang: Literal["nb", "en"]) -> None:
    from worker.core.explaining import Why
    from worker.core.terms import ground_sentence, kept_sentence

    out = console()
    if not found:
        out.print("nobody was found in any store")
    for row in found:
        for line in row.groups:
            out.print(f"{row.store}.{line.table}, row {row.row}: {', '.join(line.fields)}")
            becomes = "anonymised" if line.anonymised else "erased"
            said = f"kept by nothing: {becomes} when it is due"
            if line.kept:
                unknown = any(ground.why == Why.UNKNOWN for ground in line.grounds)
                said = kept_sentence(line.until, unknown=unknown and line.until is None)
            out.print(f"  {said} ({', '.join(line.categories)})", style="bold")
            for ground in line.grounds:
                words = ground_sentence(
                    ground.ground,
                    ground.terms,
                    lang,
                    why=ground.why,
                    counted_from=ground.counted_from,
                    until=ground.until,
                )
                out.print(f"    {'lives' if ground.lives else 'dead '}  {words}")
