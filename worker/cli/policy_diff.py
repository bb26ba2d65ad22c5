"""``erasure policy diff``: what a change of the policy means, before anybody merges it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final
from zoneinfo import ZoneInfo

import typer

from worker.cli.counting import counting
from worker.cli.exits import Exit, Unusable, say
from worker.cli.output import AsJson, console, print_json, print_table
from worker.core.wording import counted

if TYPE_CHECKING:
    from connectors.faults import Fault
    from worker.compare import Counted
    from worker.core.comparing import Change
    from worker.core.policy import Policy

_WORDS: Final = {
    "sooner": ("erases sooner", "bold red"),
    "longer": ("keeps longer", "yellow"),
    "unclear": ("both or unclear", "bold red"),
    "neither": ("neither", "dim"),
}


@dataclass
class Live:
    """What the stores say, and what they could not be asked."""

    found: Sequence[Counted] = ()
    apart: dict[tuple[str, str | None], str] = field(default_factory=dict)
    """Tables and whole stores that no statement can compare, each with the reason."""
    away: dict[str, Fault] = field(default_factory=dict)

    def excludes(self, change: Change) -> bool:
        """Whether all rows that a change may concern were counted (and were none)."""
        lost = {*self.apart, *((store, None) for store in self.away)}
        return change.counted and not any(
            change.store in (None, store) and (table is None or change.table in (None, table))
            for store, table in lost
        )


def add_to(group: typer.Typer) -> None:
    """Add the command to ``erasure policy``."""
    group.command(
        epilog="erasure policy diff before.yaml after.yaml\n\n"
        "With today's rows: erasure policy diff before.yaml after.yaml --live\n\n"
        "Exit codes: 0 nothing is erased that the old policy keeps, 3 something may be, 75 a "
        "store did not answer, 2 a policy cannot be used"
    )(diff)


def diff(
    old: Annotated[Path, typer.Argument(metavar="OLD", help="The policy as it is.")],
    new: Annotated[Path, typer.Argument(metavar="NEW", help="The policy as it will be.")],
    live: Annotated[
        bool, typer.Option("--live", help="Count in the stores what it would mean today.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Say in plain words what a change of the policy means, and which way each part goes.

    --live counts the rows and people that are due today under one policy
    alone. Every consent counts as given unless the store's own row says
    otherwise. What no row can tell (who may end a ground, whom an identifier
    finds) is not counted, and neither are tables that mean other rows.
    """
    from worker.core.comparing import compare

    before, after = _read(old), _read(new)
    changes = compare(before, after)
    told = asyncio.run(_live(before, after)) if live and changes else Live()
    code = _code(changes, told if live else None)
    if as_json:
        print_json(_plain(before, after, changes, told if live else None, code))
    else:
        _show(before, after, changes)
        if live:
            _show_live(told)
    for name, fault in told.away.items():
        say(f"erasure: {name} was not counted: {fault}")
    raise typer.Exit(code)


def _read(file: Path) -> Policy:
    from worker.policy_file import load

    try:
        return load(file)
    except OSError as error:
        raise Unusable(f"{file} cannot be read ({error.strerror})") from None


async def _live(old: Policy, new: Policy) -> Live:
    from worker.bootstrap import now, open_connector
    from worker.cli.opening import quieten
    from worker.compare import count
    from worker.core.joining import join
    from worker.forecast import PATIENCE
    from worker.settings import load_stores

    quieten()
    urls = load_stores().stores
    today = now().astimezone(ZoneInfo(new.time_zone)).date()
    told = Live()
    joined = {name: join(old, new, name) for name in dict.fromkeys((*new.stores, *old.stores))}
    async with AsyncExitStack() as stack:
        connectors = {}
        for name, both in joined.items():
            told.apart |= {(name, table): reason for table, reason in both.apart.items()}
            if name not in urls:
                told.apart[name, None] = f"ERASURE_STORES__{name.upper()} is not set"
            elif both.pairs:
                made = open_connector(urls, name, both.kind, both.mapping, PATIENCE)
                stack.push_async_callback(made.close)
                connectors[name] = made
        tables = sum(len(joined[name].pairs) for name in connectors)
        with counting(tables) as each:
            told.found, told.away = await count(old, new, joined, connectors, today, each)
    return told


def _code(changes: Sequence[Change], live: Live | None) -> Exit:
    """Ask for a look when something may go sooner; with counts, unless they exclude it."""
    sooner = [change for change in changes if change.direction.may_erase_sooner]
    if live is None:
        return Exit.REVIEW if sooner else Exit.OK
    if any(one.sooner[0] for one in live.found) or not all(map(live.excludes, sooner)):
        return Exit.REVIEW
    return Exit.TRY_AGAIN if live.away else Exit.OK


def _show(old: Policy, new: Policy, changes: Sequence[Change]) -> None:
    out = console()
    out.print(f"{old.version} → {new.version}", style="bold")
    for change in changes:
        words, style = _WORDS[change.direction]
        out.print(f"{words:16} {change.place}: {change.what}", style=style)
    if not changes:
        out.print("nothing that alters what is erased or when")
        return
    numbers = [
        f"{words}: {number}"
        for direction, (words, _) in _WORDS.items()
        if (number := sum(change.direction == direction for change in changes))
    ]
    out.print(f"{counted(len(changes), 'change')}; {', '.join(numbers)}")


def _show_live(live: Live) -> None:
    out = console()
    out.print()
    out.print("Today, in the stores:", style="bold")
    if live.found:
        print_table(
            ("store", "table", "fields", "erased sooner", "of people", "kept longer", "of people"),
            [
                (
                    one.store,
                    one.table,
                    ", ".join(one.fields),
                    *(f"{number:,}" for number in (*one.sooner, *one.longer)),
                )
                for one in live.found
            ],
        )
    else:
        out.print("no row that was counted is due under one of the policies alone")
    for (store, table), reason in live.apart.items():
        out.print(f"cannot be counted: {_named(store, table)}, {reason}", style="yellow")


def _named(store: str, table: str | None) -> str:
    return store if table is None else f"{store}.{table}"


def _plain(
    old: Policy, new: Policy, changes: Sequence[Change], live: Live | None, code: Exit
) -> dict[str, object]:
    said: dict[str, object] = {
        "old": old.version,
        "new": new.version,
        "review": code is Exit.REVIEW,
        "changes": list(changes),
    }
    if live is not None:
        said["live"] = {
            "counted": [
                {
                    "store": one.store,
                    "table": one.table,
                    "fields": one.fields,
                    "sooner": dict(zip(("rows", "people"), one.sooner, strict=True)),
                    "longer": dict(zip(("rows", "people"), one.longer, strict=True)),
                }
                for one in live.found
            ],
            "cannot_be_counted": [
                {"store": store, "table": table, "reason": reason}
                for (store, table), reason in live.apart.items()
            ],
            "unanswered": {name: str(fault) for name, fault in live.away.items()},
        }
    return said
