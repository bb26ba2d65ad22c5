"""Does the running store fit the mapping? What does not is said before a row is touched."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from connectors.base import Finding
from connectors.mapping import Anchor, StoreMapping, Table
from connectors.sql.actions import unable
from connectors.sql.alongside import alongside
from connectors.sql.anchors import anchors_of
from connectors.sql.columns import Relation, overwrite_for
from connectors.sql.dialect import Dialect
from connectors.sql.indexes import missing
from connectors.sql.links import parent_of
from connectors.sql.overwrites import plain
from connectors.sql.reflect import Reflection, full_name, placed
from connectors.sql.triggered import triggered
from connectors.sql.undeclared import undeclared
from connectors.sql.unfit import unfit


def errors(dialect: Dialect, mapping: StoreMapping, reflection: Reflection) -> list[Finding]:
    """What forbids all work on this store."""
    if reflection.missing:
        return list(reflection.missing)
    found: list[Finding] = []
    for table in mapping.tables:
        relation = reflection.relations[table.name]
        found += placed(
            table,
            _keys(mapping, reflection.relations, table),
            _anchors(dialect, mapping, reflection.relations, table),
            _overwrites(relation),
            unfit(mapping, relation),
        )
    return found + [one for one in _beside(mapping, reflection) if one.level == "error"]


def holes(mapping: StoreMapping, reflection: Reflection) -> list[Finding]:
    """What the policy leaves open, or the store would refuse for some."""
    found: list[Finding] = []
    for relation in reflection.relations.values():
        found += (one for one in undeclared(mapping, relation) if one.level == "hole")
        found += unable(mapping, reflection.relations, relation)
    return found + [one for one in _beside(mapping, reflection) if one.level == "hole"]


def _beside(mapping: StoreMapping, reflection: Reflection) -> Iterator[Finding]:
    """What the store does beside what it is told."""
    yield from alongside(mapping, reflection.catalogue)
    yield from triggered(mapping, reflection.catalogue)


def warnings(mapping: StoreMapping, reflection: Reflection) -> list[Finding]:
    """What works, but slowly or not for every row."""
    found: list[Finding] = []
    for table in mapping.tables:
        relation = reflection.relations.get(table.name)
        if relation is not None:
            found += placed(
                table,
                missing(reflection.relations, relation),
                _two_parents(mapping, reflection.relations, table),
                _lost_anchors(mapping, table),
            )
            found += (one for one in undeclared(mapping, relation) if one.level == "warning")
    found += (one for one in _beside(mapping, reflection) if one.level == "warning")
    if reflection.catalogue.hidden:
        found.append(
            Finding(
                "warning",
                f"the login may not see everything of the store: {reflection.catalogue.hidden}",
                "look with a login that may: GRANT TRIGGER on the database, or erasure policy "
                "check --live as an administrator",
                "what they take along when a row goes cannot be found then",
            )
        )
    return found


def anchors(mapping: StoreMapping, table: Table) -> Iterator[tuple[Table, Anchor]]:
    """The anchors of a table's grounds, each with the table that holds it."""
    for _, anchor in _anchored(table):
        yield _holder(mapping, table, anchor), anchor


def _holder(mapping: StoreMapping, table: Table, anchor: Anchor) -> Table:
    """The table that has an anchor's column."""
    if anchor.link is not None:
        return next(t for t in mapping.tables if t.name == anchor.link.table)
    return parent_of(mapping, table) if anchor.of_parent else table


def _keys(
    mapping: StoreMapping, relations: Mapping[str, Relation], table: Table
) -> Iterator[Finding]:
    """A key must be one for the database too: rows are counted and overwritten by it."""
    if not relations[table.name].is_unique(table.key):
        yield Finding(
            "error",
            f"the key of {full_name(table)} ({', '.join(table.key)}) is not unique in the store",
            "declare the table's primary key, or add a UNIQUE constraint over these columns",
        )
    if table.parent is None:
        return
    parent = parent_of(mapping, table)
    theirs = [column for _, column in table.parent.columns]
    if not relations[parent.name].is_unique(theirs) and not table.parent.ignore_case:
        yield Finding(
            "error",
            f"{full_name(table)} names its parent by {', '.join(theirs)} of {full_name(parent)}, "
            "which is not unique: a row could have two parents",
            "link the table through its parent's key",
        )


def _anchors(
    dialect: Dialect, mapping: StoreMapping, relations: Mapping[str, Relation], table: Table
) -> Iterator[Finding]:
    for ground, anchor in _anchored(table):
        if anchor.of_parent and table.parent is None:
            yield Finding(
                "error",
                f"ground {ground} looks for its anchor in the parent of {full_name(table)}, "
                "which has none",
                "name a column of the row itself as anchor",
            )
            continue
        holder = _holder(mapping, table, anchor)
        column = relations[holder.name].columns[anchor.column]
        problem = dialect.anchor_problem(column)
        if problem:
            yield Finding(
                "error",
                f"anchor {full_name(holder)}.{column.name} of ground {ground} {problem}",
                "name a date column as anchor",
            )


def _overwrites(relation: Relation) -> Iterator[Finding]:
    for group in relation.table.groups:
        for field in plain(group):
            try:
                overwrite_for(relation.columns[field.column], field)
            except ValueError:
                yield Finding(
                    "error",
                    f"the overwrite of {full_name(relation.table)}.{field.column} does not fit "
                    "its column",
                    "declare an overwrite of the column's type and length",
                )


def _two_parents(
    mapping: StoreMapping, relations: Mapping[str, Relation], table: Table
) -> Iterator[Finding]:
    """A row that is linked by value belongs to whoever has the value, be it two people."""
    if table.parent is None or not table.parent.ignore_case:
        return
    parent = parent_of(mapping, table)
    theirs = [column for _, column in table.parent.columns]
    if parent.name in relations and not relations[parent.name].is_unique(theirs):
        yield Finding(
            "warning",
            f"{full_name(table)} is linked by {', '.join(theirs)} of {full_name(parent)}, which "
            "is not unique: what two people share goes with the first of them",
            f"a UNIQUE index over {', '.join(theirs)}, if no two people share it",
        )


def _lost_anchors(mapping: StoreMapping, table: Table) -> Iterator[Finding]:
    """An anchor that is itself erased leaves its ground without an end."""
    anchors = {
        a.column: ground for ground, a in _anchored(table) if not a.of_parent and a.link is None
    }
    for child in mapping.children(table):
        anchors |= {a.column: ground for ground, a in _anchored(child) if a.of_parent}
    for group in table.groups:
        for field in group.fields:
            if field.column in anchors:
                yield Finding(
                    "warning",
                    f"{full_name(table)}.{field.column} is a field to erase and the anchor of "
                    f"ground {anchors[field.column]}: once erased, that ground has no end",
                    "anchor the ground on a column that stays",
                )


def _anchored(table: Table) -> Iterator[tuple[str, Anchor]]:
    """The grounds of a table that have an anchor, each with it."""
    for group in table.groups:
        for use in group.grounds:
            for anchor in anchors_of(use):
                yield use.ground, anchor
