"""What a change of a store means: its tables, which of their rows are meant, what holds them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from worker.core.comparing_fields import Side, field_changes
from worker.core.directions import Direction, more_keeps_longer, together
from worker.core.linking import dates_of
from worker.core.policy import Policy
from worker.core.tables import FilterRule, LinkRule, Store, TableRule

Told = tuple[str, Direction, bool]
"""In words, which way it goes, and whether the rows themselves can tell how many it concerns."""
Placed = Iterator[tuple[str | None, Sequence[str], Told]]
"""The table, None for the store itself, and the fields, none for the table as a whole."""

_UNCLEAR: Final = (Direction.UNCLEAR, False)


def store_changes(old: Policy, new: Policy, was: Store, now: Store) -> Placed:
    """Tell what changes in a store of both policies."""
    if was.connector != now.connector:
        yield None, (), (f"connector {was.connector} → {now.connector}", Direction.NEITHER, False)
    for name in dict.fromkeys((*was.tables, *now.tables)):
        before, after = was.tables.get(name), now.tables.get(name)
        if before is None and after is not None:
            said = f"is new: {', '.join(after.fields)} are erased from now on"
            yield name, (), (said, Direction.SOONER, True)
            yield from _holding(name, after, was, "now wait", Direction.LONGER)
        elif after is None and before is not None:
            said = f"is no longer declared: {', '.join(before.fields)} are no longer erased"
            yield name, (), (said, Direction.LONGER, True)
            yield from _holding(name, before, now, "no longer wait", Direction.SOONER)
        elif before is not None and after is not None:
            leads = _leads(name, was) or _leads(name, now)
            yield from ((name, (), told) for told in _table(before, after, leads=leads))
            for fields, told in field_changes(Side(old, was, name), Side(new, now, name)):
                yield name, fields, told


def _holding(name: str, table: TableRule, other: Store, wait: str, direction: Direction) -> Placed:
    """A row that something hangs on stays until that is gone, also what is not declared of it."""
    if table.history:
        return
    for link in (table.parent, *table.references):
        if link is not None and link.table in other.tables:
            yield link.table, (), (f"rows {wait} until those of {name} are gone", direction, False)


def _leads(name: str, store: Store) -> bool:
    """Whether rows of other tables are held, dated or found by the rows of one."""
    table = store.tables.get(name)
    if table is None:
        return False
    if table.parent is not None or table.references or table.shared_by is not None:
        return True
    for other in store.tables.values():
        links = (other.parent, other.shared_by, *other.references)
        if any(link is not None and link.table == name for link in links):
            return True
        if any(date.in_ == name for rule in other.anchors.values() for date in dates_of(rule)):
            return True
    return False


def _table(old: TableRule, new: TableRule, *, leads: bool) -> Iterator[Told]:
    for what, was, now in (
        ("relation", old.relation, new.relation),
        ("schema", old.schema_, new.schema_),
        ("key", ", ".join(old.key), ", ".join(new.key)),
        ("parent", _link(old.parent), _link(new.parent)),
        ("shared by", _link(old.shared_by), _link(new.shared_by)),
    ):
        if was != now:
            yield f"{what} {was or 'none'} → {now or 'none'}: other rows may be meant", *_UNCLEAR
    yield from _where(old.where, new.where, leads=leads)
    yield from _identifiers(old, new)
    yield from _rows(old, new)
    yield from _pointers(old, new)
    if old.restrict != new.restrict:
        yield "how it says that processing is restricted has changed", Direction.NEITHER, False


def _rows(old: TableRule, new: TableRule) -> Iterator[Told]:
    if old.stays is not new.stays:
        said = "the row stays, its fields are emptied" if new.stays else "the row goes as a whole"
        yield said, Direction.LONGER if new.stays else Direction.SOONER, False
    if (old.anonymise is None) is not (new.anonymise is None):
        said = "what stays of a row no longer counts as anonymised"
        if new.anonymise is not None:
            said = f"what stays of a row counts as anonymised: {new.anonymise.irreversible}"
        yield said, Direction.NEITHER, False
    if old.drop_partition is not new.drop_partition:
        may = "may" if new.drop_partition else "may no longer"
        said = f"a partition of which every row is past its grounds {may} be dropped as one"
        yield said, Direction.NEITHER, False
    if old.rows_per_person != new.rows_per_person:
        many = new.rows_per_person == "many"
        said = "two rows are two people: the case waits for a decision"
        if many:
            said = "two rows may be one person's: both are erased where the case waited before"
        yield said, Direction.SOONER if many else Direction.LONGER, False
    if old.history is not new.history:
        said = "is a history: cleaned last, and no row waits for it"
        if old.history:
            said = "is no history any more: the rows that it hangs on wait for it"
        yield said, Direction.SOONER if new.history else Direction.LONGER, False


def _pointers(old: TableRule, new: TableRule) -> Iterator[Told]:
    was, now = set(map(_link, old.references)), set(map(_link, new.references))
    for link in sorted(now - was):
        yield f"points at {link}: the row that it points at waits", Direction.LONGER, False
    for link in sorted(was - now):
        said = f"no longer points at {link}: the row that it pointed at does not wait"
        yield said, Direction.SOONER, False
    was, now = set(map(_link, old.detach)), set(map(_link, new.detach))
    for link in sorted(now - was):
        said = f"what points at its rows from {link} is emptied first"
        yield said, Direction.SOONER, False
    for link in sorted(was - now):
        said = f"what points at its rows from {link} is no longer emptied first"
        yield said, Direction.LONGER, False


def _link(link: LinkRule | None) -> str:
    if link is None:
        return ""
    columns = ", ".join(f"{own} = {theirs}" for own, theirs in sorted(link.columns.items()))
    return f"{link.table} by {columns}{' in any case' if link.ignore_case else ''}"


def _where(
    old: Mapping[str, FilterRule], new: Mapping[str, FilterRule], *, leads: bool
) -> Iterator[Told]:
    """The more rows a table means, the more are erased; but its rows may hold or date others."""
    if old == new:
        return
    each = [_fewer(old.get(column), new.get(column)) for column in dict.fromkeys((*old, *new))]
    direction = together(each)
    if direction is Direction.NEITHER:
        return
    said = f"rows {_condition(old)} → {_condition(new)}"
    yield said, Direction.UNCLEAR if leads else direction, False


def _fewer(old: FilterRule | None, new: FilterRule | None) -> Direction:
    """Fewer rows are meant: what is no longer meant is no longer erased."""
    if old is None or new is None:
        same = old is new
        return Direction.NEITHER if same else Direction.LONGER if old is None else Direction.SOONER
    if bool(old.not_) is not bool(new.not_):
        return Direction.UNCLEAR
    was, now = (
        frozenset((type(value), value) for value in rule.in_ or rule.not_) for rule in (old, new)
    )
    return more_keeps_longer(was, now) if old.not_ else more_keeps_longer(now, was)


def _condition(where: Mapping[str, FilterRule]) -> str:
    parts = [
        f"{column}{' not' * bool(rule.not_)} in [{', '.join(map(_value, rule.in_ or rule.not_))}]"
        for column, rule in where.items()
    ]
    return f"with {' and '.join(parts)}" if parts else "of all kinds"


def _value(value: object) -> str:
    return "null" if value is None else str(value)


def _identifiers(old: TableRule, new: TableRule) -> Iterator[Told]:
    for kind in dict.fromkeys((*old.identifiers, *new.identifiers)):
        before, after = (
            "nothing" if rule is None else f"{rule.column}{' in any case' * rule.ignore_case}"
            for rule in (table.identifiers.get(kind) for table in (old, new))
        )
        if before == after:
            continue
        said = f"a person is looked up by {kind} in {before} → {after}: other rows may be found"
        yield said, *_UNCLEAR
