"""``erasure cases`` and ``erasure case``: what stands where, the story of one, and decisions."""

from __future__ import annotations

import asyncio
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID
from zoneinfo import ZoneInfo

import typer
from typer.core import TyperGroup

from worker.cli.exits import NotThere, Unusable
from worker.cli.ids import parse_id
from worker.cli.lasting import working_days
from worker.cli.output import AsJson, print_json, print_table
from worker.core.lifecycle import CaseState

if TYPE_CHECKING:
    from worker.core.policy import Policy
    from worker.ledger.cases import Case

FIRST = (
    CaseState.PARKED,
    CaseState.HELD,
    CaseState.OPEN,
    CaseState.CLOSED,
    CaseState.SUPERSEDED,
    CaseState.REJECTED,
)
"""The order of the list: what waits for a person first."""


class CaseGroup(TyperGroup):
    """``case ID`` is short for ``case show ID``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put ``show`` before what is neither a command of the group nor a question for help."""
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = ["show", *args]
        return super().parse_args(ctx, args)


def add_to(app: typer.Typer) -> None:
    """Add the command and the group."""
    from worker.cli import decisions

    app.command(
        "cases",
        epilog="What waits for me: erasure cases --state parked\n\n"
        "Where a date must be entered: erasure cases --missing-date",
    )(list_)
    group = typer.Typer(
        cls=CaseGroup,
        help="One case: its story, and what to do with it when it is parked.",
        no_args_is_help=True,
        subcommand_metavar="ID | COMMAND ...",
        epilog="erasure case 6ba7b810-9dad-81d1-80b4-00c04fd430c8\n\n"
        "By the upstream event: erasure case --event /shop 4711",
    )
    group.command(epilog="erasure case ID is short for: erasure case show ID")(show)
    decisions.add_to(group)
    app.add_typer(group, name="case")


def list_(
    state: Annotated[CaseState | None, typer.Option(help="Only those in this state.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="So many at the most.")] = 50,
    missing_date: Annotated[
        bool,
        typer.Option(
            "--missing-date", help="Those of which something is kept as its date is missing."
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List cases, those that wait for a person first, then by deadline."""
    if missing_date:
        _show_missing(asyncio.run(_missing(limit)), as_json)
        return
    found, counts = asyncio.run(_list(state, limit))
    if as_json:
        print_json({"counts": counts, "cases": found})
        return
    if found:
        _show_list(found)
    total = ", ".join(f"{counts[one]:,} {one}" for one in FIRST if one in counts)
    print(f"{len(found):,} shown of: {total}" if total else "there is no case yet")


def _show_list(found: list[Case]) -> None:
    """Show cases, each with its deadline and the working days that are left of it."""
    from worker.cli.opening import read_policy, read_settings
    from worker.observe.story import left_of

    policy = read_policy(read_settings())
    today = _today(policy)
    left = [left_of(one, policy.country, today) for one in found]
    rows = [
        (
            *(one.id, one.state, _kind(one), one.received_at, one.due_on),
            "" if days is None else working_days(days),
            *(one.source, one.event_id),
        )
        for one, days in zip(found, left, strict=True)
    ]
    print_table(("case", "state", "event", "received", "due", "", "source", "event id"), rows)


async def _list(state: CaseState | None, limit: int) -> tuple[list[Case], dict[CaseState, int]]:
    from worker.cli.opening import open_ledger, read_settings
    from worker.ledger import cases

    found: list[Case] = []
    async with open_ledger(read_settings()) as ledger, ledger.begin() as connection:
        for one in FIRST if state is None else (state,):
            if len(found) < limit:
                found += await cases.listed(connection, state=one, limit=limit - len(found))
        return found, await cases.counts(connection)


async def _missing(limit: int) -> list[tuple[Case, tuple[str, ...]]]:
    from worker.cli.opening import open_ledger, read_settings
    from worker.ledger import cases, missing

    async with open_ledger(read_settings()) as ledger, ledger.begin() as connection:
        where = await missing.dates(connection, limit)
        found = {case.id: case for case in await cases.of_ids(connection, list(where))}
    return [(found[case_id], groups) for case_id, groups in where.items()]


def _show_missing(found: list[tuple[Case, tuple[str, ...]]], as_json: bool) -> None:
    """Show where a date must be entered in a store; until then nobody knows when it may go."""
    if as_json:
        print_json([{"case": case, "where": groups} for case, groups in found])
        return
    rows = [(c.id, c.state, c.source, c.event_id, ", ".join(groups)) for c, groups in found]
    if rows:
        print_table(("case", "state", "source", "event id", "a date is missing in"), rows)
    print(f"{len(found):,} cases keep something because a date is missing in a store")


def _kind(case: Case) -> str:
    from worker.observe.wording import EVENTS

    return EVENTS[case.kind]


def show(
    case: Annotated[str | None, typer.Argument(metavar="[ID]", help="The id of the case.")] = None,
    event: Annotated[
        tuple[str, str] | None,
        typer.Option(metavar="SOURCE ID", help="The case of this upstream event."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Tell the story of a case: what happened when, each store's outcome, why anything was kept."""
    from worker.cli.showing import print_story

    told = asyncio.run(_story(_which(case, event)))
    if as_json:
        print_json(told)
    else:
        print_story(told)


async def _story(case_id: UUID) -> Any:
    from worker.cli.opening import open_ledger, read_policy, read_settings
    from worker.observe.story import story

    settings = read_settings()
    policy = read_policy(settings)
    async with open_ledger(settings) as ledger:
        told = await story(ledger, policy, case_id, _today(policy))
    if told is None:
        raise NotThere("there is no such case; list them with: erasure cases")
    return told


def _today(policy: Policy) -> date:
    from worker.bootstrap import now

    return now().astimezone(ZoneInfo(policy.time_zone)).date()


def _which(case: str | None, event: tuple[str, str] | None) -> UUID:
    """The case that was named, in one of the two ways."""
    from worker.core.case_id import case_id

    if (case is None) == (event is None):
        raise Unusable("name one case: erasure case ID, or erasure case --event SOURCE ID")
    return case_id(*event) if event is not None else parse_id(str(case))
