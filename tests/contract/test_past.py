"""What is past its last ground now: what plain Python counts, and what erasing then takes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.base import Work
from connectors.falling_due import Past, Whose
from connectors.mapping import Key
from tests.contract.forecasting import TABLE, Row, Rows, Town
from tests.contract.kept import Kept, kept
from tests.contract.test_forecast import (
    CUTOFFS,
    DAYS,
    GROUNDS,
    MAPPING,
    METADATA,
    shared,
    towns,
)
from tests.support.databases import Database

EVERY = [table.name for table in MAPPING.tables]
EVERYBODY = [1, 2, 3, 4]


@pytest.fixture(scope="module")
def town(any_database: Database) -> Iterator[Kept]:
    """The store, for all examples."""
    with kept(any_database, METADATA, MAPPING) as store:
        yield store


class Without(Town):
    """The rows of the town, of which some people's do not fall due."""

    def __init__(self, rows: Rows, without: Sequence[int]) -> None:
        super().__init__(rows)
        self._without = without

    def past(self, group: str, day: date) -> list[tuple[Row, Any]]:
        """The rows of a group that are past their last ground, and whose each is."""
        found = []
        for row in self.counted(group):
            whose = [s["person"] for s in self.seats(row)] if TABLE[group] == "meetings" else []
            person = None if TABLE[group] == "meetings" else self.person(group, row)
            if self.when(group, row, [day]) == 0 and not {*whose, person} & {*self._without}:
                found.append((row, person))
        return found

    def newest(self, group: str, row: Row) -> date | None:
        """The newest date from which one of a row's grounds ran."""
        says = [ground.says for ground in self.keeping(group, row)]
        return max((one for one in says if isinstance(one, date)), default=None)

    def expected(self, day: date) -> tuple[dict[str, Any], int]:
        """Rows, people and oldest date of each group, and people in all."""
        groups: dict[str, Any] = {}
        losing: set[Any] = set()
        for name in TABLE:
            past = self.past(name, day)
            people = {person for _, person in past} - {None}
            dates = [d for row, _ in past if (d := self.newest(name, row))]
            losing |= people
            if past:
                number = None if TABLE[name] == "meetings" else len(people)
                groups[name] = (len(past), number, min(dates, default=None))
        return groups, len(losing)


def told(past: Past) -> dict[str, Any]:
    """What the store says, a group at a time."""
    return {one.group: (one.rows, one.people, one.oldest) for one in past.groups}


async def ask(
    town: Kept, rows: Rows, day: int, without: Sequence[int], whose: Whose
) -> tuple[Past, Rows, Past]:
    """Count, read the tables, erase all but the people left out, and count again."""
    await town.fill(rows)
    keys: list[Key] = [(person,) for person in without]
    before = await town.connector.past(EVERY, CUTOFFS[day], keys, whose=whose)
    untouched = await town.read()
    others = [(person,) for person in EVERYBODY if person not in without]
    await town.connector.erase(Work(GROUNDS, CUTOFFS[day], others))
    return before, untouched, await town.connector.past(EVERY, CUTOFFS[day], keys)


left_out = st.lists(st.sampled_from(EVERYBODY), max_size=2, unique=True)


@shared
@given(
    rows=towns(),
    day=st.integers(0, len(DAYS) - 1),
    without=left_out,
    whose=st.sampled_from(Whose),
)
def test_the_model_agrees(
    town: Kept, rows: Rows, day: int, without: list[int], whose: Whose
) -> None:
    """Rows, people and oldest dates are the model's; erasing leaves none, counting changes none.

    Of people no more is told than was asked.
    """
    before, untouched, after = town.run(ask(town, rows, day, without, whose))
    groups, people = Without(rows, without).expected(DAYS[day])
    if whose is Whose.EACH:
        assert told(before) == groups
    else:
        assert told(before) == {name: (n, None, old) for name, (n, _, old) in groups.items()}
    assert before.people == (0 if whose is Whose.NOBODY else people)
    assert before.of == len(rows["people"])
    assert untouched == {
        name: sorted(there, key=lambda row: row["id"]) for name, there in rows.items()
    }
    assert (after.groups, after.people) == ((), 0)


def test_only_the_tables_asked_for_are_counted(town: Kept) -> None:
    """Somebody who would lose something in two tables is one person; in neither, nobody."""
    long_ago = date(1999, 1, 1)
    rows: Rows = {name: [] for name in EVERY}
    rows["people"] = [{"id": 1, "name": "a", "mail": None, "agreed": 0, "ended": None}]
    rows["traces"] = [{"id": n, "person": 1, "at": long_ago, "text": "x"} for n in (1, 2)]
    rows["seats"] = [{"id": 1, "person": 1, "meeting": 9, "joined": long_ago, "text": "x"}]

    town.run(town.fill(rows))
    both = town.run(town.connector.past(["seats", "traces"], CUTOFFS[0]))
    assert told(both) == {"seats": (1, 1, long_ago), "traces": (2, 1, long_ago)}
    assert (both.people, both.rows) == (1, 3)
    assert told(town.run(town.connector.past(["bills", "people"], CUTOFFS[0]))) == {}


def test_the_people_of_a_store_are_its_root_rows(town: Kept) -> None:
    """They are counted without any cut-off."""
    rows: Rows = {name: [] for name in EVERY}
    rows["people"] = [
        {"id": n, "name": "a", "mail": None, "agreed": 0, "ended": None} for n in (1, 2, 3)
    ]
    town.run(town.fill(rows))
    assert town.run(town.connector.people()) == 3
