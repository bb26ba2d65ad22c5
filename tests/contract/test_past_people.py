"""Whoever would lose something is counted with the root's table alone, where that is enough."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from connectors.falling_due import Whose
from connectors.mapping import (
    Anchor,
    Evidence,
    Filter,
    GroundUse,
    NullAnchor,
    ParentLink,
    StoreMapping,
    Table,
)
from tests.contract.kept import Kept, kept
from tests.contract.test_forecast import group, shared
from tests.support.databases import Database
from tests.support.statements import asked

CUTOFF, BEFORE, AFTER = date(2026, 11, 25), date(2026, 11, 25), date(2026, 11, 26)
OF_PARENT = GroundUse("kept", False, Anchor("gone", True, NullAnchor.RUNNING))
KEPT = GroundUse("kept", False, Anchor("gone", False, NullAnchor.RUNNING))
NEWS = GroundUse("news", True, None, evidence=Evidence(Filter("agreed", (1,))))


def below(table: str, column: str) -> ParentLink:
    """How a row names the one that it hangs on."""
    return ParentLink(table, ((column, "id"),))


MAPPING = StoreMapping(
    "club",
    "Europe/Oslo",
    (
        Table(
            "members", "members", None, ("id",), None,
            (group("names", "name", KEPT), group("mails", "mail", KEPT, NEWS)),
            where=(Filter("kind", ("member",)),),
        ),
        Table(
            "visits", "visits", None, ("id",), below("members", "member"),
            (group("visits", "text", OF_PARENT),),
        ),
        Table(
            "notes", "notes", None, ("id",), below("visits", "visit"),
            (group("notes", "text", OF_PARENT),),
        ),
    ),
)  # fmt: skip
METADATA = sa.MetaData()
COLUMNS: dict[str, dict[str, Any]] = {
    "members": {
        "kind": st.sampled_from(["member", "member", "staff", None]),
        "gone": st.sampled_from([BEFORE, BEFORE, AFTER, None]),
        "agreed": st.sampled_from([0, 1, None]),
        "name": st.sampled_from(["a", "a", None]),
        "mail": st.sampled_from(["a", None]),
    },
    "visits": {
        "member": st.sampled_from([1, 2, 3, None]),
        "gone": st.sampled_from([BEFORE, AFTER, None]),
        "text": st.sampled_from(["a", None]),
    },
    "notes": {"visit": st.sampled_from([1, 2, 3, None]), "text": st.sampled_from(["a", None])},
}
NUMBERS = ("agreed", "member", "visit")
TYPES: dict[str, Any] = {"gone": sa.Date, **dict.fromkeys(NUMBERS, sa.Integer)}
for name, columns in COLUMNS.items():
    sa.Table(
        name,
        METADATA,
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        *(sa.Column(c, TYPES.get(c, sa.String(9))) for c in columns),
    )

Rows = dict[str, list[dict[str, Any]]]


@st.composite
def clubs(draw: st.DrawFn) -> Rows:
    """A few rows in each table; some belong to nobody. Often there is no note."""
    most = {"members": 3, "visits": 4, "notes": draw(st.sampled_from([0, 0, 3]))}
    return {
        name: [
            {"id": number + 1} | {column: draw(value) for column, value in columns.items()}
            for number in range(draw(st.integers(0, most[name])))
        ]
        for name, columns in COLUMNS.items()
    }


def over(row: dict[str, Any] | None) -> bool:
    """Whether nothing keeps any more what runs from a row's date."""
    return row is not None and row["gone"] == BEFORE


def losing(rows: Rows, without: Sequence[int]) -> dict[str, set[int]]:
    """Who would lose something in each table, in plain Python."""
    members = {row["id"]: row for row in rows["members"] if row["kind"] == "member"}
    visits = {row["id"]: row for row in rows["visits"]}
    found: dict[str, set[int]] = {"members": set(), "visits": set(), "notes": set()}
    for number, row in members.items():
        mail = row["mail"] is not None and row["agreed"] != 1
        if over(row) and (row["name"] is not None or mail):
            found["members"].add(number)
    for row in visits.values():
        # A visit may stay for its notes: without a text nothing of it is left then.
        if over(members.get(row["member"])) and row["text"] is not None:
            found["visits"].add(row["member"])
    for row in rows["notes"]:
        visit = visits.get(row["visit"])
        if over(visit) and visit and visit["member"] is not None:
            found["notes"].add(visit["member"])
    return {name: people - set(without) for name, people in found.items()}


@pytest.fixture(scope="module")
def club(any_database: Database) -> Iterator[Kept]:
    """The store, for all examples."""
    with kept(any_database, METADATA, MAPPING) as store:
        yield store


@shared
@given(
    rows=clubs(),
    without=st.lists(st.sampled_from([1, 2, 3]), max_size=1),
    whose=st.sampled_from([Whose.EACH, Whose.TOGETHER]),
    backwards=st.booleans(),
)
def test_each_is_counted_once(
    club: Kept, rows: Rows, without: list[int], whose: Whose, *, backwards: bool
) -> None:
    """All of them are told as in plain Python, whichever table is counted first.

    Nothing is asked twice where whoever loses something loses it in the root's table too.
    """
    tables = ["notes", "visits", "members"] if backwards else ["members", "visits", "notes"]
    club.run(club.fill(rows))
    with asked() as statements:
        past = club.run(
            club.connector.past(tables, {"kept": CUTOFF}, [(one,) for one in without], whose=whose)
        )
    found = losing(rows, without)
    assert past.people == len(set().union(*found.values()))
    again = [one for one in statements if "erasure_people" in one]
    assert len(again) == (not found["visits"] <= found["members"] or bool(found["notes"]))


def test_without_the_roots_table_its_people_are_gathered(club: Kept) -> None:
    """Two visits of one person are one person's."""
    long_gone = {"kind": "member", "gone": BEFORE, "agreed": 0, "name": "a", "mail": None}
    visits = [{"id": n, "member": 1, "gone": None, "text": "a"} for n in (1, 2)]
    club.run(club.fill({"members": [{"id": 1, **long_gone}], "visits": visits, "notes": []}))
    past = club.run(club.connector.past(["visits"], {"kept": CUTOFF}, whose=Whose.TOGETHER))
    assert (past.people, past.rows) == (1, 2)
