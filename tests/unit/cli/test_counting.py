"""Counting whole stores takes long: a bar on standard error shows how far it is."""

from __future__ import annotations

from io import StringIO
from unittest.mock import patch

from rich.console import Console

from worker.cli.counting import counting


def drawn(*, terminal: bool) -> str:
    """What stands on standard error while two of four tables are counted."""
    screen = Console(file=StringIO(), force_terminal=terminal, width=100)
    with (
        patch("worker.cli.counting.console", return_value=screen) as asked,
        counting(4) as told,
    ):
        told("crm", "customer")
        told("billing", "invoice")
    asked.assert_called_once_with(stderr=True)
    file = screen.file
    assert isinstance(file, StringIO)
    return file.getvalue()


def test_a_bar_shows_how_many_tables_are_counted() -> None:
    """The newest table, how many of how many, and a bar, for whoever sits in front of it."""
    shown = drawn(terminal=True)
    assert "counted billing.invoice" in shown
    assert "2/4" in shown
    assert "\u2501" in shown


def test_a_file_gets_no_bar() -> None:
    """Where standard error is no terminal, nothing is drawn into it."""
    assert drawn(terminal=False) == ""
