"""Which rows may go in one chunk with the row that they hang on."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from connectors.mapping import ParentLink, StoreMapping, Table
from worker.core.legs import along

TO_ORDER = ParentLink("order", (("order", "id"),))
PEOPLE = Table("people", "people", None, ("id",), None, ())
ORDER = Table("order", "order", None, ("id",), ParentLink("people", (("person", "id"),)), ())
LINE = Table("line", "line", None, ("id",), TO_ORDER, ())


def test_a_leaf_goes_along_with_what_it_hangs_on() -> None:
    """And what something hangs on goes after that, in a chunk of its own."""
    mapping = StoreMapping("shop", "Europe/Oslo", (PEOPLE, ORDER, LINE))
    assert along(mapping, "order") == ("line",)
    assert along(mapping, "people") == along(mapping, "line") == ()


@pytest.mark.parametrize(
    "more",
    [
        {"references": (ParentLink("people", (("person", "id"),)),)},
        {"after": True},
        {"drop_partition": True},
        {"shared_by": TO_ORDER},
    ],
    ids=["hangs on another, too", "history", "dropped as one", "several people's"],
)
def test_what_waits_or_is_waited_for_does_not(more: dict[str, Any]) -> None:
    """Another leg counts on it to be gone, or it goes another way."""
    line = replace(LINE, **more)
    assert along(StoreMapping("shop", "Europe/Oslo", (PEOPLE, ORDER, line)), "order") == ()


def test_a_link_table_does_not() -> None:
    """A shared row goes with its last link, person by person."""
    shared = Table(
        "meeting", "meeting", None, ("id",), None, (), shared_by=replace(TO_ORDER, table="line")
    )
    assert along(StoreMapping("shop", "Europe/Oslo", (PEOPLE, ORDER, LINE, shared)), "order") == ()
