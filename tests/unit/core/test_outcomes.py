"""From a connector's answers to outcomes."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from connectors.base import Done, Kept, Remainder
from connectors.mapping import Key
from tests.unit.core.policies import declared, small
from worker.core.outcomes import Failed, Judge, Outcome, Result
from worker.core.policy import Policy

POLICY = small()
CRM = POLICY.mapping("crm")
K1: Key = ("A1",)
K2: Key = ("A2",)
NAME, EMAIL, NOTES = "person.name", "person.email+phone", "person.notes"
BUYER, REMARK = "bill.buyer", "bill.remark"
ALL = [NAME, EMAIL, NOTES, BUYER, REMARK]
NEWEST = date(2026, 3, 10)
FREE = date(2032, 1, 1)


def judged(
    effects: Any = None,
    remainders: Any = None,
    *,
    keys: tuple[Key, ...] = (K1,),
    interrupted: bool = False,
    shape: tuple[str, ...] = (),
    policy: Policy = POLICY,
) -> dict[str, Outcome]:
    """Judge a task in the store crm and return its outcomes by group."""
    answer = Judge(
        policy,
        policy.mapping("crm"),
        shape,
        effects or {},
        remainders or {},
        interrupted=interrupted,
    ).of(keys)
    assert isinstance(answer, tuple)
    assert [outcome.group for outcome in answer] == [g.name for g in policy.mapping("crm").groups()]
    return {outcome.group: outcome for outcome in answer}


def kept(*grounds: Kept, left: int = 0) -> Remainder:
    """What a re-read found of a group."""
    return Remainder(left, grounds)


def test_all_deleted() -> None:
    """Rows that were deleted and are not found again are erased, counted per group."""
    outcomes = judged({K1: {name: Done(deleted=2) for name in ALL}})
    assert set(outcomes.values()) == {Outcome(name, "erased", 2) for name in ALL}


def test_no_row() -> None:
    """A group of which there was nothing and is nothing is absent."""
    outcomes = judged({K1: {NAME: Done(deleted=1)}})
    assert outcomes[NAME] == Outcome(NAME, "erased", 1)
    assert outcomes[BUYER] == Outcome(BUYER, "absent", 0)


def test_other_tasks_are_not_mixed_in() -> None:
    """Effects and remainders of other keys of the batch are left out."""
    other = {K2: {NAME: kept(left=1)}}
    assert judged({K2: {NAME: Done(deleted=5)}}, other)[NAME].result == "absent"


def test_several_keys_are_one_task() -> None:
    """A person with two rows gets one outcome a group, their rows added."""
    effects = {K1: {NAME: Done(deleted=1)}, K2: {NAME: Done(deleted=2)}}
    assert judged(effects, keys=(K1, K2))[NAME].rows == 3


@pytest.mark.parametrize(("group", "result"), [(NAME, "anonymised"), (EMAIL, "erased")])
def test_overwritten(group: str, result: Result) -> None:
    """What was overwritten is anonymised if a declared value stands there, erased if nothing."""
    still = {K1: {group: kept()}}
    assert judged({K1: {group: Done(overwritten=1)}}, still)[group] == Outcome(group, result, 1)


def test_some_deleted_some_overwritten() -> None:
    """Rows that went and rows that were overwritten are counted together."""
    still = {K1: {BUYER: kept()}}
    outcomes = judged({K1: {BUYER: Done(deleted=2, overwritten=1)}}, still)
    assert outcomes[BUYER] == Outcome(BUYER, "anonymised", 3)


def test_left_fails() -> None:
    """A row that should be gone and is not fails the task, whatever the store said it did."""
    answer = Judge(
        POLICY,
        CRM,
        (),
        {K1: {NAME: Done(deleted=1), EMAIL: Done(overwritten=1)}},
        {K1: {EMAIL: kept(left=1), NAME: kept()}},
        interrupted=False,
    ).of((K1,))
    assert answer == Failed("not-gone", (EMAIL,))


def test_kept_by_a_dead_ground_fails() -> None:
    """A connector that keeps rows on a consent that has ended does not pass."""
    still = {K1: {EMAIL: kept(Kept("news-consent", 1, None, 0))}}
    assert Judge(POLICY, CRM, (), {}, still, interrupted=False).of((K1,)) == Failed(
        "kept-without-ground", (EMAIL,)
    )
    assert judged({}, still, shape=("news-consent",))[EMAIL].result == "retained"


def test_kept_by_a_foreign_ground_fails() -> None:
    """A ground that the policy does not give to the group cannot keep it."""
    still = {K1: {NAME: kept(Kept("books", 1, NEWEST, 0))}}
    verdict = Judge(POLICY, CRM, (), {}, still, interrupted=False).of((K1,))
    assert verdict == Failed("kept-without-ground", (NAME,))


def test_retained_until() -> None:
    """What bookkeeping keeps says until when, from the newest document of all rows."""
    still = {
        K1: {BUYER: kept(Kept("books", 2, NEWEST, 0))},
        K2: {BUYER: kept(Kept("books", 1, date(2024, 1, 1), 0))},
    }
    assert judged({}, still, keys=(K1, K2))[BUYER] == Outcome(
        BUYER, "retained", 0, grounds=("books",), until=FREE
    )


def test_retained_and_erased() -> None:
    """Where old rows went and new ones stay, the group is retained and says how many went."""
    outcomes = judged(
        {K1: {BUYER: Done(deleted=3)}}, {K1: {BUYER: kept(Kept("books", 1, NEWEST, 0))}}
    )
    assert outcomes[BUYER] == Outcome(BUYER, "retained", 3, grounds=("books",), until=FREE)


def test_longest_ground_decides() -> None:
    """Of several grounds with dates the longest says until when, and all are named."""
    still = kept(Kept("contract", 1, date(2040, 5, 1), 0), Kept("books", 1, NEWEST, 0))
    assert judged({}, {K1: {BUYER: still}})[BUYER] == Outcome(
        BUYER, "retained", 0, grounds=("books", "contract"), until=date(2040, 5, 2)
    )


@pytest.mark.parametrize(
    ("group", "ground", "shape"),
    [
        (EMAIL, Kept("news-consent", 1, None, 0), ("news-consent",)),
        (NAME, Kept("contract", 1, None, 1), ()),
        (REMARK, Kept("fraud-interest", 1, None, 0), ()),
    ],
)
def test_open_end(group: str, ground: Kept, shape: tuple[str, ...]) -> None:
    """A living consent, a running contract or an interest without a period has no date yet."""
    outcome = judged({}, {K1: {group: kept(ground)}}, shape=shape)[group]
    assert (outcome.result, outcome.until, outcome.why) == ("retained", None, None)


def test_open_end_outlasts_a_date() -> None:
    """Beside a ground with a date, one without has the last word."""
    still = kept(Kept("contract", 1, None, 1), Kept("news-consent", 1, None, 0))
    both = judged({}, {K1: {EMAIL: still}}, shape=("news-consent",))[EMAIL]
    assert (both.until, both.grounds) == (None, ("contract", "news-consent"))
    dated = kept(Kept("contract", 2, date(2030, 1, 1), 1))
    assert judged({}, {K1: {BUYER: dated}})[BUYER].until is None


def test_unknown_anchor() -> None:
    """A row without a date is retained with that reason and no date, never erased, never silent."""
    outcome = judged({}, {K1: {BUYER: kept(Kept("books", 1, None, 1))}})[BUYER]
    assert outcome == Outcome(BUYER, "retained", 0, grounds=("books",), why="unknown-anchor")


def test_unknown_anchor_among_dated_rows() -> None:
    """One row without a date shows, although others of the group have theirs."""
    outcome = judged({}, {K1: {BUYER: kept(Kept("books", 3, NEWEST, 1))}})[BUYER]
    assert (outcome.until, outcome.why) == (FREE, "unknown-anchor")


def test_unknown_anchor_beside_a_ground_that_keeps_all() -> None:
    """Where a ground without an anchor keeps every row, a missing date changes nothing."""
    still = kept(Kept("books", 2, NEWEST, 1), Kept("fraud-interest", 2, None, 0))
    assert judged({}, {K1: {REMARK: still}})[REMARK].why is None


def test_unknown_anchor_of_a_root_row() -> None:
    """A root row has one key: another ground that keeps it makes the missing date harmless."""
    data = declared()
    root = data["stores"]["crm"]["tables"]["person"]
    root["anchors"]["document-date"] = {"column": "seen", "null": "unknown"}
    root["fields"]["name"]["grounds"] = ["contract", "books"]
    policy = Policy.model_validate(data)
    unknown = Kept("books", 1, None, 1)
    alone = judged({}, {K1: {NAME: kept(unknown)}}, policy=policy)[NAME]
    assert alone.why == "unknown-anchor"
    for other in (Kept("contract", 1, date(2030, 1, 1), 0), Kept("contract", 1, None, 1)):
        assert judged({}, {K1: {NAME: kept(unknown, other)}}, policy=policy)[NAME].why is None
    second = {K1: {NAME: kept(unknown, other)}, K2: {NAME: kept(unknown)}}
    assert judged({}, second, keys=(K1, K2), policy=policy)[NAME].why == "unknown-anchor"


def test_unknown_anchor_of_one_child_among_several() -> None:
    """Of several rows nobody knows which ground keeps which, so the missing date is shown."""
    still = kept(Kept("books", 1, None, 1), Kept("contract", 1, date(2030, 1, 1), 0))
    assert judged({}, {K1: {BUYER: still}})[BUYER].why == "unknown-anchor"


def test_interrupted_and_nothing_there() -> None:
    """After a try that was cut short, nothing found means erased, uncounted, and not absent."""
    outcomes = judged(interrupted=True)
    assert set(outcomes.values()) == {
        Outcome(name, "erased", None, interrupted=True) for name in ALL
    }


def test_interrupted_and_overwritten() -> None:
    """After a try that was cut short, a row that holds the declared values was anonymised by it."""
    outcomes = judged({}, {K1: {NAME: kept(), EMAIL: kept()}}, interrupted=True)
    assert outcomes[NAME] == Outcome(NAME, "anonymised", None, interrupted=True)
    assert outcomes[EMAIL] == Outcome(EMAIL, "erased", None, interrupted=True)


def test_interrupted_and_done_now() -> None:
    """What the repeat did itself is counted and not called interrupted."""
    outcomes = judged({K1: {NAME: Done(deleted=1)}}, interrupted=True)
    assert outcomes[NAME] == Outcome(NAME, "erased", 1)


def test_interrupted_and_retained() -> None:
    """What is retained after a try that was cut short does not claim to know what went."""
    still = {K1: {BUYER: kept(Kept("books", 1, NEWEST, 0))}}
    outcome = judged({}, still, interrupted=True)[BUYER]
    assert (outcome.result, outcome.rows, outcome.interrupted) == ("retained", None, True)
    counted = judged({K1: {BUYER: Done(deleted=1)}}, still, interrupted=True)[BUYER]
    assert (counted.rows, counted.interrupted) == (1, False)


def test_already_blank() -> None:
    """A row that stays and held the declared values before is nothing to tell of."""
    assert judged({}, {K1: {NAME: kept()}})[NAME].result == "absent"


def test_no_rows_kept_is_not_retained() -> None:
    """A ground that keeps no row does not count as one that keeps."""
    still = {K1: {BUYER: kept(Kept("books", 0, None, 0))}}
    assert judged({}, still)[BUYER].result == "absent"


def test_running_contracts_are_counted() -> None:
    """A contract without an end keeps its own row and counts; an invoice's law does not."""
    running = kept(Kept("contract", 1, None, 1))
    outcomes = judged({}, {K1: {NAME: running, BUYER: kept(Kept("books", 3, NEWEST, 0))}})
    assert (outcomes[NAME].contracts, outcomes[BUYER].contracts) == (1, 0)


