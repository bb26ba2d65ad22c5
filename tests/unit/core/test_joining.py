"""Two versions of a store in one mapping: what is compared with what, and what cannot be."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from connectors.mapping import Table
from tests.unit.core.policies import declared
from worker.core.joining import Joined, cutoffs, join
from worker.core.policy import Policy


def joined(bend: Any, store: str = "crm") -> Joined:
    """The small policy and a bent one, put together."""
    data = declared()
    bend(data)
    return join(Policy.model_validate(declared()), Policy.model_validate(data), store)


def table(both: Joined, name: str) -> Table:
    """One table of the mapping."""
    return next(one for one in both.mapping.tables if one.name == name)


def test_fields_stand_in_the_groups_of_both_policies() -> None:
    """Fields that move apart are two pairs, each with the grounds that it had and has."""

    def bend(data: Any) -> None:
        fields = data["stores"]["crm"]["tables"]["person"]["fields"]
        fields["phone"]["grounds"] = ["contract"]

    both = joined(bend)
    assert both.apart == {}
    assert [pair.fields for pair in both.pairs["person"]] == [
        ("name",), ("email",), ("phone",), ("notes",),
    ]  # fmt: skip
    groups = {group.name: group for group in table(both, "person").groups}
    phone = both.pairs["person"][2]
    assert [use.ground for use in groups[phone.old].grounds] == ["old:contract", "old:news-consent"]
    assert [use.ground for use in groups[phone.new].grounds] == ["new:contract"]


def test_what_one_policy_does_not_know_is_never_due_by_it() -> None:
    """A new field and a field that is gone stand beside a ground that has no end."""

    def bend(data: Any) -> None:
        fields = data["stores"]["crm"]["tables"]["bill"]["fields"]
        fields["paid_by"] = fields.pop("remark")

    both = joined(bend)
    groups = {group.name: group for group in table(both, "bill").groups}
    uses = {
        pair.fields: [[use.ground for use in groups[name].grounds] for name in (pair.old, pair.new)]
        for pair in both.pairs["bill"]
    }
    assert uses["remark",] == [["old:books", "old:fraud-interest"], ["never"]]
    assert uses["paid_by",] == [["never"], ["new:books", "new:fraud-interest"]]


@pytest.mark.parametrize(
    ("change", "apart"),
    [
        ({"relation": "people"}, ("person", "bill")),
        ({"where": {"kind": "x"}}, ("person", "bill")),
        ({"rows_per_person": "many"}, ()),
    ],
)
def test_other_rows_are_not_compared(change: Any, apart: tuple[str, ...]) -> None:
    """A table that means other rows is named, and so is what hangs below it."""
    both = joined(lambda data: data["stores"]["crm"]["tables"]["person"].update(change))
    assert tuple(both.apart) == apart
    assert set(both.pairs) == {"person", "bill"} - set(apart)
    assert {one.name for one in both.mapping.tables} == set(both.pairs)


def test_a_table_that_dates_another_must_be_the_same() -> None:
    """Where the newest of other rows counts, the rows that it counts over are the same, or not."""

    def ready(data: Any) -> None:
        tables = data["stores"]["crm"]["tables"]
        anchor = {"newest": "issued", "in": "bill", "null": "unknown"}
        tables["person"]["anchors"]["contract-end"] = anchor
        tables["bill"]["row"] = "stays"

    old, new = declared(), declared()
    ready(old)
    ready(new)
    new["stores"]["crm"]["tables"]["bill"]["where"] = {"kind": "x"}
    both = join(Policy.model_validate(old), Policy.model_validate(new), "crm")
    assert tuple(both.apart) == ("person", "bill")


def test_shared_rows_are_not_compared() -> None:
    """Rows that belong to several people are named, with the reason; the others are compared."""

    def bend(data: Any) -> None:
        tables = data["stores"]["crm"]["tables"]
        field = {"category": "voluntary", "grounds": ["fraud-interest"], "action": "erase"}
        shared = {"table": "bill", "columns": {"id": "meeting_id"}}
        tables["meeting"] = {"key": ["id"], "shared_by": shared, "fields": {"topic": field}}

    both = joined(bend)
    assert both.apart == {"meeting": "its rows belong to several people"}
    assert list(both.pairs) == ["person", "bill"]


def test_tables_and_stores_of_one_policy() -> None:
    """What only one policy declares is in it; an unknown store is an error."""
    both = joined(lambda data: data["stores"]["crm"]["tables"].pop("bill"))
    assert [one.name for one in both.mapping.tables] == ["person", "bill"]
    both = joined(lambda data: data["stores"].pop("letters"), "letters")
    assert (both.kind, list(both.pairs)) == ("newsletter", ["subscriber"])
    with pytest.raises(KeyError):
        joined(lambda data: data, "nowhere")


def test_cut_offs_of_both() -> None:
    """Each policy's grounds have that policy's cut-off."""
    data = declared()
    data["grounds"]["books"]["period"] = "1y"
    policies = Policy.model_validate(declared()), Policy.model_validate(data)
    found = cutoffs(*policies, "crm", date(2026, 11, 25))
    assert found["old:books"] == date(2020, 12, 31)
    assert found["new:books"] == date(2024, 12, 31)
