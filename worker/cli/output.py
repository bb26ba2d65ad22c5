"""Writing to the terminal: tables for people, JSON for machines; results on stdout only."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

import orjson
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

PIPED_WIDTH = 200
"""Columns when nobody's terminal says how many there are: a line should not be broken."""

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for a machine.")]
"""The option that every command has whose answer a machine may read."""

STYLES = {
    "ok": "green",
    "warning": "yellow",
    "error": "bold red",
    "skipped": "dim",
    "open": "cyan",
    "parked": "bold yellow",
    "held": "bold yellow",
    "overdue": "bold red",
    "closed": "green",
    "superseded": "dim",
    "rejected": "magenta",
    "dead": "bold red",
    "settled": "green",
    "retained": "yellow",
}


def console(*, stderr: bool = False) -> Console:
    """A console that prints text as it is: brackets are no mark-up, and lines stay whole."""
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else PIPED_WIDTH
    return Console(stderr=stderr, markup=False, highlight=False, soft_wrap=True, width=width)


def print_json(value: object) -> None:
    """Print one JSON document: times in RFC 3339 and UTC, dates in ISO 8601."""
    sys.stdout.buffer.write(orjson.dumps(value, default=_plain, option=_JSON))
    sys.stdout.flush()


_JSON = (
    orjson.OPT_INDENT_2
    | orjson.OPT_UTC_Z
    | orjson.OPT_NON_STR_KEYS  # states are words, and yet no plain strings
    | orjson.OPT_APPEND_NEWLINE
)


def _plain(value: object) -> str:
    """What orjson does not know: a database driver has a kind of UUID of its own."""
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(f"{type(value).__name__} is not JSON")


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print rows under their column names; a cell that is a known state is coloured."""
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for column in columns:
        # What is copied from here must stay whole: an id is never folded.
        table.add_column(column, overflow="fold", no_wrap=column in ("case", "id"))
    for row in rows:
        table.add_row(*(cell(value) for value in row))
    console().print(table, soft_wrap=False)


def cell(value: object) -> Text:
    """One value as text, coloured when it is a state."""
    text = moment(value) if isinstance(value, datetime) else "" if value is None else str(value)
    return Text(text, style=STYLES.get(text, ""))


def moment(at: datetime) -> str:
    """A time for people, in UTC and to the second."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}Z"
