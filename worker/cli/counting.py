"""Telling on a terminal how far a count of whole stores has come."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from worker.cli.output import console


@contextmanager
def counting(tables: int) -> Iterator[Callable[[str, str], None]]:
    """Show a line on standard error while it takes; call with each store and table counted."""
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    out = console(stderr=True)
    columns = SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn()
    done = 0
    with Progress(*columns, console=out, transient=True, disable=not out.is_terminal) as shown:
        task = shown.add_task(f"counting {tables} tables")

        def told(store: str, table: str) -> None:
            nonlocal done
            done += 1
            words = f"{done} of {tables} tables counted, the last {store}.{table}"
            shown.update(task, description=words)

        yield told
