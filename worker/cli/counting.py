"""Counting whole stores: which ones, how far it has come, and what it means when one is away."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from worker.cli.exits import Exit, Unusable
from worker.cli.output import console

if TYPE_CHECKING:
    from connectors.base import Connector
    from connectors.faults import Fault


def of_interest(connectors: Mapping[str, Connector], store: str | None) -> Mapping[str, Connector]:
    """The one store that was named, or all. Raises Unusable for one that there is not."""
    if store is None:
        return connectors
    if store not in connectors:
        known = ", ".join(sorted(connectors))
        raise Unusable(f"--store: there is no store '{store}'; the policy has: {known}")
    return {store: connectors[store]}


def meaning(fault: Fault) -> Exit:
    """What it means for a count that a store was not counted."""
    from connectors.faults import RetryLater

    return Exit.TRY_AGAIN if isinstance(fault, RetryLater) else Exit.USAGE


@contextmanager
def counting(many: int) -> Iterator[Callable[[str, str], None]]:
    """Show a bar on standard error while it takes; call with each store and table counted.

    ``many`` is how many calls there will be.
    """
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    out = console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("tables"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=out, transient=True, disable=not out.is_terminal) as shown:
        task = shown.add_task("counting", total=many)

        def told(store: str, table: str) -> None:
            shown.update(task, advance=1, description=f"counted {store}.{table}")

        yield told
