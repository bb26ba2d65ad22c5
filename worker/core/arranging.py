"""From the tables of a store to a person: which is the root, what hangs below, what leads nowhere.

Only foreign keys are followed. Where a table has several, the first that leads to a table declared
before is its parent, and the others are references: a row that is pointed at then stays as long as
the one that points at it. Where tables point at each other in a circle, the pointer is emptied.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from connectors.seen import SeenLink, SeenTable
from worker.core.guessing import identifier, people, points_at


@dataclass(slots=True)
class Placed:
    """One table of the draft: its links to tables before it, and the pointers to be emptied."""

    table: SeenTable
    parent: SeenLink | None = None
    references: list[SeenLink] = field(default_factory=list)
    detach: list[tuple[str, SeenLink]] = field(default_factory=list)
    """Tables that point at this one, and by which key."""
    chosen: bool = False
    """Several foreign keys could have been the parent."""


@dataclass(frozen=True, slots=True)
class Arranged:
    """The tables of a draft, parents first, and those left out with the reason."""

    placed: tuple[Placed, ...]
    left_out: tuple[tuple[SeenTable, str], ...]


def arrange(tables: Sequence[SeenTable]) -> Arranged:
    """Arrange the tables of one store around the one whose rows are people."""
    keyed = {table.name: table for table in tables if table.key}
    root = _root(keyed)
    if root is None:
        why = "no table looks like one whose rows are people"
        return Arranged((), tuple((table, why) for table in tables))
    below = _below(keyed, root)
    placed: dict[str, Placed] = {}
    while len(placed) < len(below):
        name = _next(keyed, below, placed, root)
        placed[name] = _place(keyed[name], placed)
    out = [(table, _why(table, root, keyed)) for table in tables if table.name not in placed]
    return Arranged(tuple(placed.values()), tuple(out))


def _links(table: SeenTable, keyed: Mapping[str, SeenTable]) -> list[SeenLink]:
    """The foreign keys to other tables of the same schema; a circle of one is looked at apart."""
    return [
        link
        for link in table.links
        if link.table in keyed and link.schema == table.schema and link.table != table.name
    ]


def _root(keyed: Mapping[str, SeenTable]) -> str | None:
    """The table that looks most like people: by its name, its columns, and what hangs on it."""

    def weight(name: str) -> tuple[bool, int, bool, int]:
        table = keyed[name]
        found = {identifier(column) for column in table.columns} - {None}
        hanging = len(_below(keyed, name))
        return bool(found) and people(name), hanging, bool(found), len(found)

    likely = [
        name
        for name, table in keyed.items()
        if people(name) or any(identifier(column) for column in table.columns)
    ]
    return max(likely, key=weight, default=None)


def _below(keyed: Mapping[str, SeenTable], root: str) -> set[str]:
    """The tables from which foreign keys lead to the root, and the root."""
    found = {root}
    while more := {
        name
        for name, table in keyed.items()
        if name not in found and any(link.table in found for link in _links(table, keyed))
    }:
        found |= more
    return found


def _next(
    keyed: Mapping[str, SeenTable], below: set[str], placed: Mapping[str, Placed], root: str
) -> str:
    """The next table all of whose links lead to tables before it; in a circle, one of whose do."""
    if not placed:
        return root
    free = [name for name in keyed if name in below and name not in placed]
    for name in free:
        if all(link.table in placed for link in _links(keyed[name], keyed) if link.table in below):
            return name
    return next(
        name for name in free if any(link.table in placed for link in _links(keyed[name], keyed))
    )


def _place(table: SeenTable, placed: Mapping[str, Placed]) -> Placed:
    made = Placed(table)
    up = [link for link in table.links if link.table in placed and link.schema == table.schema]
    # A link that every row has comes before one that a row may do without, and the shorter way
    # to the person before the longer one.
    before = list(placed)
    up.sort(
        key=lambda link: (
            any(table.column(own).nullable for own, _ in link.columns),
            before.index(link.table),
        )
    )
    if placed and up:
        made.parent, *made.references = up
        made.chosen = len(up) > 1
    made.detach += [(table.name, link) for link in table.links if link.table == table.name]
    for name, other in placed.items():
        # It was declared before, and points at what comes after: a circle.
        made.detach += [(name, link) for link in other.table.links if link.table == table.name]
    return made


def _why(table: SeenTable, root: str, keyed: Mapping[str, SeenTable]) -> str:
    """Say why a table was left out, and what to write if its rows are somebody's all the same."""
    if not table.key:
        return "it has no primary key, by which its rows could be told apart"
    for name, other in keyed.items():
        for link in other.links:
            if link.table == table.name and name != table.name:
                pairs = ", ".join(f"{theirs}: {own}" for own, theirs in link.columns)
                return (
                    f"{name} points at it, and nothing leads from it to {root}; if its rows are "
                    f"people's, declare it after {name} with shared_by: {{table: {name}, "
                    f"columns: {{{pairs}}}}}"
                )
    why = f"no foreign key leads from it to {root}"
    pointer = next((c.name for c in table.columns if points_at(c, root)), None)
    if pointer is not None and len(keyed[root].key) == 1:
        way = f"{{table: {root}, columns: {{{pointer}: {keyed[root].key[0]}}}}}"
        return f"{why}; if {pointer} does, write parent: {way}"
    mail, there = _mail(table), _mail(keyed[root])
    if mail is not None and there is not None:
        way = f"{{table: {root}, columns: {{{mail}: {there}}}, ignore_case: true}}"
        return f"{why}; if the address does, write parent: {way}"
    return why


def _mail(table: SeenTable) -> str | None:
    return next((c.name for c in table.columns if identifier(c) == "email"), None)
