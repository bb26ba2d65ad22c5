"""Names that a policy uses but never declares: found in the raw file, so that all show at once.

Runs beside the models' own validation and tolerates any input; what has the wrong type is theirs
to report.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from worker.core.wording import near

Place = tuple[str | int, ...]
"""The way from the file's top to a declaration: keys and list positions."""


@dataclass(frozen=True, slots=True)
class Flaw:
    """One thing wrong with a policy: where, and what with a suggestion."""

    place: Place
    what: str


def unknown_names(raw: object) -> list[Flaw]:
    """Return every use of a purpose, ground, identifier, anchor, table or store not declared."""
    top = _mapping(raw)
    purposes = _mapping(top.get("purposes"))
    grounds = _mapping(top.get("grounds"))
    identifiers = _mapping(top.get("identifiers"))
    flaws: list[Flaw] = []
    for name, ground in grounds.items():
        purpose = _mapping(ground).get("purpose")
        flaws += _missing(("grounds", name, "purpose"), "purpose", purpose, purposes)
    anchors = {
        anchor for g in grounds.values() if isinstance(anchor := _mapping(g).get("anchor"), str)
    }
    for name, schedule in _mapping(_mapping(top.get("retention")).get("schedules")).items():
        swept = _mapping(schedule).get("stores")
        for at, store in enumerate(swept if isinstance(swept, (list, tuple)) else ()):
            listed = ("retention", "schedules", name, "stores", at)
            flaws += _missing(listed, "store", store, _mapping(top.get("stores")))
    for place, table, tables in _tables(top):
        for kind in _mapping(table.get("identifiers")):
            flaws += _missing((*place, "identifiers", kind), "identifier", kind, identifiers)
        for anchor in _mapping(table.get("anchors")):
            flaws += _missing((*place, "anchors", anchor), "anchor of a ground", anchor, anchors)
        above = _mapping(table.get("parent")).get("table")
        flaws += _missing((*place, "parent", "table"), "table of this store", above, tables)
        for column, field in _mapping(table.get("fields")).items():
            used = _mapping(field).get("grounds")
            for at, ground in enumerate(used if isinstance(used, (list, tuple)) else ()):
                where = (*place, "fields", column, "grounds", at)
                flaws += _missing(where, "ground", ground, grounds)
    return flaws


def _tables(top: Mapping[str, object]) -> Iterator[tuple[Place, Mapping[str, object], list[str]]]:
    for store, declared in _mapping(top.get("stores")).items():
        tables = _mapping(_mapping(declared).get("tables"))
        for name, table in tables.items():
            yield ("stores", store, "tables", name), _mapping(table), list(tables)


def _missing(place: Place, what: str, name: object, known: Iterable[str]) -> list[Flaw]:
    if not isinstance(name, str) or name in (names := set(known)):
        return []
    return [Flaw(place, f"no {what} is called '{name}'{near(name, names)}")]


def _mapping(value: object) -> Mapping[str, object]:
    """Return a mapping with text keys, empty when the value is something else."""
    if not isinstance(value, Mapping):
        return {}
    return {key: inner for key, inner in value.items() if isinstance(key, str)}
