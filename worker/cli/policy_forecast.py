"""``erasure policy forecast``: what falls due in each store, and when."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from worker.cli.counting import counting, meaning, of_interest
from worker.cli.exits import Unusable, say
from worker.cli.output import AsJson, console, print_json
from worker.core.forecasting import By

if TYPE_CHECKING:
    from connectors.faults import Fault
    from worker.core.forecasting import Interval, StoreForecast

    Found = tuple[date, list[Interval], list[StoreForecast], Mapping[str, Fault]]


def add_to(group: typer.Typer) -> None:
    """Add the command to ``erasure policy``."""
    group.command(
        epilog="erasure policy forecast --until 2032-01-31 --by year\n\n"
        "One store, as a picture: erasure policy forecast --store billing --svg billing.svg\n\n"
        "Exit codes: 0 every store was counted, 75 one does not answer, 2 one does not fit the "
        "policy; what the others say is shown all the same"
    )(forecast)


def forecast(
    until: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"],
            help="The last day; by default a year of months, two of quarters, ten years.",
        ),
    ] = None,
    by: Annotated[By, typer.Option(help="How long each interval is.")] = By.MONTH,
    store: Annotated[str | None, typer.Option(metavar="STORE", help="One store alone.")] = None,
    as_json: AsJson = False,
    svg: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Draw a chart into this file.")
    ] = None,
) -> None:
    """Count the rows and people of each field group by when their last ground is over.

    A row counts for each of its field groups that holds something. Every
    consent counts as given unless the store's own row says otherwise: what
    single people have withdrawn, and holds, stand in the ledger and are not
    looked up. The stores count; no row leaves them, nothing is changed.
    """
    today, ahead, found, away = asyncio.run(_forecast(until, by, store))
    if svg is not None:
        _draw(svg, today, ahead, found)
    if as_json:
        print_json(_plain(today, ahead, found, away))
    else:
        from worker.cli.forecast_shown import show

        show(console(), today, ahead, found)
    for name, fault in away.items():
        say(f"erasure: {name} is not in the forecast: {fault}")
    if away:
        raise typer.Exit(max(meaning(fault) for fault in away.values()))


async def _forecast(until: datetime | None, by: By, store: str | None) -> Found:
    from worker.bootstrap import now
    from worker.cli.opening import open_stores, read_policy, read_settings
    from worker.core.forecasting import horizon, intervals
    from worker.forecast import PATIENCE, forecast

    settings = read_settings()
    policy = read_policy(settings)
    today = now().astimezone(ZoneInfo(policy.time_zone)).date()
    try:
        ahead = intervals(today, horizon(today, by) if until is None else until.date(), by)
    except ValueError as error:
        raise Unusable(f"--until: {error}") from None
    async with open_stores(settings, policy, PATIENCE) as connectors:
        asked = of_interest(connectors, store)
        tables = sum(len(policy.mapping(name).tables) for name in asked)
        with counting(tables) as told:
            found, away = await forecast(policy, asked, today, ahead, told)
    return today, ahead, found, away


def _draw(
    file: Path, today: date, ahead: Sequence[Interval], found: Sequence[StoreForecast]
) -> None:
    from worker.cli.forecast_drawn import chart

    try:
        file.write_text(chart(today, ahead, found), encoding="utf-8")
    except OSError as error:
        raise Unusable(f"--svg: {file} cannot be written ({error.strerror})") from None


def _plain(
    today: date,
    ahead: Sequence[Interval],
    found: Sequence[StoreForecast],
    away: Mapping[str, Fault],
) -> dict[str, object]:
    return {
        "today": today,
        "intervals": list(ahead),
        "stores": list(found),
        "unanswered": {name: str(fault) for name, fault in away.items()},
    }
