"""``erasure retention status`` and ``receipts``: how sweeps stand, and what they did for whom."""

from __future__ import annotations

import asyncio
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from worker.cli.exits import NotThere
from worker.cli.output import AsJson, console, moment, print_json, print_table

if TYPE_CHECKING:
    from worker.ledger.sweeps import Sweep
    from worker.retention_operate import SweptPerson

_SECRET = ("cursor", "span", "intent", "left_out", "key_id")
"""Sealed keys and pseudonyms: of no use to who looks at a sweep."""


def add_to(group: typer.Typer) -> None:
    """Add the commands to ``erasure retention``."""
    group.command(epilog="erasure retention status\n\nerasure retention status 7 --json")(status)
    group.command(epilog="erasure retention receipts --store billing --key 4711")(receipts)


def status(
    sweep: Annotated[int | None, typer.Argument(metavar="[ID]", help="One sweep.")] = None,
    store: Annotated[str | None, typer.Option(metavar="STORE", help="One store's alone.")] = None,
    as_json: AsJson = False,
) -> None:
    """List sweeps, the newest first; or tell all about one, and what to do next."""
    found = asyncio.run(_read(sweep, store))
    if as_json:
        plain = [plain_sweep(one) for one in found]
        print_json(plain if sweep is None else plain[0])
    elif sweep is not None:
        _show(found[0])
    elif not found:
        print("there was no sweep yet; see what one would do: erasure retention plan")
    else:
        _list(found)


async def _read(sweep_id: int | None, store: str | None) -> list[Sweep]:
    from worker.cli.opening import open_ledger, read_settings
    from worker.ledger import pauses, sweeps

    async with open_ledger(read_settings()) as ledger, ledger.begin() as connection:
        resting = {one.store for one in await pauses.standing(connection)}
        if sweep_id is None:
            found = await sweeps.listed(connection, store=store)
        else:
            sweep = await sweeps.read(connection, sweep_id)
            if sweep is None:
                raise NotThere(
                    f"there is no sweep {sweep_id}; list them with: erasure retention status"
                )
            found = [sweep]
    return [_with_why(one, one.store in resting) for one in found]


def _with_why(sweep: Sweep, rests: bool) -> Sweep:
    """Say of one that no worker has taken up yet that it is its store that rests."""
    from worker.core.lifecycle import SweepState

    if rests and sweep.state is SweepState.WAITING and sweep.reason is None:
        return replace(sweep, reason={"why": "store-paused"})
    return sweep


def plain_sweep(sweep: Sweep) -> dict[str, Any]:
    """A sweep for a machine, with where it stands in words."""
    from worker.cli.sweep_words import STATES, todo, why

    fields = {name: value for name, value in asdict(sweep).items() if name not in _SECRET}
    told = {"rows": sweep.rows, "words": STATES[sweep.state], "why": why(sweep.reason)}
    return {**fields, **told, "todo": todo(sweep)}


def _list(found: list[Sweep]) -> None:
    from worker.cli.sweep_words import STATES, estimated, rule, todo

    print_table(
        ("id", "sweep of", "as of", "state", "rows", "of about", "people", "asked"),
        [
            (
                one.id,
                rule(one),
                one.as_of,
                STATES[one.state],
                f"{one.rows:,}",
                "" if (rows := estimated(one)) is None else f"{rows:,}",
                _people(one),
                one.asked_at,
            )
            for one in found
        ],
    )
    for one in found:
        if words := todo(one):
            console().print(f"sweep {one.id}: {words}", style="yellow")


def _show(sweep: Sweep) -> None:
    from worker.cli.sweep_words import STATES, estimated, rule, todo, why

    out = console()
    out.print(Text.assemble("sweep ", (str(sweep.id), "bold"), f"  {STATES[sweep.state]}"))
    lines: list[tuple[str, object]] = [
        ("of", f"{rule(sweep)}, as of {sweep.as_of}, under policy {sweep.policy}"),
        ("asked", f"{moment(sweep.asked_at)} by {sweep.trigger} ({sweep.source})"),
        ("why", why(sweep.reason)),
        ("approved", _approved(sweep)),
        ("started", sweep.started_at and moment(sweep.started_at)),
        ("ended", sweep.ended_at and moment(sweep.ended_at)),
        ("told", sweep.told_at and f"{moment(sweep.told_at)} to {sweep.source}"),
        ("work", f"{sweep.chunks:,} chunks, {sweep.seconds:,.1f} s"),
        ("erased", f"{sweep.rows:,} rows, told in {sweep.receipts:,} receipts"),
        (
            "estimate",
            ""
            if (rows := estimated(sweep)) is None
            else f"{rows:,} rows of {_people(sweep)} people",
        ),
        ("proof", _proof(sweep)),
    ]
    for name, value in lines:
        if value:
            out.print(f"{name:11} {value}")
    if words := todo(sweep):
        out.print(Text(f"{'next':11} {words}", style="yellow"))
    for group, results in sweep.counts.items():
        told = ", ".join(f"{result} {rows:,}" for result, rows in results.items())
        out.print(f"  {group}: {told}")


def _people(sweep: Sweep) -> str:
    """How many people it would take data of, each counted once, as it said before it began."""
    return "" if sweep.estimate is None else f"{sweep.estimate['people']:,}"


def _approved(sweep: Sweep) -> str:
    if sweep.approved_at is None:
        return ""
    return f"{moment(sweep.approved_at)} by {sweep.approved_by}: {sweep.approved_because}"


def _proof(sweep: Sweep) -> str:
    """The independent count at the end, and who was left out of it."""
    if sweep.proof is None:
        return ""
    told = f"rows past their last ground: {sweep.proof['rows']:,}"
    left_out = sweep.proof.get("left_out") or {}
    apart = ", ".join(f"{people:,} {reason}" for reason, people in left_out.items())
    return f"{told}; people left out: {apart}" if apart else told


def receipts(
    store: Annotated[str, typer.Option(metavar="STORE", help="The store.")],
    key: Annotated[
        list[str],
        typer.Option(metavar="KEY", help="The person's key there; again for each of its columns."),
    ],
    as_json: AsJson = False,
) -> None:
    """Show what sweeps did for the person with a key. The receipts hold a pseudonym of it only.

    Give the key as the store has it; numbers are read as numbers.
    """
    found = asyncio.run(_receipts(store, key))
    if as_json:
        print_json(found)
    elif not found:
        print("no sweep did anything for this person")
    else:
        print_table(
            ("sweep", "settled", "field group", "result", "rows"),
            [
                (one.sweep, one.settled_at, said["group"], said["result"], said.get("rows"))
                for one in found
                for said in one.outcomes
            ],
        )


async def _receipts(store: str, key: list[str]) -> list[SweptPerson]:
    from worker.cli.opening import open_worker
    from worker.retention_operate import receipts

    async with open_worker() as context:
        if store not in context.connectors:
            raise context.no_store(store)
        found = await receipts(context, store, tuple(key))
        numbers = tuple(int(part) if part.isdecimal() else part for part in key)
        return found or await receipts(context, store, numbers)
