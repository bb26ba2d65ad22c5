"""From a connector's answers about a restriction to outcomes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connectors.base import Done, Remainder
from connectors.mapping import Key, Restriction, StoreMapping
from tests.unit.core.policies import small
from worker.core.outcomes import Failed, Outcome
from worker.core.restricting import judge

PLAIN = small().mapping("crm")
KEY: Key = ("A1",)
MARK = Restriction("blocked", 1, 0)
THERE = Remainder(0, ())


def marked(*tables: str) -> StoreMapping:
    """The store, with a column in some of its tables that says who is restricted."""
    return replace(
        PLAIN,
        tables=tuple(
            replace(table, restriction=MARK) if table.name in tables else table
            for table in PLAIN.tables
        ),
    )


def judged(
    mapping: StoreMapping,
    effects: dict[str, Done],
    there: dict[str, Remainder],
    *,
    lifted: bool = False,
    interrupted: bool = False,
) -> dict[str, Outcome]:
    """Judge a task of one key and return its outcomes by group."""
    remainders = {KEY: there} if there else {}
    answer = judge(
        mapping, {KEY: effects}, remainders, (KEY,), lifted=lifted, interrupted=interrupted
    )
    assert isinstance(answer, tuple)
    assert [one.group for one in answer] == [group.name for group in mapping.groups()]
    return {one.group: one for one in answer}


@pytest.mark.parametrize(("lifted", "result"), [(False, "restricted"), (True, "lifted")])
def test_the_root_covers_what_hangs_below(lifted: bool, result: str) -> None:
    """A person who is marked is marked with all rows below that have no column of their own."""
    outcomes = judged(
        marked("person"), {"person": Done(overwritten=1)}, {"person": THERE}, lifted=lifted
    )
    assert {(one.result, one.rows) for one in outcomes.values()} == {(result, 1)}


def test_a_table_of_its_own_speaks_for_itself() -> None:
    """Where both say it, each group is told by the nearest."""
    outcomes = judged(
        marked("person", "bill"), {"bill": Done(overwritten=3)}, {"person": THERE, "bill": THERE}
    )
    assert (outcomes["person.name"].rows, outcomes["bill.buyer"].rows) == (0, 3)


def test_what_nothing_covers_is_refused() -> None:
    """A column below says nothing of the rows above it."""
    outcomes = judged(marked("bill"), {}, {"bill": THERE})
    assert outcomes["person.name"] == Outcome("person.name", "refused", 0, why="cannot-restrict")
    assert outcomes["bill.buyer"].result == "restricted"


def test_rows_that_are_not_there_are_absent() -> None:
    """Without a row there is nothing to restrict."""
    assert {one.result for one in judged(marked("person"), {}, {}).values()} == {"absent"}


@pytest.mark.parametrize(("lifted", "why"), [(False, "not-restricted"), (True, "not-lifted")])
def test_what_does_not_say_so_has_failed(lifted: bool, why: str) -> None:
    """A row that says something else on the re-read fails the task, whatever was counted."""
    answer = judge(
        marked("bill"),
        {KEY: {"bill": Done(overwritten=1)}},
        {KEY: {"bill": Remainder(1, ())}},
        (KEY,),
        lifted=lifted,
        interrupted=False,
    )
    assert answer == Failed(why, ("bill.buyer", "bill.remark"))


def test_an_attempt_that_was_cut_short_counts_nothing() -> None:
    """What an unfinished attempt may have changed was counted by nobody."""
    outcome = judged(marked("person"), {}, {"person": THERE}, interrupted=True)["person.name"]
    assert (outcome.result, outcome.rows, outcome.interrupted) == ("restricted", None, True)
