"""Tables whose rows are kept for statistics, and partitions that may go as one."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from connectors.base import Done, Remainder
from connectors.mapping import Key
from tests.unit.core.policies import declared
from tests.unit.core.spoiling import GOOD, assert_told
from worker.core.comparing import compare
from worker.core.outcomes import Judge, Outcome
from worker.core.policy import Policy
from worker.policy_file import PolicyError, parse

KEY: Key = (1,)
WHY = {"irreversible": "the row holds a survey and a number from 1 to 5, and names nobody"}


def with_bill(**rule: object) -> dict[str, Any]:
    """The small policy's data, its persons told apart by a number of no meaning elsewhere."""
    data = declared()
    tables = data["stores"]["crm"]["tables"]
    tables["person"]["key"] = ["id"]
    tables["bill"]["parent"]["columns"] = {"person_id": "id"}
    tables["person"]["fields"]["no"] = tables["person"]["fields"]["email"]
    tables["bill"].update(rule)
    return data


def told(data: dict[str, Any]) -> list[tuple[tuple[str | int, ...], str]]:
    """What is wrong with a policy, each with its place."""
    with pytest.raises(ValidationError) as caught:
        Policy.model_validate(data)
    return [(entry["loc"], entry["msg"]) for entry in caught.value.errors()]


def test_the_row_is_kept_and_counts_as_anonymised() -> None:
    """No row of the table is deleted, and every group of it leaves something anonymous."""
    policy = Policy.model_validate(with_bill(anonymise=WHY))
    person, bill = policy.mapping("crm").tables
    assert bill.row_stays
    assert all(group.anonymises for group in bill.groups)
    assert not person.row_stays
    assert [group.anonymises for group in person.groups] == [True, False, False]


@pytest.mark.parametrize(("rule", "result"), [({"anonymise": WHY}, "anonymised"), ({}, "erased")])
def test_the_outcome_of_an_emptied_field(rule: dict[str, object], result: Any) -> None:
    """A field that is emptied in such a row is anonymised, elsewhere it is erased."""
    policy = Policy.model_validate(with_bill(**rule))
    group = "bill.remark"
    effects = {KEY: {group: Done(overwritten=2)}}
    left = {KEY: {group: Remainder(0, ())}}
    judge = Judge(policy, policy.mapping("crm"), (), effects, left, interrupted=False)
    outcomes = judge.of([KEY])
    assert isinstance(outcomes, tuple)
    assert Outcome(group, result, 2) in outcomes


def test_the_outcome_after_a_try_that_was_cut_short() -> None:
    """An emptied field of a row that is found again was anonymised by the try before."""
    policy = Policy.model_validate(with_bill(anonymise=WHY))
    left = {KEY: {"bill.remark": Remainder(0, ())}}
    judge = Judge(policy, policy.mapping("crm"), (), {}, left, interrupted=True)
    outcomes = judge.of([KEY])
    assert isinstance(outcomes, tuple)
    assert Outcome("bill.remark", "anonymised", None, interrupted=True) in outcomes


@pytest.mark.parametrize(
    ("wish", "says"),
    [
        ("hash", "'hash' is never anonymisation"),
        ({"method": "sha256"}, "'sha256' is never anonymisation"),
        ({"pseudonym": "x"}, "'pseudonym' is never anonymisation"),
        ({"irreversible": "only an HMAC of the address stays"}, "is never anonymisation"),
        (True, "write anonymise: {irreversible: <why>}"),
        (None, "write anonymise: {irreversible: <why>}"),
        ({}, "Field required"),
        ({"irreversible": "  "}, "a reason is needed here"),
        ({**WHY, "method": "shuffle"}, "Extra inputs"),
    ],
)
def test_no_reason_or_a_pseudonym_is_refused(wish: object, says: str) -> None:
    """Who says no reason, or names a hash, a pseudonym or an encryption, is told why not."""
    assert any(says in message for _, message in told(with_bill(anonymise=wish)))


