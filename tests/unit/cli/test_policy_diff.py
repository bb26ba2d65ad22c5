"""When a change of the policy asks for a look, and when counts exclude that it must."""

from __future__ import annotations

import pytest

from connectors.faults import RetryLater
from worker.cli.exits import Exit
from worker.cli.policy_diff import Live, _code
from worker.compare import Counted
from worker.core.comparing import Change
from worker.core.directions import Direction

SOONER, LONGER, UNCLEAR = Direction.SOONER, Direction.LONGER, Direction.UNCLEAR
AWAY = RetryLater("unavailable", "")


def change(
    direction: Direction, *, counted: bool = True, table: str | None = "bill", **where: str | None
) -> Change:
    """A change in a table of billing, unless said otherwise."""
    store = where.get("store", "billing")
    return Change("place", "what", direction, counted, store, table)


@pytest.mark.parametrize(
    ("changes", "live", "code"),
    [
        ([change(LONGER), change(Direction.NEITHER)], None, Exit.OK),
        ([change(LONGER), change(SOONER)], None, Exit.REVIEW),
        ([change(UNCLEAR)], None, Exit.REVIEW),
        # Everything was counted, and nothing is due today by the new policy alone.
        ([change(SOONER)], Live(), Exit.OK),
        ([change(UNCLEAR)], Live(), Exit.OK),
        ([change(SOONER, counted=False)], Live(), Exit.REVIEW),
        # Something is, or is only kept longer.
        ([change(SOONER)], Live([Counted("s", "t", ("f",), (1, 1), (0, 0))]), Exit.REVIEW),
        ([change(SOONER)], Live([Counted("s", "t", ("f",), (0, 0), (9, 9))]), Exit.OK),
        # What could not be counted excludes nothing there, and everything elsewhere.
        ([change(SOONER)], Live(apart={("billing", "bill"): ""}), Exit.REVIEW),
        ([change(SOONER)], Live(apart={("billing", "line"): ""}), Exit.OK),
        ([change(SOONER)], Live(apart={("billing", None): ""}), Exit.REVIEW),
        ([change(SOONER)], Live(apart={("crm", "bill"): ""}), Exit.OK),
        ([change(SOONER, table=None)], Live(apart={("billing", "bill"): ""}), Exit.REVIEW),
        ([change(SOONER, store=None)], Live(apart={("crm", "bill"): ""}), Exit.REVIEW),
        ([change(SOONER)], Live(away={"billing": AWAY}), Exit.REVIEW),
        ([change(SOONER)], Live(away={"crm": AWAY}), Exit.TRY_AGAIN),
        ([change(LONGER)], Live(away={"billing": AWAY}), Exit.TRY_AGAIN),
    ],
)
def test_when_somebody_must_look(changes: list[Change], live: Live | None, code: Exit) -> None:
    """Whenever something may go sooner, unless every row that it may concern was counted."""
    assert _code(changes, live) is code
