"""Rows that are due by one of two field groups alone are those that plain Python finds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.faults import Misfit
from connectors.mapping import Anchor, FieldGroup, GroundUse, NullAnchor, StoreMapping
from connectors.sql import SqlConnector
from tests.contract.forecasting import RUNNING, TABLE, UNKNOWN, Ground, Row, Rows, Town
from tests.contract.kept import Kept, kept
from tests.contract.test_forecast import CUTOFFS, DAYS, MAPPING, METADATA, shared, towns
from tests.support.databases import Database

NEVER = GroundUse("never", False, None)
OTHERS: dict[str, tuple[GroundUse, ...]] = {
    "names": (GroundUse("contract", False, Anchor("ended", False, NullAnchor.RUNNING)),),
    "buyers": (GroundUse("visit", False, Anchor("paid", False, NullAnchor.UNKNOWN)),),
    "mails": (GroundUse("claims", False, Anchor("ended", False, NullAnchor.RUNNING)),),
    "remarks": (GroundUse("visit", False, Anchor("issued", False, NullAnchor.UNKNOWN)),),
    "lines": (NEVER,),
    "copies": (),
}
"""What some field groups are held on by another policy."""
OTHER = "other "


def _group(group: FieldGroup) -> tuple[FieldGroup, ...]:
    uses = OTHERS.get(group.name)
    return () if uses is None else (group, replace(group, name=OTHER + group.name, grounds=uses))


BOTH: StoreMapping = replace(
    MAPPING,
    tables=tuple(
        replace(table, groups=tuple(one for group in table.groups for one in _group(group)))
        for table in MAPPING.tables
    ),
)


class OtherTown(Town):
    """The same rows under the other policy."""

    def keeping(self, group: str, row: Row) -> list[Ground]:
        """The grounds of a field group, as the other policy has them."""
        keeping = {
            "names": [Ground("contract", row.get("ended") or RUNNING)],
            "buyers": [Ground("visit", row.get("paid") or UNKNOWN)],
            "mails": [Ground("claims", row.get("ended") or RUNNING)],
            "remarks": [Ground("visit", row.get("issued") or UNKNOWN)],
            "lines": [Ground("never", RUNNING)],
            "copies": [],
        }
        return keeping[group]


Expected = dict[tuple[str, str], tuple[int, int]]


def expected(rows: Rows, day: date) -> Expected:
    """Rows and people that are due on a day by one policy alone."""
    one, other = Town(rows), OtherTown(rows)
    people: defaultdict[tuple[str, str], list[Any]] = defaultdict(list)
    for group in OTHERS:
        held = [row["id"] for row in one.counted(group)]
        for row in rows[TABLE[group]]:
            person = one.person(group, row)
            if person is None:
                continue
            due, due_too = (town.when(group, row, [day]) == 0 for town in (one, other))
            if due is due_too:
                continue
            goes, goes_too = (goes_whole(town, TABLE[group], row, day) for town in (one, other))
            if row["id"] in held or ((goes, goes_too) == (due, due_too)):
                names = (group, OTHER + group)
                people[names if due else (names[1], names[0])].append(person)
    return {names: (len(found), len(set(found))) for names, found in people.items()}


def goes_whole(town: Town, table: str, row: Row, day: date) -> bool:
    """Whether a row goes: none of its groups lives, nothing hangs on it, and it may go."""
    below = {
        "people": [("bills", "person"), ("seats", "person"), ("letters", "person")],
        "bills": [("lines", "bill")],
    }
    hanging = any(
        child[column] == row["id"] and child.get("kind", "bill") == "bill"
        for name, column in below.get(table, [])
        for child in town.rows[name]
    )
    mine = [group for group in OTHERS if TABLE[group] == table]
    dead = all(town.when(group, row, [day]) == 0 for group in mine)
    return dead and not hanging and table != "letters"


async def answered(town: Kept, rows: Rows, day: int) -> Expected:
    """What the store counts."""
    await town.fill(rows)
    found: Expected = {}
    for table in BOTH.tables:
        names = [group.name for group in table.groups if not group.name.startswith(OTHER)]
        pairs = [(name, OTHER + name) for name in names]
        for one in await town.connector.compare(table.name, pairs, CUTOFFS[day]):
            found[one.due, one.not_due] = (one.rows, one.people)
    return found


def agree(town: Kept, rows: Rows, day: int) -> None:
    """Fail where store and model differ."""
    assert town.run(answered(town, rows, day)) == expected(rows, DAYS[day])


@pytest.fixture(scope="module")
def town(any_database: Database) -> Iterator[Kept]:
    """The store, for all examples."""
    with kept(any_database, METADATA, BOTH) as store:
        yield store


@settings(shared, max_examples=60)
@given(rows=towns(), day=st.integers(0, len(DAYS) - 1))
def test_the_model_agrees(town: Kept, rows: Rows, day: int) -> None:
    """Rows and people of each pair of groups are the model's; a row due by both or none is not."""
    agree(town, rows, day)


@pytest.mark.usefixtures("town")
async def test_shared_rows_are_not_compared(any_database: Database) -> None:
    """Rows that go with their links are refused rather than counted without them."""
    connector = SqlConnector(MAPPING, any_database.text)
    with pytest.raises(Misfit, match="several people"):
        await connector.compare("meetings", [("topics", "places")], CUTOFFS[0])
    await connector.close()
