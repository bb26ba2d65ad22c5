"""``erasure retention``: what is erased because time is up."""

from __future__ import annotations

import typer

from worker.cli import (
    retention_decide,
    retention_plan,
    retention_run,
    retention_status,
    retention_trigger,
)


def add_to(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(
        help="Retention: what is kept past its last ground is swept, without anybody asking.",
        no_args_is_help=True,
    )
    retention_trigger.add_to(group)
    retention_plan.add_to(group)
    retention_run.add_to(group)
    retention_decide.add_to(group)
    retention_status.add_to(group)
    app.add_typer(group, name="retention")