def test_a_contract_that_has_ended_is_not_running() -> None:
    """What is held for a while after a contract's end touches no running contract."""
    data = declared()
    data["grounds"]["contract"]["period"] = "1y"
    policy = Policy.model_validate(data)
    ended = {K1: {NAME: kept(Kept("contract", 2, NEWEST, 1))}}
    assert judged({}, ended, policy=policy)[NAME].contracts == 1


def test_what_has_a_date_is_looked_at_again() -> None:
    """The oldest anchor of any keeping ground says when to look: something may go then."""
    books = Kept("books", 2, NEWEST, 0, date(2024, 6, 1))
    contract = Kept("contract", 2, date(2040, 5, 1), 0, date(2039, 5, 1))
    outcome = judged({}, {K1: {BUYER: kept(books)}, K2: {BUYER: kept(contract)}}, keys=(K1, K2))
    assert outcome[BUYER].look_on == date(2030, 1, 1)


@pytest.mark.parametrize(
    ("group", "ground", "shape"),
    [
        (EMAIL, Kept("news-consent", 1, None, 0), ("news-consent",)),
        (NAME, Kept("contract", 1, None, 1), ()),
        (BUYER, Kept("books", 1, None, 1), ()),
    ],
)
def test_what_has_no_date_is_not(group: str, ground: Kept, shape: tuple[str, ...]) -> None:
    """A living consent, a running contract and an unknown date give no day to look on."""
    assert judged({}, {K1: {group: kept(ground)}}, shape=shape)[group].look_on is None


def test_what_a_living_consent_keeps_whole_is_not() -> None:
    """Beside a ground without a date that keeps every row, no other date is worth a look."""
    dated = Kept("contract", 1, NEWEST, 0, NEWEST)
    still = {K1: {EMAIL: kept(dated, Kept("news-consent", 1, None, 0))}}
    assert judged({}, still, shape=("news-consent",))[EMAIL].look_on is None
    assert judged({}, {K1: {EMAIL: kept(dated)}})[EMAIL].look_on is not None
