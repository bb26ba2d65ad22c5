"""How everything stands, on one screen of a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from worker.cli.lasting import lasting, working_days
from worker.cli.output import STYLES, moment
from worker.core.lifecycle import CaseState
from worker.core.wording import counted
from worker.ledger.batches import Lane
from worker.observe.overview import Overview
from worker.observe.situations import Situation, waits
from worker.observe.stores import State, StoreNow

HEALTHY = "healthy: nothing waits for a person, and what comes in is erased"
URGENT = dict.fromkeys(
    ("stop-not-published", "deadline-near", "offset-beyond-end", "not-gone", "no-worker"),
    "bold red",
)
STATES = {
    State.SERVING: "green",
    State.AWAY: "bold red",
    State.PAUSED: "bold yellow",
    State.DRAINING: "yellow",
    State.ASKS: "bold yellow",
    State.UNSERVED: "bold red",
}


def screen(overview: Overview, found: Sequence[Situation]) -> Iterator[RenderableType]:
    """Draw what is wrong and what to do, the stores, the deadlines, and what else waits."""
    yield from _verdict(found)
    yield Text()
    yield store_table([one for one in overview.stores if _is_shown(one)])
    yield Text()
    yield _cases(overview)
    for line in _rest(overview):
        yield Text(line)


def store_table(stores: list[StoreNow]) -> Table:
    """Draw stores, a row for each lane: what waits, how old it is, and when it is worked off."""
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for name in ("store", "lane", "state"):
        table.add_column(name)
    for name in ("people", "commands", "oldest", "in/s", "out/s", "done in", "dead"):
        table.add_column(name, justify="right")
    for one in stores:
        table.add_row(
            one.store,
            one.lane.value,
            Text(one.state.value, style=STATES[one.state]),
            f"{one.lag_people + one.unplanned:,}",
            f"{one.lag_commands:,}",
            lasting(waits(one)),
            f"{one.rate_in:,.1f}",
            f"{one.rate_out:,.1f}",
            lasting(one.drain) if one.lag_people else "",
            Text(f"{one.dead:,}" if one.dead else "", style=STYLES["dead"]),
        )
    return table


def _verdict(found: Sequence[Situation]) -> Iterator[Text]:
    if not found:
        yield Text(HEALTHY, style="green")
    for one in found:
        since = f" (since {moment(one.since)})" if one.since else ""
        yield Text(f"{one.what}{since}", style=URGENT.get(one.kind, "yellow"))
        yield Text(f"  {one.todo}")
        yield Text(f"  {one.runbook}", style="dim")


def _is_shown(one: StoreNow) -> bool:
    """Whether a lane says anything: that of sweeps mostly rests."""
    return one.lane is Lane.PEOPLE or bool(one.lag_commands)


def _cases(overview: Overview) -> Text:
    text = Text("cases   ")
    parts = []
    for state, number in overview.cases.items():
        nearest = overview.budget.nearest.get(state)
        when = f", the first due on {nearest[0]}: {working_days(nearest[1])}" if nearest else ""
        parts.append(Text(f"{number:,} {state.value}{when}", style=_style(state, number)))
    return text.append_text(Text("; ").join(parts))


def _style(state: CaseState, number: int) -> str:
    return STYLES.get(state.value, "") if number else "dim"


def _rest(overview: Overview) -> Iterator[str]:
    budget = overview.budget
    if budget.forecast > budget.late:
        yield f"        {budget.forecast:,} of the open ones would be late at the present rates"
    for sweep in overview.sweeps:
        of = f" of {sweep.expected:,}" if sweep.expected is not None else ""
        yield f"sweep   {sweep.id} of {sweep.store}: {sweep.state.value}, {sweep.rows:,}{of} rows"
    if overview.holds_to_review:
        held = counted(overview.holds_to_review, "hold")
        yield f"holds   {held} to review: erasure hold list"
    if dead := sum(one.dead for one in overview.stores):
        yield f"refused {counted(dead, 'dead letter')}: erasure dead-letters list"
    if overview.unstopped:
        since = lasting(overview.unstopped_oldest)
        yield f"stops   {overview.unstopped:,} not published yet, the oldest for {since}"
