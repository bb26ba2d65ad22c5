"""Rows, events and a day for a drawn policy: dates where calendars and periods turn."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final

from hypothesis import strategies as st

from tests.contract.generated.choosing import choose, number, shuffled
from tests.contract.generated.counting import last_over
from tests.contract.generated.layout import DAYS, FIELDS, Row, Rows
from tests.contract.generated.policies import PURPOSES, STORE, Declared, draw_policy

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
    policy = draw_policy(draw)
    day = draw(_DAYS)
    rows = _rows_of(draw, policy, day)
    return Case(policy, rows, _events_of(draw, policy, rows), day)


_TURNS: Final = (
    date(2026, 1, 1), date(2024, 2, 29), date(2025, 2, 28), date(2026, 7, 1), date(2026, 3, 31)
)  # fmt: skip
_DAYS: Final = st.sampled_from(_TURNS) | st.dates(date(2023, 1, 1), date(2027, 1, 1))


def _rows_of(draw: st.DrawFn, policy: Declared, day: date) -> Rows:
    """A few rows in each table that the policy names."""
    dates = [_date(draw, policy, day) for _ in range(3)]
    tables = policy["stores"][STORE]["tables"]
    rows: Rows = {"person": [], "a": [], "b": [], "c": [], "meeting": [], "history": []}
    for relation in dict.fromkeys(table.get("relation", name) for name, table in tables.items()):
        none = [] if relation in ("person", "meeting") else [0]
        count = choose(draw, (2, 3, 1, *none))
        rows[relation] = [_row(draw, relation, n + 1, dates) for n in range(count)]
    return rows


def _date(draw: st.DrawFn, policy: Declared, day: date) -> date:
    """Long ago, or the last date that is over on the day by some ground, and those beside it."""
    form = choose(draw, ("long ago", "an edge", "long ago", "end of a month", "an edge"))
    if form == "long ago":
        return date(2008, 2, 29)
    if form == "end of a month":
        return date(draw(number(2019, 2027)), draw(number(1, 12)), 1) - timedelta(days=1)
    start = policy["fiscal_year_starts"]
    edges = [date(2010, 2, 28), date(2024, 2, 29), day]
    edges += [
        last_over(day, ground["period"], ground["rounding"], start)
        for ground in policy["grounds"].values()
        if "anchor" in ground
    ]
    return choose(draw, edges) + timedelta(days=choose(draw, (0, -1, 1)))


def _row(draw: st.DrawFn, relation: str, key: int, dates: list[date]) -> Row:
    values = ("y", "x", "X", "", f"no-{key}", None)
    days = (*dates, *dates, None)
    others, agreed = (1, 2, 1, 2, 3, NOBODY), (1, 0, None, 2)
    if relation == "history":
        filled = {"day_0": days, "agreed": agreed, "f0": values, "parent_id": others}
        return {name: choose(draw, of) for name, of in filled.items()}
    row: dict[str, Any] = {"id": key, "parent_id": None, "ref_id": None, "ptr": None}
    if relation not in ("person", "meeting"):
        row["parent_id"] = choose(draw, others)
        row |= {link: choose(draw, (1, 2, 1, 3, None)) for link in ("ref_id", "ptr")}
    row |= {day: choose(draw, days) for day in DAYS}
    row["agreed"] = choose(draw, agreed)
    row["kind"] = choose(draw, ("x", "y", None, "z"))
    return row | {name: choose(draw, values) for name in FIELDS}


_PURPOSES: Final = st.lists(
    st.sampled_from(sorted(PURPOSES)), min_size=1, max_size=2, unique=True
).map(tuple)
_STOPS: Final = st.one_of(
    st.builds(Said, st.just("withdrawn"), number(0, 4), _PURPOSES),
    st.builds(Said, st.sampled_from(["requested", "objected", "requested"]), number(0, 4)),
)
_GIFTS: Final = st.builds(Said, st.just("given"), number(0, 4), _PURPOSES)
_SAID: Final = st.tuples(_STOPS, st.lists(_STOPS | _GIFTS, max_size=3))
"""What one person said: at least one thing that is acted on."""


def _events_of(draw: st.DrawFn, policy: Declared, rows: Rows) -> dict[int, list[Said]]:
    """What some people said, in any order of time."""
    where = policy["stores"][STORE]["tables"]["person"].get("where")
    # Who is asked for was found by his row; that one may have gone meanwhile.
    found = [row["id"] for row in rows["person"] if where is None or row["kind"] == "x"]
    everybody = [*found, NOBODY]
    some = everybody
    if choose(draw, (False, True)):
        some = shuffled(draw, everybody, draw(number(1, 4)))
    said: dict[int, list[Said]] = {}
    for person in some:
        first, others = draw(_SAID)
        said[person] = shuffled(draw, [first, *others])
    return said
