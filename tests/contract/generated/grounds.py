"""Which grounds live, by the words of the policy: over plain rows, in plain Python.

Shares no code with the worker. A date that is missing keeps; where no linked row exists there is
nothing to wait for; of several dates the declared one counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Any

from tests.contract.generated.cases import Case, Said
from tests.contract.generated.counting import first_free_day
from tests.contract.generated.layout import Row

Declared = Mapping[str, Any]
Linked = Callable[[str, str, Row], list[Row]]
"""The rows of another table that belong to a row: (table, other table, row)."""


def ended(case: Case, said: Iterable[Said]) -> frozenset[str]:
    """The grounds that a person has ended, whatever the order in which it was said."""
    events = list(said)
    purposes: Declared = case.policy["purposes"]
    over = set()
    for name, ground in case.policy["grounds"].items():
        purpose = ground.get("purpose")
        stops = [
            event.second
            for event in events
            if (event.kind == "withdrawn" and purpose in event.purposes)
            or (event.kind == "objected" and purposes.get(purpose, {}).get("direct_marketing"))
            or event.kind == "requested"
        ]
        gifts = [e.second for e in events if e.kind == "given" and purpose in e.purposes]
        asked = any(event.kind == "requested" for event in events)
        against = any(event.kind == "objected" for event in events)
        if ground["kind"] == "consent":
            if stops and max(stops) >= max(gifts, default=-1):
                over.add(name)
        elif ground["kind"] == "legitimate-interest":
            markets = purposes[purpose].get("direct_marketing", False)
            if (asked and not ground.get("overriding")) or (against and markets):
                over.add(name)
    return frozenset(over)


class Grounds:
    """The grounds of one case's tables on its day."""

    def __init__(self, case: Case, linked: Linked) -> None:
        self.case = case
        self.linked = linked
        self.grounds: Declared = case.policy["grounds"]
        self.tables = case.tables

    def groups(self, table: str) -> dict[str, dict[str, Any]]:
        """The fields of a table that share their set of grounds, by the name of the group."""
        sets: dict[frozenset[str], dict[str, Any]] = {}
        for name, field in self.tables[table]["fields"].items():
            sets.setdefault(frozenset(field["grounds"]), {})[name] = field
        return {f"{table}.{'+'.join(fields)}": fields for fields in sets.values()}

    def living(self, table: str, fields: Declared, row: Row, gone: Iterable[str]) -> list[str]:
        """The grounds of a group that keep a row, sorted."""
        used = next(iter(fields.values()))["grounds"]
        return sorted(g for g in used if g not in gone and self.lives(table, g, row))

    def lives(self, table: str, ground: str, row: Row) -> bool:
        """Whether a ground that nobody has ended lives for a row."""
        declared = self.grounds[ground]
        if declared.get("evidence") == "column" and not self._agreed(table, ground, row):
            return False
        if "anchor" not in declared:
            return True
        rule = self.tables[table]["anchors"][declared["anchor"]]
        return not self._over(table, rule, row, declared)

    def ends(self, table: str, ground: str, rows: list[Row]) -> date | None:
        """The first day on which a ground keeps none of some rows; ``date.max``: it has no end.

        A missing date that means "running" has none; None: the dates are unknown.
        """
        declared = self.grounds[ground]
        if "anchor" not in declared:
            return date.max
        rule = self.tables[table]["anchors"][declared["anchor"]]
        several = rule.get("later_of") or rule.get("earlier_of") or [rule]
        running = any(one["null"] == "running" for one in several)
        days: list[date] = []
        for row in rows:
            dates = [(one, self._dates(table, one, row)) for one in several]
            missing = any(_misses(one, found) for one, found in dates)
            if "earlier_of" in rule:
                # What is missing ends nothing: the newest of rows is not known while one lacks it.
                dates = [(one, found) for one, found in dates if not _misses(one, found)]
            known = [day for one, found in dates if (day := _picked(one, found)) is not None]
            if running and missing and not ("earlier_of" in rule and known):
                return date.max
            if known:
                days.append(min(known) if "earlier_of" in rule else max(known))
        return max((self._free(day, declared) for day in days), default=None)

    def waits(self, table: str, living: list[str], row: Row) -> bool:
        """Whether nothing but dates that are unknown keeps a row (an anchor of several aside)."""
        for ground in living:
            anchor = self.grounds[ground].get("anchor")
            rule = self.tables[table]["anchors"][anchor] if anchor else {}
            if rule.get("null") != "unknown" or set(self._dates(table, rule, row)) != {None}:
                return False
        return bool(living)

    def _agreed(self, table: str, ground: str, row: Row) -> bool:
        rule = self.tables[table]["evidence"][ground]
        if rule.get("of") != "parent":
            return fulfils(row[rule["column"]], rule["value"])
        above = self.linked(table, self.tables[table]["parent"]["table"], row)
        return any(fulfils(one[rule["column"]], rule["value"]) for one in above)

    def _over(self, table: str, rule: Declared, row: Row, ground: Declared) -> bool:
        """Whether the period is over for a row."""
        if "later_of" in rule:
            return all(self._says(table, one, row, ground) is not False for one in rule["later_of"])
        if "earlier_of" in rule:
            said = [self._says(table, one, row, ground) for one in rule["earlier_of"]]
            spoken = [one for one in said if one is not None]
            return any(spoken) if spoken else True
        return self._says(table, rule, row, ground) is not False

    def _says(self, table: str, rule: Declared, row: Row, ground: Declared) -> bool | None:
        """Whether one date is over; None where there is no row that could have one."""
        dates = self._dates(table, rule, row)
        if not dates:
            return None
        over = [day is not None and self._free(day, ground) <= self.case.day for day in dates]
        return any(over) if "oldest" in rule else all(over)

    def _free(self, day: date, ground: Declared) -> date:
        start = self.case.policy["fiscal_year_starts"]
        return first_free_day(day, ground["period"], ground["rounding"], start)

    def _dates(self, table: str, rule: Declared, row: Row) -> list[date | None]:
        """What stands in the columns that one anchor names."""
        if rule.get("of") == "parent":
            above = self.linked(table, self.tables[table]["parent"]["table"], row)
            return [one[rule["column"]] for one in above] or [None]
        if "column" in rule:
            return [row[rule["column"]]]
        column = rule.get("newest") or rule["oldest"]
        return [one[column] for one in self.linked(table, rule["in"], row)]


def _picked(rule: Declared, dates: list[date | None]) -> date | None:
    """The date that counts of those that are known."""
    known = [day for day in dates if day is not None]
    if not known:
        return None
    return min(known) if "oldest" in rule else max(known)


def _misses(rule: Declared, dates: list[date | None]) -> bool:
    """Whether a date is missing that would count."""
    return None in dates and ("oldest" not in rule or _picked(rule, dates) is None)


def fulfils(value: object, condition: object) -> bool:
    """Whether a column's value is one of those that a condition names."""
    if isinstance(condition, Mapping):
        if "not" in condition:
            return value not in condition["not"]
        return value in condition["in"]
    return value in (condition if isinstance(condition, list) else [condition])