@pytest.mark.parametrize("row", ["goes", "stays"])
def test_a_row_has_one_end(row: str) -> None:
    """What becomes of the row is said once."""
    ((_, message),) = told(with_bill(anonymise=WHY, row=row))
    assert "anonymise keeps the row already" in message


def test_the_key_that_names_the_person_is_refused() -> None:
    """A table whose rows are told apart by what events name people by cannot be anonymous."""
    data = declared()
    data["stores"]["crm"]["tables"]["person"]["anonymise"] = WHY
    place = ("stores", "crm", "tables", "person", "anonymise")
    assert [where for where, message in told(data) if "'no' holds the customer_id" in message] == [
        place
    ]


def test_a_link_that_names_the_person_is_refused() -> None:
    """A child that is linked by what events name people by leads back to them, at any depth."""
    data = declared()
    tables = data["stores"]["crm"]["tables"]
    tables["bill"]["anonymise"] = WHY
    tables["line"] = {
        "parent": {"table": "bill", "columns": {"whose": "person_no"}},
        "key": ["line_no"],
        "anonymise": WHY,
        "fields": {"to": {"category": "address", "grounds": ["fraud-interest"], "action": "erase"}},
    }
    said = [message for _, message in told(data)]
    for column in ("person_no", "whose"):
        assert any(f"'{column}' holds the customer_id and stays in the row" in s for s in said)


def test_an_identifier_that_is_no_field_is_refused() -> None:
    """A column by which people are looked up would stay as it is, unless it is a field."""
    data = with_bill()
    person = data["stores"]["crm"]["tables"]["person"]
    person["anonymise"] = WHY
    Policy.model_validate(data)
    del person["fields"]["phone"]
    ((_, message),) = told(data)
    assert "'phone' holds the phone and would stay in the row; add it under fields" in message


def test_partitions() -> None:
    """A table says whether a whole partition may be dropped; by default none is."""
    some, none = (
        [table.drop_partition for table in Policy.model_validate(data).mapping("crm").tables]
        for data in (with_bill(drop_partition=True), with_bill())
    )
    assert (some, none) == ([False, True], [False, False])


@pytest.mark.parametrize("kept", [{"row": "stays"}, {"anonymise": WHY}])
def test_what_keeps_its_rows_drops_no_partition(kept: dict[str, object]) -> None:
    """A table whose rows are kept cannot have them dropped."""
    ((_, message),) = told(with_bill(drop_partition=True, **kept))
    assert "keeps every row, and drop_partition: drops them" in message


def test_the_demo_company_cannot_call_its_answers_anonymous() -> None:
    """Answers that keep the customer number, which billing knows too, are told in their line."""
    assert_told(
        (
            "        row: stays\n",
            "        anonymise: {irreversible: nobody knows who answered}\n",
            "        anonymise:",
            "'customer_no' holds the customer_id and stays in the row",
        )
    )
    with pytest.raises(PolicyError, match=r"'md5' is never anonymisation"):
        parse(GOOD.replace("        row: stays\n", "        anonymise: md5\n").encode(), "p")


def test_a_change_is_told() -> None:
    """Beginning to anonymise, or to drop partitions, is a change of what becomes of the rows."""
    old, new, stays, drops = (
        Policy.model_validate(with_bill(**rule))
        for rule in ({}, {"anonymise": WHY}, {"row": "stays"}, {"drop_partition": True})
    )
    said = "the row stays, its fields are emptied"
    counts = f"what stays of a row counts as anonymised: {WHY['irreversible']}"
    assert [(c.what, c.direction.value) for c in compare(old, new)] == [
        (said, "longer"),
        (counts, "neither"),
    ]
    assert [c.what for c in compare(stays, new)] == [counts]
    assert [c.what for c in compare(new, stays)] == [
        "what stays of a row no longer counts as anonymised"
    ]
    ((may, direction),) = [(c.what, c.direction.value) for c in compare(old, drops)]
    assert (may, direction) == (
        "a partition of which every row is past its grounds may be dropped as one",
        "neither",
    )
    assert "may no longer be dropped" in compare(drops, old)[0].what
