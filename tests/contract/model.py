"""What an erasure must do, in plain Python over plain rows: it shares no code with the engine.

It follows the words of the design: a group lives while any of its grounds lives; a row goes when
every group of it is dead, it may go, and nothing hangs below it; what is dead in a row that stays
is overwritten.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from typing import Any

from connectors.mapping import FieldGroup, GroundUse, StoreMapping, Table

Row = dict[str, Any]
Store = dict[str, list[Row]]


@dataclass(frozen=True)
class Answer:
    """What the engine must answer and leave behind."""

    rows: Store
    effects: dict[int, dict[str, tuple[int, int]]]
    remainders: dict[int, dict[str, tuple[int, frozenset[tuple[str, int, date | None, int]]]]]


class Model:
    """One store's rows and rules. Each table has ``id`` and, but for the root, ``parent_id``."""

    def __init__(
        self, mapping: StoreMapping, rows: Store, shape: tuple[str, ...], cutoffs: dict[str, date]
    ) -> None:
        self.mapping = mapping
        self.rows = {table: [dict(row) for row in found] for table, found in rows.items()}
        self.shape = shape
        self.cutoffs = cutoffs

    def erase(self, keys: set[int]) -> Answer:
        """Erase for some people and say what that did."""
        effects: defaultdict[int, dict[str, tuple[int, int]]] = defaultdict(dict)
        for table in reversed(self.mapping.tables):
            for row in list(self.rows[table.name]):
                person = self.person(table, row)
                if person not in keys:
                    continue
                if self.goes(table, row):
                    self.rows[table.name].remove(row)
                    touched, column = table.groups, 0
                else:
                    touched, column = self.overwrite(table, row), 1
                for group in touched:
                    counts = list(effects[person].get(group.name, (0, 0)))
                    counts[column] += 1
                    effects[person][group.name] = (counts[0], counts[1])
        return Answer(self.rows, dict(effects), self.remainders(keys))

    def overwrite(self, table: Table, row: Row) -> tuple[FieldGroup, ...]:
        """Overwrite the dead groups of a row; name those that held something else."""
        touched = tuple(
            group
            for group in table.groups
            if not self.alive(table, group, row)
            and any(row[f.column] != f.overwrite for f in group.fields)
        )
        for group in touched:
            row.update({f.column: f.overwrite for f in group.fields})
        return touched

    def remainders(
        self, keys: set[int]
    ) -> dict[int, dict[str, tuple[int, frozenset[tuple[str, int, date | None, int]]]]]:
        """What a re-read finds for some people."""
        found: defaultdict[int, dict[str, Any]] = defaultdict(dict)
        for table in self.mapping.tables:
            mine: defaultdict[int, list[Row]] = defaultdict(list)
            for row in self.rows[table.name]:
                person = self.person(table, row)
                if person in keys:
                    mine[person].append(row)
            for person, rows in mine.items():
                for group in table.groups:
                    left = sum(self.is_left(table, group, row) for row in rows)
                    found[person][group.name] = (left, self.kept(table, group, rows))
        return dict(found)

    def is_left(self, table: Table, group: FieldGroup, row: Row) -> bool:
        """Whether a group of a row should be gone and is not."""
        if self.alive(table, group, row):
            return False
        return self.goes(table, row) or any(row[f.column] != f.overwrite for f in group.fields)

    def kept(
        self, table: Table, group: FieldGroup, rows: list[Row]
    ) -> frozenset[tuple[str, int, date | None, int]]:
        """Which grounds keep how many rows, until which anchor, and how many without one."""
        reasons = []
        for use in group.grounds:
            living = [row for row in rows if self.lives(table, use, row)]
            if living:
                anchors = [self.anchor(table, use, row) for row in living]
                dated = [anchor for anchor in anchors if anchor is not None]
                nulls = len(anchors) - len(dated) if use.anchor else 0
                reasons.append((use.ground, len(living), max(dated, default=None), nulls))
        return frozenset(reasons)

    def goes(self, table: Table, row: Row) -> bool:
        """Whether the whole row must go."""
        below = any(
            other["parent_id"] == row["id"]
            for child in self.mapping.children(table)
            for other in self.rows[child.name]
        )
        alive = any(self.alive(table, group, row) for group in table.groups)
        return bool(table.groups) and not (alive or below or table.row_stays)

    def alive(self, table: Table, group: FieldGroup, row: Row) -> bool:
        """Whether any ground of a group lives for a row."""
        return any(self.lives(table, use, row) for use in group.grounds)

    def lives(self, table: Table, use: GroundUse, row: Row) -> bool:
        """Whether a ground lives for a row."""
        if use.revocable and use.ground not in self.shape:
            return False
        anchor = self.anchor(table, use, row)
        return anchor is None or anchor > self.cutoffs[use.ground]

    def anchor(self, table: Table, use: GroundUse, row: Row) -> date | None:
        """The date from which a ground's period runs, if there is one."""
        if use.anchor is None:
            return None
        holder = self.parent(table, row) if use.anchor.of_parent else row
        value: date | None = holder[use.anchor.column] if holder else None
        return value

    def parent(self, table: Table, row: Row) -> Row | None:
        """The row above a row."""
        if table.parent is None:
            return None
        above = self.rows[table.parent.table]
        return next((other for other in above if other["id"] == row["parent_id"]), None)

    def person(self, table: Table, row: Row) -> int | None:
        """Whose row it is, if anybody's."""
        current: Row | None = row
        while table.parent is not None and current is not None:
            if table.parent.table == self.mapping.root.name:
                owner: int | None = current["parent_id"]
                return owner
            current = self.parent(table, current)
            table = next(t for t in self.mapping.tables if t.name == table.parent.table)
        return current["id"] if current else None
