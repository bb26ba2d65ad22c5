"""Two versions of a store in one mapping, so that its rows can be asked about both at once.

Each table that means the same rows in both policies gets its field groups twice: the old ones and
the new ones, with grounds of their own. A field that only one of them declares stands beside a
group that is never due. Where the rows are not the same nothing is compared, and neither are rows
that belong to several people: when they go depends on both policies' links at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from connectors.mapping import Field, FieldGroup, GroundUse, StoreMapping, Table
from worker.core.policy import Policy

_OLD, _NEW = "old:", "new:"
_NEVER: Final = (GroundUse("never", False, None),)


@dataclass(frozen=True, slots=True)
class Pair:
    """Fields of one table whose old group and new group are compared, by the groups' names."""

    fields: tuple[str, ...]
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Joined:
    """One store under both policies: what can be compared, table by table, and what cannot.

    Where nothing can, the mapping has no table and is not to be connected with.
    """

    mapping: StoreMapping
    kind: str
    pairs: Mapping[str, tuple[Pair, ...]]
    apart: Mapping[str, str]
    """Tables that cannot be compared, each with the reason."""


def join(old: Policy, new: Policy, store: str) -> Joined:
    """Put the two versions of a store together; one policy may lack it altogether."""
    was = old.mapping(store) if store in old.stores else None
    now = new.mapping(store) if store in new.stores else None
    declared = now or was
    if declared is None:
        raise KeyError(store)
    before = {} if was is None else {table.name: table for table in was.tables}
    after = {} if now is None else {table.name: table for table in now.tables}
    names = [*after, *(name for name in before if name not in after)]
    alike = {name for name in names if _same(before.get(name), after.get(name))}
    if was is not None and now is not None and was.root.name != now.root.name:
        alike = set()
    # What hangs on rows that are not the same, or is dated by them, is not the same either.
    while apart_too := {n for n in alike if not _needs(before.get(n), after.get(n)) <= alike}:
        alike -= apart_too
    tables, pairs = [], {}
    for name in (one for one in names if one in alike):
        groups, pairs[name] = _groups(before.get(name), after.get(name))
        tables.append(replace(after.get(name) or before[name], groups=groups))
    kind = (new if store in new.stores else old).stores[store].connector
    apart = {
        name: _reason(before.get(name), after.get(name)) for name in names if name not in alike
    }
    return Joined(replace(declared, tables=tuple(tables)), kind, pairs, apart)


def cutoffs(old: Policy, new: Policy, store: str, day: date) -> dict[str, date]:
    """Return a day's cut-offs of both policies, for the grounds as a joined mapping calls them."""
    return {
        mark + name: cutoff
        for mark, policy in ((_OLD, old), (_NEW, new))
        if store in policy.stores
        for name, cutoff in policy.cutoffs(store, day).items()
    }


def _same(old: Table | None, new: Table | None) -> bool:
    """Whether two declarations mean the same rows, found in the same way, of one person each."""
    if _shared(old, new):
        return False
    return old is None or new is None or _rows(old) == _rows(new)


def _shared(*versions: Table | None) -> bool:
    return any(table is not None and table.shared_by is not None for table in versions)


def _reason(old: Table | None, new: Table | None) -> str:
    if _shared(old, new):
        return "its rows belong to several people"
    return "the two policies mean other rows"


def _rows(table: Table) -> tuple[object, ...]:
    where = frozenset(repr(one) for one in table.where)
    return table.relation, table.schema, table.key, table.parent, where


def _needs(*versions: Table | None) -> set[str]:
    """The tables whose rows decide about the rows of one."""
    found: set[str] = set()
    for table in versions:
        if table is not None:
            links = [table.parent]
            for group in table.groups:
                for use in group.grounds:
                    links += [one.link for one in (use.anchor, *use.others) if one is not None]
            found |= {link.table for link in links if link is not None}
    return found


def _groups(
    old: Table | None, new: Table | None
) -> tuple[tuple[FieldGroup, ...], tuple[Pair, ...]]:
    """Pair the groups of the fields, those together that are in the same groups of both."""
    before, after = _by_field(old), _by_field(new)
    crowds: dict[tuple[str | None, str | None], list[str]] = {}
    for field in dict.fromkeys((*before, *after)):
        was, now = before.get(field), after.get(field)
        both = (was[0].name if was else None, now[0].name if now else None)
        crowds.setdefault(both, []).append(field)
    groups: list[FieldGroup] = []
    pairs: list[Pair] = []
    for number, names in enumerate(crowds.values()):
        pair = Pair(tuple(names), f"{_OLD}{number}", f"{_NEW}{number}")
        groups += [
            _group(pair.old, names, before, after, _OLD),
            _group(pair.new, names, after, before, _NEW),
        ]
        pairs.append(pair)
    return tuple(groups), tuple(pairs)


def _by_field(table: Table | None) -> dict[str, tuple[FieldGroup, Field]]:
    groups = () if table is None else table.groups
    return {name: (group, field) for group in groups for name, field in _named(group)}


def _named(group: FieldGroup) -> Iterator[tuple[str, Field]]:
    for field in group.fields:
        yield (f"{field.column}, {field.path}" if field.path else field.column), field


def _group(
    name: str,
    fields: list[str],
    own: Mapping[str, tuple[FieldGroup, Field]],
    other: Mapping[str, tuple[FieldGroup, Field]],
    mark: str,
) -> FieldGroup:
    """One side of a pair; with grounds that never end where its policy does not know the fields."""
    found = [own.get(field) or other[field] for field in fields]
    known = fields[0] in own
    grounds = (
        tuple(replace(use, ground=mark + use.ground) for use in found[0][0].grounds)
        if known
        else _NEVER
    )
    return FieldGroup(name, tuple(field for _, field in found), grounds)
