"""``erasure retention plan``: what sweeps would erase, before one does."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from worker.cli.counting import counting, meaning, of_interest
from worker.cli.exits import Unusable, say
from worker.cli.output import AsJson, console, print_json, print_table
from worker.core.wording import counted

if TYPE_CHECKING:
    from connectors.faults import Fault
    from worker.retention_plan import StorePlan

    Found = tuple[date, list[StorePlan], Mapping[str, Fault]]


def add_to(group: typer.Typer) -> None:
    """Add the command to ``erasure retention``."""
    group.command(
        epilog="erasure retention plan --store billing --as-of 2027-01-01\n\n"
        "Exit codes: 0 every store was counted, 75 one does not answer, 2 one does not fit the "
        "policy; what the others say is shown all the same"
    )(plan)


def plan(
    store: Annotated[str | None, typer.Option(metavar="STORE", help="One store alone.")] = None,
    table: Annotated[str | None, typer.Option(metavar="TABLE", help="One table's rule.")] = None,
    ground: Annotated[str | None, typer.Option(metavar="GROUND", help="One ground's rule.")] = None,
    as_of: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="As it will be on this day; today by default."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Count what sweeps would erase now: rows and people, how long it takes, whether it asks.

    A dry run: nothing is changed. A row counts for each of its field groups.
    A table's rule takes along what hangs on its rows. Every consent counts
    as given unless the store's own row says otherwise; who is under a hold or
    a restriction is left out when a sweep comes there, and is counted here.
    """
    day, found, away = asyncio.run(_plan(store, table, ground, as_of))
    if as_json:
        print_json(_plain(day, found, away))
    else:
        for one in found:
            _show(day, one)
    for name, fault in away.items():
        say(f"erasure: {name} is not in the plan: {fault}")
    if away:
        raise typer.Exit(max(meaning(fault) for fault in away.values()))


async def _plan(
    store: str | None, table: str | None, ground: str | None, as_of: datetime | None
) -> Found:
    from worker.bootstrap import now
    from worker.cli.opening import open_ledger, open_stores, read_policy, read_settings
    from worker.forecast import PATIENCE
    from worker.retention_plan import meant, plan_sweeps, tables_of

    settings = read_settings()
    policy = read_policy(settings)
    day = as_of.date() if as_of else now().astimezone(ZoneInfo(policy.time_zone)).date()
    async with (
        open_ledger(settings) as ledger,
        open_stores(settings, policy, PATIENCE) as connectors,
    ):
        asked = of_interest(connectors, store)
        rules = meant(policy, list(asked), table, ground)
        if not rules:
            raise Unusable("no table of the policy is meant by --table and --ground")
        tables = sum(len(tables_of(policy, rule)) for rule in rules)
        with counting(tables) as told:
            found, away = await plan_sweeps(policy, asked, ledger, rules, day, told)
    return day, found, away


def _show(day: date, one: StorePlan) -> None:
    out = console()
    if not one.groups:
        print(f"{one.store}: nothing is past its last ground on {day}\n")
        return
    print(
        f"{one.store}: {counted(one.rows, 'row')} are past their last ground on {day}, "
        f"of {one.people:,} of the store's {one.of:,} people"
    )
    print_table(
        ("table", "field group", "grounds that are over", "rows", "people", "oldest"), _rows(one)
    )
    print(_takes(one.seconds))
    if one.brake is not None:
        from worker.core.brake import words

        out.print(f"it asks before it begins: it {words(one.brake)}", style="yellow")
    print()


def _rows(one: StorePlan) -> Sequence[Sequence[object]]:
    return [
        (
            group.table,
            group.group,
            ", ".join(group.grounds) or "none",
            f"{group.rows:,}",
            "shared" if group.people is None else f"{group.people:,}",
            group.oldest,
        )
        for group in one.groups
    ]


def _takes(seconds: float | None) -> str:
    if seconds is None:
        return "how long it takes is not known: nothing was measured in this store yet"
    told = timedelta(seconds=round(seconds))
    return f"takes about {told} of work at the rate of the last sweeps"


def _plain(day: date, found: Sequence[StorePlan], away: Mapping[str, Fault]) -> dict[str, object]:
    return {
        "as_of": day,
        "stores": [{**asdict(one), "rows": one.rows} for one in found],
        "unanswered": {name: str(fault) for name, fault in away.items()},
    }
