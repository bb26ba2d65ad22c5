"""The table of a bench: what was measured, the bars, and where it was measured."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Final

from rich.table import Table

from tests.bench.forecasting import ROWS, Ahead
from tests.bench.rounds import KNOWN, Kind, Results, Size

ERASE_BAR: Final = 0.75
ERASE_AIM: Final = 0.9
PATH_BAR: Final = 0.4
MEMORY_BAR: Final = 1.2
FORECAST_BAR: Final = 2.0

HEAD: Final = ("", "worker", "by hand", "ratio", "bar")


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table; ``met`` is None where there is no bar."""

    cells: tuple[str, str, str, str, str]
    met: bool | None


def rows(results: Results, size: Size) -> list[Row]:
    """Return the lines of the table."""
    return [
        _ratio("(a) erase stage, people/s", results, "erase", ERASE_BAR, f", aim {ERASE_AIM}"),
        _ratio("(b) event to completed, people/s", results, "path", PATH_BAR, ""),
        _memory(results, size),
        _cpu("(d) CPU of the erase stage, ms a person", results, "erase"),
        _cpu("(d) CPU of the whole path, ms a person", results, "path"),
    ]


def forecast(ahead: Ahead) -> Row:
    """Return the line of the forecast: seconds, against a plain count over the same columns."""
    ratios = sorted(ahead.ratios())
    middle = median(ratios)
    ours, theirs = ahead.seconds()
    return Row(
        (
            f"(g) forecast over {ROWS:,} rows, s, against a plain count",
            f"{ours:.2f}",
            f"{theirs:.2f}",
            f"{middle:.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})",
            f"at most {FORECAST_BAR:g}",
        ),
        middle <= FORECAST_BAR,
    )


def compared(
    what: str,
    ours: str,
    theirs: str,
    ratios: Sequence[float],
    *,
    at_least: float | None = None,
    at_most: float | None = None,
) -> Row:
    """Return a line of two figures and the ratios of all rounds, of which the median counts."""
    middle = median(ratios)
    shown = f"{middle:.2f}"
    if len(ratios) > 1:
        shown = f"{shown} ({min(ratios):.2f} to {max(ratios):.2f})"
    if at_least is not None:
        return Row((what, ours, theirs, shown, f"at least {at_least:g}"), middle >= at_least)
    assert at_most is not None
    return Row((what, ours, theirs, shown, f"at most {at_most:g}"), middle <= at_most)


def bounded(what: str, ours: Sequence[float], at_most: float) -> Row:
    """Return a line of a figure that has a bar of its own; the median of all rounds counts."""
    middle = median(ours)
    shown = f"{middle:.0f} ({min(ours):.0f} to {max(ours):.0f})"
    return Row((what, f"{middle:.0f}", "", shown, f"at most {at_most:g}"), middle <= at_most)


def missed(table: Sequence[Row]) -> list[str]:
    """Name the bars that were not met."""
    return [f"{row.cells[0]}: {row.cells[3]}, {row.cells[4]}" for row in table if row.met is False]


def _ratio(what: str, results: Results, kind: Kind, bar: float, more: str) -> Row:
    ratios = sorted(results.ratios(kind))
    middle = median(ratios)
    return Row(
        (
            what,
            f"{results.rate(kind):,.0f}",
            f"{results.rate('by hand'):,.0f}",
            f"{middle:.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})",
            f"at least {bar}{more}",
        ),
        middle >= bar,
    )


def _memory(results: Results, size: Size) -> Row:
    short, long = results.memory
    return Row(
        (
            f"(c) resident memory, backlog of {size.backlogs[1]:,} against {size.backlogs[0]:,}",
            f"{long.megabytes:.0f} MB, {short.megabytes:.0f} MB",
            "",
            f"{results.growth():.2f}",
            f"at most {MEMORY_BAR}",
        ),
        results.growth() <= MEMORY_BAR,
    )


def _cpu(what: str, results: Results, kind: Kind) -> Row:
    cells = (what, f"{results.cpu(kind):.2f}", f"{results.cpu('by hand'):.2f}", "", "")
    return Row(cells, None)


def notes(size: Size, broker: str) -> list[str]:
    """Say where, when and how it was measured."""
    return [
        f"{datetime.now(UTC):%Y-%m-%d}, {_machine()}, Python {platform.python_version()}, "
        f"embedded PostgreSQL, {broker}.",
        f"Ratios are medians (lowest to highest) of {size.rounds} interleaved rounds of "
        f"{size.people:,} people in three stores. The program written by hand erases, re-reads "
        "and writes receipts, and settles, closes and publishes nothing. "
        f"In (c) one event in {KNOWN} is about somebody whom the stores know.",
    ]


def as_table(table: Sequence[Row]) -> Table:
    """Lay the table out for a terminal."""
    shown = Table(*HEAD)
    for row in table:
        style = {True: "green", False: "red", None: ""}[row.met]
        shown.add_row(*row.cells[:3], f"[{style}]{row.cells[3]}[/]" if style else "", row.cells[4])
    return shown


def as_markdown(table: Sequence[Row], said: Sequence[str]) -> str:
    """Lay the table out for the README."""
    lines = [HEAD, ("---",) * len(HEAD), *(row.cells for row in table)]
    return "\n".join([*(f"| {' | '.join(cells)} |" for cells in lines), "", *said, ""])


def _machine() -> str:
    info = Path("/proc/cpuinfo")
    names = info.read_text().splitlines() if info.exists() else []
    model = next((n.split(":")[1].strip() for n in names if n.startswith("model name")), "")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} cores ({model or platform.machine()}), {memory:.0f} GB"
