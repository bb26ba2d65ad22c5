"""What an erasure must leave behind and answer, in plain Python: it shares no code with the worker.

A field stays while a ground of it lives. A row goes when no ground of it lives, it may go, and no
row hangs on it; what is dead in a row that stays is overwritten. People with the same living
grounds are erased together, in the order of their first.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from tests.contract.generated.cases import Case
from tests.contract.generated.grounds import Grounds, ended, fulfils
from tests.contract.generated.layout import Row


@dataclass(frozen=True)
class Verdict:
    """What became of one group of one person."""

    result: str
    rows: int
    grounds: tuple[str, ...] = ()
    until: date | None = None
    """The first day without a ground; None where nobody knows it, or nothing is kept."""
    waits: bool = field(default=False, compare=False)
    """Whether a row is kept only because its date is unknown."""


class Model:
    """One case's rows, and what is done to them."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.tables = case.tables
        self.rows = deepcopy(case.rows)
        self.dated = self.rows
        self.grounds = Grounds(case, self.linked)
        self.counts: defaultdict[int, defaultdict[str, list[int]]]
        self.due: dict[int, dict[str, int]] = {}
        """Rows of each person and group that are due when the person's turn comes."""
        self._count_anew()

    def run(self) -> dict[int, dict[str, Verdict]]:
        """Erase for everybody, and say what became of each person's groups."""
        together: dict[frozenset[str], list[int]] = {}
        for person in sorted(self.case.events):
            over = ended(self.case, self.case.events[person])
            used = {
                g for t in self.tables.values() for f in t["fields"].values() for g in f["grounds"]
            }
            together.setdefault(over & used, []).append(person)
        verdicts: dict[int, dict[str, Verdict]] = {}
        for over, people in together.items():
            self.erase(people, over)
            verdicts |= {person: self.verdicts(person, over) for person in people}
        return verdicts

    def erase(self, people: Collection[int], over: frozenset[str]) -> None:
        """Erase for people who have ended the same grounds, last table first."""
        self._count_anew()
        self.dated = deepcopy(self.rows)
        self.due |= {person: self._due(person, over) for person in people}
        shared = self._shared_with(people)
        names = [n for n, t in self.tables.items() if "shared_by" not in t]
        for name in reversed(names):
            if not self.tables[name].get("history"):
                self._clean(name, people, over)
        for name, row, owners in shared:
            if self._dead(name, row, over) and not self._held(name, row):
                self._delete(name, row)
                for person in owners:
                    self._count(person, self.grounds.groups(name), 0)
        for name in names:
            if self.tables[name].get("history"):
                self._clean(name, people, over)
        self.dated = self.rows

    def verdicts(self, person: int, over: frozenset[str]) -> dict[str, Verdict]:
        """What became of each group of a person who has just been erased."""
        found: dict[str, Verdict] = {}
        for name, table in self.tables.items():
            mine = [] if "shared_by" in table else self._mine(name, [person])
            for group, fields in self.grounds.groups(name).items():
                deleted, overwritten = self.counts[person][group]
                keeping = self._keeping(name, fields, mine, over)
                fixed = any("overwrite" in field for field in fields.values())
                result = "erased" if deleted or overwritten else "absent"
                if keeping:
                    result = "retained"
                elif overwritten and fixed:
                    result = "anonymised"
                ends = [self.grounds.ends(name, ground, rows) for ground, rows in keeping.items()]
                until = max((end for end in ends if end), default=date.max)
                found[group] = Verdict(
                    result,
                    deleted + overwritten,
                    tuple(keeping),
                    None if until == date.max else until,
                    any(
                        self.grounds.waits(name, self.grounds.living(name, fields, row, over), row)
                        for row in mine
                    ),
                )
        return found

    def _keeping(
        self, name: str, fields: dict[str, Any], rows: list[Row], over: frozenset[str]
    ) -> dict[str, list[Row]]:
        """Each ground that keeps some of the rows, sorted, with those."""
        keeping: dict[str, list[Row]] = {}
        for row in rows:
            for ground in self.grounds.living(name, fields, row, over):
                keeping.setdefault(ground, []).append(row)
        return dict(sorted(keeping.items()))

    def linked(self, name: str, other: str, row: Row) -> list[Row]:
        """The rows of another table that belong to a row, whichever of the two points."""
        for link in self._links(name):
            if link["table"] == other:
                return self._tied(other, link["columns"], row)
        theirs = self.tables[other]
        back = [*self._links(other), *([theirs["shared_by"]] if "shared_by" in theirs else [])]
        for link in back:
            if link["table"] == name:
                turned = {their: own for own, their in link["columns"].items()}
                return self._tied(other, turned, row)
        raise AssertionError(f"{name} and {other} are not linked")

    def meant(self, name: str, rows: dict[str, list[Row]] | None = None) -> list[Row]:
        """The rows that a table of the policy means."""
        where = self.tables[name].get("where", {})
        found = (self.rows if rows is None else rows)[self.tables[name].get("relation", name)]
        return [row for row in found if all(fulfils(row[c], v) for c, v in where.items())]

    def _links(self, name: str) -> list[dict[str, Any]]:
        table = self.tables[name]
        return [*table.get("references", ()), *([table["parent"]] if "parent" in table else [])]

    def _tied(self, other: str, columns: dict[str, str], row: Row) -> list[Row]:
        return [
            one
            for one in self.meant(other, self.dated)
            if all(
                row[own] is not None and row[own] == one[their] for own, their in columns.items()
            )
        ]

    def _mine(self, name: str, people: Collection[int]) -> list[Row]:
        return [row for row in self.meant(name) if self.person(name, row) in people]

    def person(self, name: str, row: Row) -> int | None:
        """Whose row it is, up through its parents."""
        parent = self.tables[name].get("parent")
        if parent is None:
            return int(row["id"])
        if parent["table"] == "person":
            return row["parent_id"]
        above = self.linked(name, parent["table"], row)
        return self.person(parent["table"], above[0]) if above else None

    def _due(self, person: int, over: frozenset[str]) -> dict[str, int]:
        """Count the rows of each group that a look before the erasure finds due."""
        due: Counter[str] = Counter()
        for name in [n for n, table in self.tables.items() if "shared_by" not in table]:
            for row in self._mine(name, [person]):
                goes = self._dead(name, row, over) and not self._held(name, row)
                for group, fields in self.grounds.groups(name).items():
                    if not self.grounds.living(name, fields, row, over):
                        due[group] += goes or _filled(row, _blank(fields, row))
        return dict(+due)

    def _clean(self, name: str, people: Collection[int], over: frozenset[str]) -> None:
        """Delete and overwrite in one table."""
        for row in self._mine(name, people):
            person = self.person(name, row)
            groups = self.grounds.groups(name)
            if self._dead(name, row, over) and not self._held(name, row):
                self._delete(name, row)
                self._count(person, groups, 0)
                continue
            before = dict(row)
            for group, fields in groups.items():
                if self.grounds.living(name, fields, row, over):
                    continue
                blank = _blank(fields, row)
                if _filled(row, blank):
                    row.update(blank)
                    self._count(person, [group], 1)
            if row != before:
                self._tell(name, before)

    def _dead(self, name: str, row: Row, over: frozenset[str]) -> bool:
        """Whether no ground lives in a row that may go."""
        groups = self.grounds.groups(name).values()
        alive = any(self.grounds.living(name, fields, row, over) for fields in groups)
        return self.tables[name].get("row") != "stays" and not alive

    def _held(self, name: str, row: Row) -> bool:
        """Whether a row of anybody's hangs below a row, points at it or links it to a person."""
        shared = self.tables[name].get("shared_by")
        if shared and any(one["ref_id"] == row["id"] for one in self.meant(shared["table"])):
            return True
        return any(
            one[own] == row[their]
            for other, table in self.tables.items()
            if not table.get("history")
            for link in self._links(other)
            if link["table"] == name
            for one in self.meant(other)
            for own, their in link["columns"].items()
        )

    def _shared_with(self, people: Collection[int]) -> list[tuple[str, Row, set[int]]]:
        """The shared rows to which links of some people lead, with those people."""
        found = []
        for name, table in self.tables.items():
            if "shared_by" in table:
                links = self._mine(table["shared_by"]["table"], people)
                for row in self.meant(name):
                    mine = [one["parent_id"] for one in links if one["ref_id"] == row["id"]]
                    if mine:
                        found.append((name, row, set(mine)))
        return found

    def _delete(self, name: str, row: Row) -> None:
        for link in self.tables[name].get("detach", ()):
            for one in self.rows[self.tables[link["table"]].get("relation", link["table"])]:
                if one["ptr"] == row["id"]:
                    one["ptr"] = None
        rows = self.rows[self.tables[name].get("relation", name)]
        rows[:] = [one for one in rows if one is not row]
        self._tell(name, row)

    def _tell(self, name: str, old: Row) -> None:
        """Do what the triggers of ``person`` do."""
        if name == "person":
            copied = {name: old[name] for name in ("day_0", "agreed", "f0")}
            self.rows["history"].append({"parent_id": old["id"], **copied})

    def _count_anew(self) -> None:
        self.counts = defaultdict(lambda: defaultdict(lambda: [0, 0]))

    def _count(self, person: int | None, groups: Collection[str], which: int) -> None:
        assert person is not None
        for group in groups:
            self.counts[person][group][which] += 1


def _blank(fields: dict[str, Any], row: Row) -> dict[str, str | None]:
    """What stands in a group's columns when nothing keeps it."""
    written = {
        field.get("column", called): field.get("overwrite") for called, field in fields.items()
    }
    return {
        column: None if value is None else value.replace("{key}", str(row.get("id")))
        for column, value in written.items()
    }


def _filled(row: Row, blank: dict[str, str | None]) -> bool:
    return any(row[column] != value for column, value in blank.items())
