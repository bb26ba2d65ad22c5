"""A forecast on the terminal: a table of each store's field groups, and its bars by interval."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from rich.bar import Bar
from rich.console import Console
from rich.table import Table

from worker.core.forecasting import Count, GroupForecast, Interval, StoreForecast

_WIDTH = 40
"""Columns of the longest bar."""


def show(
    out: Console, today: date, ahead: Sequence[Interval], found: Sequence[StoreForecast]
) -> None:
    """Print every store that was counted."""
    for store in found:
        out.print(f"{store.store}: what falls due until {ahead[-1].last}", style="bold")
        out.print(_groups(store, ahead), soft_wrap=False)
        out.print()
        if any(rows := store.rows_due(len(ahead))):
            out.print(_bars(rows, ahead), soft_wrap=False)
        else:
            out.print("nothing falls due")
        out.print()
    if found:
        out.print(f"Counted on {today}; a row counts for each of its field groups.", style="dim")


def times(group: GroupForecast, ahead: Sequence[Interval]) -> Iterator[tuple[str, Count]]:
    """What falls due when, and what has no date, in words."""
    yield "due now", group.due_now
    for interval, count in zip(ahead, group.due, strict=True):
        yield interval.name, count
    yield "later", group.later
    yield "until the person says so", group.until_revoked
    yield "no end yet", group.no_end_yet
    yield "unknown-anchor: a date is missing", group.unknown_anchor


def _groups(store: StoreForecast, ahead: Sequence[Interval]) -> Table:
    table = _table("table", "fields", "held on", "when", "rows", "people")
    for column in table.columns[-2:]:
        column.justify = "right"
    for group in store.groups:
        shown = [(when, count) for when, count in times(group, ahead) if count.rows]
        left = [group.table, ", ".join(group.fields), ", ".join(group.grounds) or "nothing"]
        for when, count in shown or [("nothing is held", Count())]:
            people = "shared" if count.people is None else f"{count.people:,}"
            style = "yellow" if when == "due now" or when.startswith("unknown") else ""
            table.add_row(*left, when, f"{count.rows:,}", people, style=style)
            left = [""] * len(left)
    return table


def _bars(rows: Sequence[int], ahead: Sequence[Interval]) -> Table:
    table = _table("", "rows falling due", "")
    table.columns[2].justify = "right"
    table.columns[1].width = _WIDTH
    for name, number in zip(("due now", *(one.name for one in ahead)), rows, strict=True):
        bar = Bar(max(rows), 0, number, width=_WIDTH, color="cyan")
        table.add_row(name, bar, f"{number:,}")
    return table


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for column in columns:
        table.add_column(column, overflow="fold")
    return table
