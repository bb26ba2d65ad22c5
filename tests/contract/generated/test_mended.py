"""Whole sweeps that were once wrong, found by drawing them."""

from __future__ import annotations

from datetime import date

from tests.contract.generated.agreeing import agree_whole
from tests.contract.generated.cases import Case, Said
from tests.contract.generated.layout import DAYS, FIELDS, Row, Rows
from tests.contract.generated.running import Engine
from tests.contract.generated.whole import Whole
from tests.support.databases import SQLITE

INTEREST = {"kind": "legitimate-interest", "reference": "some law", "purpose": "service"}


def rows(**filled: list[Row]) -> Rows:
    """Rows by relation; what is not given is null."""
    links = ("parent_id", "ref_id", "ptr", "agreed", "kind")
    empty = dict.fromkeys((*links, *DAYS, *FIELDS))
    names = ("person", "a", "b", "c", "meeting", "history")
    return {name: [{**empty, **row} for row in filled.get(name, ())] for name in names}


def whole(day: date, grounds: dict, tables: dict, there: Rows, said: dict) -> Whole:
    """One sweep of a day, of everybody at once, in which nobody dies."""
    policy = {
        "version": "generated",
        "company": "Example AS",
        "country": "NO",
        "time_zone": "Europe/Oslo",
        "identifiers": {"customer_id": {"form": "text", "strong": True}},
        "purposes": {"news": {"direct_marketing": True}, "service": {}, "survey": {}},
        "fiscal_year_starts": 1,
        "grounds": grounds,
        "stores": {"crm": {"connector": "sql", "tables": tables}},
    }
    return Whole(Case(policy, there, said, day), frozenset(), frozenset(), 1_000, 0.0, ())


class TestMended:
    """On SQLite."""

    dialect = SQLITE

    def test_a_copy_of_a_row_that_time_has_ended(self, engine: Engine) -> None:
        """It goes too where its person had ended all it rests on: afterwards nobody knows whose."""
        of_person = {"category": "voluntary", "grounds": ["aged"], "action": "erase"}
        of_copy = {"category": "voluntary", "grounds": ["standing"], "action": "erase"}
        tables = {
            "person": {
                "key": ["id"],
                "identifiers": {"customer_id": "id"},
                "anchors": {"end": {"column": "day_1", "null": "unknown"}},
                "fields": {"f0": of_person},
            },
            "history": {
                "key": ["id"],
                "parent": {"table": "person", "columns": {"parent_id": "id"}},
                "history": True,
                "fields": {"f0": of_copy},
            },
        }
        aged = {
            **INTEREST,
            "kind": "legal-obligation",
            "anchor": "end",
            "period": "6m",
            "rounding": "none",
        }
        person: Row = {"id": 1, "day_1": date(2020, 1, 1), "f0": "kari"}
        agree_whole(
            engine,
            whole(
                date(2024, 2, 29),
                {"aged": aged, "standing": INTEREST},
                tables,
                rows(person=[person, {**person, "id": 2}]),
                {1: [Said("requested", 0)]},
            ),
        )
