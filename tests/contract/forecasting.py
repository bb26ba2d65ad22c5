"""When rows fall due, in plain Python: it shares no code with the engine, only what it means.

A row is asked about one day after the other, as a person would: does anything keep this today?
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from worker.core.periods import Period, Rounding, until

Row = dict[str, Any]
Rows = dict[str, list[Row]]
PERIODS = {
    "books": (Period.parse("5y"), Rounding.END_OF_YEAR),
    "claims": (Period.parse("3y"), Rounding.NONE),
    "contract": (Period.parse("0d"), Rounding.NONE),
    "visit": (Period.parse("42m"), Rounding.END_OF_MONTH),
}
RUNNING, UNKNOWN, OPEN = "running", "unknown", "open"
"""What keeps a row without a date: a missing one (which may mean two things), or nothing else."""


@dataclass(frozen=True)
class Ground:
    """What one ground says of a row: a date, a reason without one, or that it does not live."""

    name: str
    says: date | str | None

    def lives(self, day: date) -> bool:
        """Whether it keeps the row on a day."""
        if not isinstance(self.says, date):
            return self.says is not None
        return until(self.says, *PERIODS[self.name]) > day


def later(*dates: date | str | None) -> date | str | None:
    """The later of several, of which a missing one counts as later than any."""
    missing = [one for one in dates if isinstance(one, str)]
    if missing:
        return RUNNING if RUNNING in missing else UNKNOWN
    return max((one for one in dates if isinstance(one, date)), default=None)


def earlier(*dates: date | str | None) -> date | str | None:
    """The earlier of several, of which a missing one says nothing while another is there."""
    known = [one for one in dates if isinstance(one, date)]
    return min(known) if known else later(*dates)


class Town:
    """The rows of the store of :mod:`tests.contract.test_forecast`, and what keeps them."""

    def __init__(self, rows: Rows) -> None:
        self.rows = rows

    def keeping(self, group: str, row: Row) -> list[Ground]:
        """The grounds of one field group of one row."""
        rules: dict[str, Callable[[Row], list[Ground]]] = {
            "names": lambda r: [Ground("claims", later(r["ended"] or RUNNING, *self.issued(r)))],
            "mails": lambda r: [
                Ground("news", OPEN if r["agreed"] == 1 else None),
                Ground("contract", r["ended"] or RUNNING),
            ],
            "buyers": lambda r: [Ground("books", r["issued"] or UNKNOWN)],
            "remarks": lambda r: [
                Ground("contract", self.ended(r)),
                Ground("visit", earlier(r["issued"] or UNKNOWN, r["paid"] or UNKNOWN)),
            ],
            "lines": lambda r: [Ground("books", self.bill(r)["issued"] or UNKNOWN)],
            "seats": lambda r: [Ground("visit", r["joined"] or UNKNOWN)],
            "topics": lambda r: [Ground("books", r["held"] or UNKNOWN)],
            "places": lambda r: [Ground("visit", r["moved"] or UNKNOWN)],
            "traces": lambda r: [Ground("visit", r["at"] or UNKNOWN)],
            "letters": lambda r: [Ground("claims", r["sent"] or UNKNOWN), Ground("post", OPEN)],
            "copies": lambda r: [Ground("claims", r["sent"] or UNKNOWN)],
        }
        return rules[group](row)

    def counts(self, group: str, days: Sequence[date]) -> Counter[int | str]:
        """How many rows fall due when."""
        return Counter(self.when(group, row, days) for row in self.counted(group))

    def people(self, group: str, days: Sequence[date]) -> dict[int | str, set[Any]]:
        """Whose rows fall due when."""
        found: dict[int | str, set[Any]] = {}
        for row in self.counted(group):
            found.setdefault(self.when(group, row, days), set()).add(self.person(group, row))
        return found

    def when(self, group: str, row: Row, days: Sequence[date]) -> int | str:
        """The first day on which nothing keeps a row, or why there is none."""
        if TABLE[group] == "meetings":
            grounds = [*self.keeping("topics", row), *self.keeping("places", row)]
            grounds += [one for seat in self.seats(row) for one in self.keeping("seats", seat)]
        else:
            grounds = self.keeping(group, row)
        for number, day in enumerate(days):
            if not any(ground.lives(day) for ground in grounds):
                return number
        without = [ground.says for ground in grounds if isinstance(ground.says, str)]
        if RUNNING in without:
            return "no-end-yet"
        if OPEN in without:
            return "until-revoked"
        return "unknown-anchor" if without else "later"

    def counted(self, group: str) -> Iterable[Row]:
        """The rows that are somebody's and hold something of a group."""
        for row in self.rows[TABLE[group]]:
            if TABLE[group] == "meetings":
                mine = bool(self.seats(row))
            else:
                mine = self.person(group, row) is not None
            column = HELD.get(group)
            if mine and (column is None or row[column] != ("x" if group == "copies" else None)):
                yield row

    def person(self, group: str, row: Row) -> Any:
        """Whose row it is; a line is its bill's."""
        if TABLE[group] == "people":
            return row["id"]
        if TABLE[group] == "lines":
            bill = self.bill(row)
            return bill["person"] if bill.get("kind") == "bill" else None
        if TABLE[group] == "bills" and row["kind"] != "bill":
            return None
        return row["person"]

    def issued(self, person: Row) -> list[date | str | None]:
        """The dates of a person's bills."""
        mine = (b for b in self.rows["bills"] if b["person"] == person["id"])
        return [bill["issued"] or UNKNOWN for bill in mine if bill["kind"] == "bill"]

    def ended(self, bill: Row) -> date | str:
        """When the contract of a bill's person ended; a bill of nobody has none that did."""
        mine = (p["ended"] for p in self.rows["people"] if p["id"] == bill["person"])
        return next(mine, None) or RUNNING

    def bill(self, line: Row) -> Row:
        """The bill of a line."""
        return next((b for b in self.rows["bills"] if b["id"] == line["bill"]), {})

    def seats(self, meeting: Row) -> list[Row]:
        """Who takes part in a meeting."""
        seats = self.rows["seats"]
        return [s for s in seats if s["meeting"] == meeting["id"] and s["person"] is not None]


TABLE = {
    "names": "people", "mails": "people", "buyers": "bills", "remarks": "bills", "lines": "lines",
    "seats": "seats", "topics": "meetings", "places": "meetings", "traces": "traces",
    "letters": "letters", "copies": "letters",
}  # fmt: skip
"""Where each field group stands."""
HELD = {
    "names": "name", "mails": "mail", "buyers": "buyer", "remarks": "remark",
    "letters": "text", "copies": "copy",
}  # fmt: skip
"""The column of a group that may be empty already while its row stays."""
