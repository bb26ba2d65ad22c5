"""What a change of one table's fields means: which are erased, and what each is held on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from worker.core.comparing_grounds import Found, Held, ground_changes, held, span
from worker.core.directions import Direction
from worker.core.policy import Policy
from worker.core.tables import FieldRule, Store, TableRule

Fields = tuple[str, ...]


class Side(NamedTuple):
    """One table as one policy declares it."""

    policy: Policy
    store: Store
    name: str

    @property
    def table(self) -> TableRule:
        """Its declaration."""
        return self.store.tables[self.name]

    def held(self, ground: str) -> Held:
        """One of its grounds."""
        return held(self.policy, self.store, self.name, ground)


def field_changes(old: Side, new: Side) -> Iterator[tuple[Fields, Found]]:
    """Tell what changes for the fields of a table of both policies, alike ones together."""
    was, now = old.table, new.table
    both = [name for name in was.fields if name in now.fields]
    for name in now.fields:
        if name not in was.fields:
            yield (name,), _added(name, was, now)
    for name in was.fields:
        if name not in now.fields:
            yield (name,), _dropped(name, was, now)
    for name in both:
        yield from (((name,), found) for found in _place(was.fields[name], now.fields[name], name))
    used = (g for table in (was, now) for field in table.fields.values() for g in field.grounds)
    for ground in dict.fromkeys(used):
        yield from _ground(old, new, both, ground)


def _added(name: str, was: TableRule, now: TableRule) -> Found:
    """What was not declared went with its row; now it has grounds of its own, and so has the row.

    In a row that stays it was never erased. Where another field keeps the row as long anyway,
    nothing is kept longer.
    """
    said = f"is erased from now on; held on {', '.join(now.fields[name].grounds)}"
    return said, Direction.SOONER if _alone(name, now, was) else Direction.UNCLEAR, True


def _dropped(name: str, was: TableRule, now: TableRule) -> Found:
    """What is no longer declared goes with its row, which no longer waits for its grounds."""
    if _alone(name, was, now):
        return "is no longer erased, but with its row", Direction.LONGER, True
    grounds = ", ".join(was.fields[name].grounds)
    said = f"goes with its row, which no longer waits for {grounds}"
    return said, Direction.UNCLEAR, False


def _alone(name: str, declares: TableRule, other: TableRule) -> bool:
    """Whether the row stays as long as before, whether or not it waits for this field."""
    if declares.stays and other.stays:
        return True
    own = set(declares.fields[name].grounds)
    both = [field for column, field in declares.fields.items() if column in other.fields]
    return any(own <= set(field.grounds) for field in both)


def _place(old: FieldRule, new: FieldRule, name: str) -> Iterator[Found]:
    was, now = (
        f"{field.column or name}{f', {field.path}' if field.path else ''}" for field in (old, new)
    )
    if was != now:
        yield f"is the column {was} → {now}", Direction.UNCLEAR, False
    if (old.action, old.overwrite) != (new.action, new.overwrite):
        yield f"leaves {_left(old)} → {_left(new)}", Direction.NEITHER, False


def _left(field: FieldRule) -> str:
    return "nothing" if field.overwrite is None else f"'{field.overwrite}'"


def _ground(old: Side, new: Side, both: list[str], ground: str) -> Iterator[tuple[Fields, Found]]:
    """Tell of one ground: which fields have it now, which no longer, and what of it changed."""
    before, after = (
        {name for name in both if ground in side.table.fields[name].grounds} for side in (old, new)
    )
    come, gone, same = (
        tuple(name for name in both if name in some)
        for some in (after - before, before - after, before & after)
    )
    if come:
        declared = new.policy.grounds[ground]
        said = f"also held on {ground} ({declared.reference}), {span(declared)}"
        yield come, (said, Direction.LONGER, True)
    if gone:
        declared = old.policy.grounds[ground]
        said = f"no longer held on {ground} ({declared.reference}), {span(declared)}"
        yield gone, (said, Direction.SOONER, True)
    if same:
        for what, direction, counted in ground_changes(old.held(ground), new.held(ground)):
            yield same, (f"{what} ({ground})", direction, counted)
