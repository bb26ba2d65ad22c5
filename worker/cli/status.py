"""``erasure status`` and ``erasure lag``: is all well, what waits, and what to do."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from worker.cli.exits import Exit, Unusable
from worker.cli.output import AsJson, console, print_json

if TYPE_CHECKING:
    from worker.core.policy import Policy
    from worker.ledger.database import Ledger
    from worker.observe.lag import GroupLag
    from worker.observe.overview import Overview
    from worker.observe.situations import Situation
    from worker.settings import Settings

EVERY = 2.0
"""Seconds between two looks of ``--watch``."""
BROKER_SECONDS = 3.0
"""How long the broker may take to say how far the groups are."""


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(
        epilog="Until Ctrl-C: erasure status --watch\n\nFor a machine: erasure status --json\n\n"
        "Exit codes: 0 healthy, 4 something waits for somebody or is away, a deadline is in danger "
        "or nothing is erased, 75 the ledger does not answer, 130 Ctrl-C"
    )(status)
    app.command(
        epilog="For a machine: erasure lag --json\n\n"
        "Exit codes: 0 told, 1 no such store, 75 the ledger does not answer"
    )(lag)


def status(
    watch: Annotated[bool, typer.Option("--watch", help="Go on showing it, until Ctrl-C.")] = False,
    as_json: AsJson = False,
) -> None:
    """Say that all is well, or what is wrong, what answers it, and where the runbook explains it.

    On one screen: what waits for somebody, each store with what it has before
    it, the nearest deadlines, sweeps and dead letters.
    """
    from rich.text import Text

    from worker.cli.standing import screen

    if watch:
        if as_json or not sys.stdout.isatty():
            raise Unusable("--watch needs a terminal; for a machine: erasure status --json")
        try:
            asyncio.run(_watch())
        except KeyboardInterrupt:
            raise typer.Exit(Exit.INTERRUPTED) from None
    overview, found = asyncio.run(_look())
    if as_json:
        print_json(_plain(overview, found))
    else:
        out = console()
        for part in screen(overview, found):
            out.print(part, soft_wrap=isinstance(part, Text))
    if found:
        raise typer.Exit(Exit.ALARM)


def lag(
    store: Annotated[
        str | None, typer.Option(metavar="STORE", help="One store; else every one.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show what each store has before it, of people and of sweeps, and when it is worked off.

    Rates are people a second over the last minute. A lag that does not shrink
    is never worked off. Whoever is not looked up yet counts as well.
    """
    from worker.cli.exits import NotThere
    from worker.cli.standing import store_table

    overview = asyncio.run(_overview())
    stores = [one for one in overview.stores if store in (None, one.store)]
    if not stores:
        known = ", ".join(dict.fromkeys(one.store for one in overview.stores))
        raise NotThere(f"there is no store '{store}'; the policy has: {known}")
    if as_json:
        print_json(stores)
    else:
        console().print(store_table(stores), soft_wrap=False)


def _plain(overview: Overview, found: Sequence[Situation]) -> dict[str, object]:
    from worker.observe.situations import in_danger

    return {
        "healthy": not found,
        "troubles": [{**asdict(one), "runbook": one.runbook} for one in found],
        "deadlines_in_danger": in_danger(overview),
        "deadlines": overview.budget,
        "cases": overview.cases,
        "stores": overview.stores,
        "sweeps": overview.sweeps,
        "holds_to_review": overview.holds_to_review,
        "stops_not_published": overview.unstopped,
    }


async def _overview() -> Overview:
    from worker.bootstrap import now
    from worker.cli.opening import open_ledger, read_policy, read_settings
    from worker.observe.overview import look

    settings = read_settings()
    policy = read_policy(settings)
    async with open_ledger(settings) as ledger:
        return await look(ledger, policy, now())


async def _look() -> tuple[Overview, list[Situation]]:
    from worker.cli.opening import open_ledger, read_policy, read_settings

    settings = read_settings()
    policy = read_policy(settings)
    async with open_ledger(settings) as ledger:
        return await _read(settings, policy, ledger)


async def _read(
    settings: Settings, policy: Policy, ledger: Ledger
) -> tuple[Overview, list[Situation]]:
    """How everything stands, and what of it somebody must know. Raises LedgerAway."""
    from worker.bootstrap import now
    from worker.ledger import waiting
    from worker.observe.overview import look
    from worker.observe.situations import broker_away, situations

    asking = asyncio.create_task(_groups(settings, policy))
    try:
        overview = await look(ledger, policy, now())
        async with ledger.begin() as connection:
            again = await waiting.found_again(connection)
        groups = await asking
    finally:
        asking.cancel()
    if isinstance(groups, str):
        away = broker_away(groups)
        return overview, [away, *situations(overview, found_again=again)]
    return overview, situations(overview, found_again=again, groups=groups)


async def _groups(settings: Settings, policy: Policy) -> Mapping[str, GroupLag] | str | None:
    """What the broker says of the groups; why it says nothing; None where it cannot tell."""
    from worker.observe.lag import BrokerAway, group_lags

    if not settings.broker.idempotent:
        return None  # The embedded one: where its topics end it does not tell.
    try:
        async with asyncio.timeout(BROKER_SECONDS):
            return await group_lags(settings.broker.bootstrap, policy.stores)
    except (BrokerAway, TimeoutError) as fault:
        return str(fault) or type(fault).__name__


async def _watch() -> None:
    """Draw the screen again and again; a ledger that is away is said and waited for."""
    from rich.console import Group
    from rich.live import Live
    from rich.text import Text

    from worker.cli.opening import read_policy, read_settings
    from worker.cli.standing import screen
    from worker.ledger.database import LedgerAway
    from worker.ready import ledger_of

    settings = read_settings()
    policy, ledger = read_policy(settings), ledger_of(settings)
    try:
        with Live(console=console(), screen=True, auto_refresh=False) as live:
            while True:
                try:
                    parts = [*screen(*await _read(settings, policy, ledger))]
                except LedgerAway as fault:
                    parts = [Text(f"the ledger does not answer ({fault}); it is waited for")]
                live.update(Group(*parts), refresh=True)
                await asyncio.sleep(EVERY)
    finally:
        await ledger.close()
