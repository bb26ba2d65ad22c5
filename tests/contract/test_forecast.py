"""A forecast is what plain Python counts, and what the engine then erases on that day."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.base import Work
from connectors.falling_due import FallingDue, Undue
from connectors.mapping import (
    Anchor,
    Evidence,
    Field,
    FieldGroup,
    Filter,
    GroundUse,
    NullAnchor,
    ParentLink,
    StoreMapping,
    Table,
)
from connectors.sql import SqlConnector
from tests.contract.forecasting import PERIODS, TABLE, Rows, Town
from tests.contract.kept import Kept, kept
from tests.support.databases import Database
from worker.core.periods import cutoff

DAYS = [date(2026, 11, 25), date(2026, 11, 30), date(2026, 12, 31), date(2027, 1, 31)]
DAYS += [date(2028, 2, 29), date(2032, 1, 1)]
CUTOFFS = [
    {name: cutoff(day, period, rounding) for name, (period, rounding) in PERIODS.items()}
    for day in DAYS
]
RUNNING, UNKNOWN = NullAnchor.RUNNING, NullAnchor.UNKNOWN
PERSON = (("person", "id"),)
BELOW = ParentLink("people", PERSON)


def group(name: str, column: str, *uses: GroundUse, overwrite: str | None = None) -> FieldGroup:
    """A group of one field."""
    return FieldGroup(name, (Field(column, "voluntary", overwrite),), uses)


def dated(ground: str, column: str, null: NullAnchor = UNKNOWN, **more: Any) -> GroundUse:
    """A ground that runs from a column."""
    return GroundUse(ground, more.pop("revocable", False), Anchor(column, False, null), **more)


ENDED = Anchor("ended", False, RUNNING)
BILLED = Anchor("issued", False, UNKNOWN, ParentLink("bills", (("id", "person"),)))
MAPPING = StoreMapping(
    "town",
    "Europe/Oslo",
    (
        Table(
            "people", "people", None, ("id",), None,
            (
                group("names", "name", GroundUse("claims", False, ENDED, (BILLED,))),
                group(
                    "mails", "mail",
                    GroundUse("news", True, None, evidence=Evidence(Filter("agreed", (1,)))),
                    GroundUse("contract", False, ENDED),
                ),
            ),
        ),
        Table(
            "bills", "bills", None, ("id",), BELOW,
            (
                group("buyers", "buyer", dated("books", "issued")),
                group(
                    "remarks", "remark",
                    GroundUse("contract", False, Anchor("ended", True, RUNNING)),
                    dated(
                        "visit", "issued", revocable=True, earliest=True,
                        others=(Anchor("paid", False, UNKNOWN),),
                    ),
                ),
            ),
            where=(Filter("kind", ("bill",)),),
        ),
        Table(
            "lines", "lines", None, ("id",), ParentLink("bills", (("bill", "id"),)),
            (group("lines", "text", GroundUse("books", False, Anchor("issued", True, UNKNOWN))),),
        ),
        Table(
            "seats", "seats", None, ("id",), BELOW,
            (group("seats", "text", dated("visit", "joined")),),
        ),
        Table(
            "meetings", "meetings", None, ("id",), None,
            (
                group("topics", "text", dated("books", "held")),
                group("places", "place", dated("visit", "moved")),
            ),
            shared_by=ParentLink("seats", (("id", "meeting"),)),
        ),
        Table(
            "traces", "traces", None, ("id",), BELOW,
            (group("traces", "text", dated("visit", "at")),), after=True,
        ),
        Table(
            "letters", "letters", None, ("id",), BELOW,
            (
                group("letters", "text", dated("claims", "sent"), GroundUse("post", True, None)),
                group("copies", "copy", dated("claims", "sent"), overwrite="x"),
            ),
            row_stays=True,
        ),
    ),
)  # fmt: skip
GROUNDS = tuple(sorted({use.ground for one in MAPPING.groups() for use in one.grounds}))

METADATA = sa.MetaData()
COLUMNS: dict[str, dict[str, type[sa.types.TypeEngine[Any]]]] = {
    "people": {"name": sa.String, "mail": sa.String, "agreed": sa.Integer, "ended": sa.Date},
    "bills": {
        "person": sa.Integer, "kind": sa.String, "issued": sa.Date, "paid": sa.Date,
        "buyer": sa.String, "remark": sa.String,
    },
    "lines": {"bill": sa.Integer, "text": sa.String},
    "seats": {"person": sa.Integer, "meeting": sa.Integer, "joined": sa.Date, "text": sa.String},
    "meetings": {"held": sa.Date, "moved": sa.Date, "text": sa.String, "place": sa.String},
    "traces": {"person": sa.Integer, "at": sa.Date, "text": sa.String},
    "letters": {"person": sa.Integer, "sent": sa.Date, "text": sa.String, "copy": sa.String},
}  # fmt: skip
for name, columns in COLUMNS.items():
    sa.Table(
        name,
        METADATA,
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        *(sa.Column(c, sa.String(9) if t is sa.String else t) for c, t in columns.items()),
    )

# Around the cut-offs of every day, where being one off would show, and where none is.
dates = st.none() | st.builds(
    lambda cutoffs, ground, shift: cutoffs[ground] + timedelta(days=shift),
    st.sampled_from(CUTOFFS),
    st.sampled_from(sorted(PERIODS)),
    st.integers(-1, 1),
)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "agreed": st.sampled_from([0, 1, None]),
    "kind": st.sampled_from(["bill", "bill", "draft", None]),
    "copy": st.sampled_from(["x", "y", None]),
    "person": st.sampled_from([1, 2, 3, None]),
    "bill": st.sampled_from([1, 2, 3, 4]),
    "meeting": st.sampled_from([1, 2, 3]),
}


def value(column: str, kind: type[sa.types.TypeEngine[Any]]) -> st.SearchStrategy[Any]:
    """What may stand in a column."""
    if column in VALUES:
        return VALUES[column]
    return dates if kind is sa.Date else st.sampled_from(["a", "b", None])


@st.composite
def towns(draw: st.DrawFn) -> Rows:
    """A few rows in each table; some belong to nobody."""
    rows: Rows = {}
    for name, columns in COLUMNS.items():
        count = draw(st.integers(0, 4))
        rows[name] = [
            {"id": number + 1} | {c: draw(value(c, kind)) for c, kind in columns.items()}
            for number in range(count)
        ]
    return rows


async def forecast(connector: SqlConnector) -> list[FallingDue]:
    """The forecast of the whole store."""
    return [
        one for table in MAPPING.tables for one in await connector.forecast(table.name, CUTOFFS)
    ]


async def answers(town: Kept, rows: Rows, day: int) -> tuple[list[FallingDue], Rows]:
    """Ask for the forecast, then erase everything that is due on one of its days."""
    await town.fill(rows)
    told = await forecast(town.connector)
    everybody = [(person,) for person in (1, 2, 3, 4)]
    await town.connector.erase(Work(GROUNDS, CUTOFFS[day], everybody))
    return told, await town.read()


def agree(store: Kept, rows: Rows, day: int) -> None:
    """Fail where forecast, model and engine differ."""
    told, left = store.run(answers(store, rows, day))
    town, after = Town(rows), Town(left)
    for name in TABLE:
        counted = {one.when: one.rows for one in told if one.group == name}
        assert counted == dict(town.counts(name, DAYS)), name
        if TABLE[name] != "meetings":
            people = {one.when: one.people for one in told if one.group == name}
            assert people == {w: len(p) for w, p in town.people(name, DAYS).items()}, name
        still = sum(n for when, n in counted.items() if isinstance(when, Undue) or when > day)
        left_over = after.counted(name) if TABLE[name] != "meetings" else after.rows["meetings"]
        before = [row["id"] for row in town.counted(name)]
        assert sum(row["id"] in before for row in left_over) == still, (name, "after the day")


@pytest.fixture(scope="module")
def town(any_database: Database) -> Iterator[Kept]:
    """The store, for all examples."""
    with kept(any_database, METADATA, MAPPING) as store:
        yield store


shared = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=60)


@shared
@given(rows=towns(), day=st.integers(0, len(DAYS) - 1))
def test_the_model_agrees(town: Kept, rows: Rows, day: int) -> None:
    """The forecast is the model's, in rows and people, and the engine then erases just that."""
    agree(town, rows, day)
