"""Rows, events and a day for a drawn policy: dates where calendars and periods turn."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from hypothesis import strategies as st

from tests.contract.generated.counting import last_over
from tests.contract.generated.layout import DAYS, FIELDS, Row, Rows
from tests.contract.generated.policies import PURPOSES, STORE, Declared, policies

NOBODY = 4
"""A key that no row has: of a person whose own row is gone, or of nobody at all."""


@dataclass(frozen=True)
class Said:
    """One event: what it is, which purposes it names, and at which second it happened."""

    kind: str
    second: int
    purposes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Case:
    """One example: who is to be erased by what they said, in the order in which it came."""

    policy: Declared
    rows: Rows
    events: dict[int, list[Said]]
    day: date
    tables: dict[str, Declared] = field(init=False)

    def __post_init__(self) -> None:
        """Find the tables of the one store."""
        object.__setattr__(self, "tables", self.policy["stores"][STORE]["tables"])


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """A policy, rows, what people said, and a day."""
    policy = draw(policies())
    day = draw(_days())
    rows = draw(rows_of(policy, day))
    return Case(policy, rows, draw(events_of(policy, rows)), day)


def _days() -> st.SearchStrategy[date]:
    turns = [date(2026, 1, 1), date(2024, 2, 29), date(2025, 2, 28), date(2026, 7, 1)]
    return st.sampled_from([*turns, date(2026, 3, 31)]) | st.dates(
        date(2023, 1, 1), date(2027, 1, 1)
    )


@st.composite
def rows_of(draw: st.DrawFn, policy: Declared, day: date) -> Rows:
    """A few rows in each table that the policy names."""
    dates = draw(st.lists(_dates(policy, day), min_size=3, max_size=3))
    tables = policy["stores"][STORE]["tables"]
    rows: Rows = {"person": [], "a": [], "b": [], "c": [], "meeting": [], "history": []}
    for relation in dict.fromkeys(table.get("relation", name) for name, table in tables.items()):
        none = [] if relation in ("person", "meeting") else [0]
        number = draw(st.sampled_from([2, 3, 1, *none]))
        rows[relation] = [draw(_row(relation, n + 1, dates)) for n in range(number)]
    return rows


def _dates(policy: Declared, day: date) -> st.SearchStrategy[date]:
    """Long ago, or the last date that is over on the day by some ground, and those beside it."""
    start = policy["fiscal_year_starts"]
    edges = [date(2010, 2, 28), date(2024, 2, 29), day]
    edges += [
        last_over(day, ground["period"], ground["rounding"], start)
        for ground in policy["grounds"].values()
        if "anchor" in ground
    ]
    shifted = st.builds(
        lambda edge, shift: edge + timedelta(days=shift), st.sampled_from(edges), st.integers(-1, 1)
    )
    ends = st.builds(
        lambda year, month: date(year, month, 1) - timedelta(days=1),
        st.integers(2019, 2027),
        st.integers(1, 12),
    )
    long_ago = st.just(date(2008, 2, 29))
    return st.one_of(long_ago, shifted, long_ago, ends, shifted)


@st.composite
def _row(draw: st.DrawFn, relation: str, number: int, dates: list[date]) -> Row:
    values = st.sampled_from(["y", "x", "X", "", f"no-{number}", None])
    days = st.sampled_from([*dates, *dates, None])
    others = st.sampled_from([1, 2, 1, 2, 3, NOBODY])
    agreed = st.sampled_from([1, 0, None, 2])
    if relation == "history":
        filled = {"day_0": days, "agreed": agreed, "f0": values, "parent_id": others}
        return draw(st.fixed_dictionaries(filled))
    row: dict[str, Any] = {"id": number, "parent_id": None, "ref_id": None, "ptr": None}
    if relation not in ("person", "meeting"):
        row["parent_id"] = draw(others)
        row |= {link: draw(st.sampled_from([1, 2, 1, 3, None])) for link in ("ref_id", "ptr")}
    row |= {day: draw(days) for day in DAYS}
    row["agreed"] = draw(agreed)
    row["kind"] = draw(st.sampled_from(["x", "y", None, "z"]))
    return row | {name: draw(values) for name in FIELDS}


@st.composite
def events_of(draw: st.DrawFn, policy: Declared, rows: Rows) -> dict[int, list[Said]]:
    """What some people said, each at least one thing that is acted on, in any order of time."""
    names = tuple(sorted(PURPOSES))
    purposes = st.lists(st.sampled_from(names), min_size=1, max_size=2, unique=True).map(tuple)
    seconds = st.integers(0, 4)
    stops = st.one_of(
        st.builds(Said, st.just("withdrawn"), seconds, purposes),
        st.builds(Said, st.sampled_from(["requested", "objected", "requested"]), seconds),
    )
    gifts = st.builds(Said, st.just("given"), seconds, purposes)
    several = st.tuples(stops, st.lists(stops | gifts, max_size=3))
    where = policy["stores"][STORE]["tables"]["person"].get("where")
    # Who is asked for was found by his row; that one may have gone meanwhile.
    found = [row["id"] for row in rows["person"] if where is None or row["kind"] == "x"]
    everybody = [*found, NOBODY]
    some = st.lists(st.sampled_from(everybody), min_size=1, max_size=4, unique=True)
    said: dict[int, list[Said]] = {}
    for person in draw(st.one_of(st.just(everybody), some)):
        first, others = draw(several)
        said[person] = draw(st.permutations([first, *others]))
    return said
