"""What a policy says of columns, rows and triggers that are nobody's data, and of categories."""

from __future__ import annotations

from typing import get_args

import pytest
from pydantic import ValidationError

from tests.unit.core.policies import declared
from worker.core.policy import Policy
from worker.core.tables import Category


@pytest.mark.parametrize("reason", ["", "  "])
def test_not_personal_says_why(reason: str) -> None:
    """A column, rows or a trigger without a reason why it is harmless are refused."""
    for declared_as in (
        {"not_personal": {"total": reason}},
        {"not_personal_rows": reason},
        {"triggers": {"note": reason}},
    ):
        data = declared()
        data["stores"]["crm"]["tables"]["bill"].update(declared_as)
        with pytest.raises(ValidationError, match="a reason is needed here"):
            Policy.model_validate(data)


def test_a_column_is_personal_or_not() -> None:
    """A column under fields and under not_personal is refused; of a document the rest may be."""
    data = declared()
    bill = data["stores"]["crm"]["tables"]["bill"]
    bill["not_personal"] = {"buyer": "a name"}
    with pytest.raises(ValidationError, match="personal data or it does not"):
        Policy.model_validate(data)
    bill["fields"]["buyer"] |= {"path": "buyer.name"}
    assert Policy.model_validate(data).mapping("crm").tables[1].not_personal == ("buyer",)


def test_each_category_has_an_action() -> None:
    """The categories are the seven of the privacy notice, and none goes without an action."""
    assert set(get_args(Category)) == {
        "name", "address", "email", "phone", "fax", "bank", "voluntary"
    }  # fmt: skip
    for category in get_args(Category):
        data = declared()
        field = data["stores"]["crm"]["tables"]["person"]["fields"]["notes"]
        field |= {"category": category}
        Policy.model_validate(data)
        del field["action"]
        with pytest.raises(ValidationError, match="action"):
            Policy.model_validate(data)
