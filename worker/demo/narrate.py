"""How the demo talks: chapters, tables, a bar while waiting; plain lines without a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.padding import Padding
from rich.panel import Panel
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.rule import Rule
from rich.table import Table

_WIDE = 110
_INDENT = (0, 0, 1, 2)


class Narrator:
    """Writes to standard output. Colours and moving bars only where there is a terminal."""

    def __init__(self) -> None:
        self.console = Console(highlight=False)
        if not self.console.is_terminal:
            self.console.width = _WIDE
        self._chapter = 0

    def title(self, title: str, text: str) -> None:
        """Open the story."""
        self.console.print(Panel(text, title=f"[bold]{title}[/]", padding=(1, 2)))

    def chapter(self, title: str, text: str) -> None:
        """Begin a chapter: a number, a title and what happens in plain English."""
        self._chapter += 1
        self.console.print()
        self.console.print(Rule(f"[bold]{self._chapter}. {title}[/]", align="left", style="cyan"))
        self.say(text)

    def say(self, text: str) -> None:
        """Tell something; the text may hold rich's markup."""
        self.console.print(Padding(text, _INDENT, expand=False))

    def show(self, table: Table) -> None:
        """Show a table."""
        # Its last line is empty.
        self.console.print(Padding(table, (0, 0, 0, 2), expand=False))

    def lines(self, *lines: str) -> None:
        """Show lines to copy, as they are: not wrapped, not cut."""
        for line in lines:
            self.console.print(f"    {line}", markup=False, soft_wrap=True)
        self.console.print()

    @contextmanager
    def waiting(self, what: str) -> Iterator[None]:
        """Say what is being waited for, with something that moves where there is a terminal."""
        if not self.console.is_terminal:
            self.console.print(f"  {what} ...")
            yield
            return
        with self.console.status(f"{what} ..."):
            yield

    def error(self, text: str) -> None:
        """Say what went wrong, on standard error."""
        Console(stderr=True, highlight=False).print(text, markup=False, soft_wrap=True)

    @contextmanager
    def bar(self, what: str, total: int) -> Iterator[Callable[[int], None]]:
        """A bar while waiting; the block calls what it is given with how much is done.

        Without a terminal it is a line at every quarter, so that a log stays short.
        """
        if not self.console.is_terminal:
            yield _Quarters(self.console, what, total).reached
            return
        columns = (
            TextColumn("  {task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
        )
        with Progress(*columns, console=self.console, transient=True) as progress:
            task = progress.add_task(what, total=total)
            yield lambda done: progress.update(task, completed=done)


class _Quarters:
    def __init__(self, console: Console, what: str, total: int) -> None:
        self._console = console
        self._what = what
        self._total = total
        self._said = 0

    def reached(self, done: int) -> None:
        """Say so at each quarter, once, where there is more than a handful to wait for."""
        quarter = 4 * done // self._total
        if self._total > 10 and quarter > self._said:
            self._said = quarter
            self._console.print(f"  {self._what}: {done:,} of {self._total:,}")
