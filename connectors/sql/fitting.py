"""Does the running store fit the mapping? What does not is said before a row is touched."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from connectors.base import Finding
from connectors.mapping import Anchor, StoreMapping, Table
from connectors.sql.anchors import anchors_of
from connectors.sql.columns import Family, Relation, overwrite_for
from connectors.sql.dialect import Dialect
from connectors.sql.folding import lowered
from connectors.sql.links import parent_of
from connectors.sql.overwrites import plain
from connectors.sql.reflect import Reflection, full_name
from connectors.sql.unfit import unfit


def errors(dialect: Dialect, mapping: StoreMapping, reflection: Reflection) -> list[Finding]:
    """What forbids all work on this store."""
    if reflection.missing:
        return list(reflection.missing)
    found: list[Finding] = []
    for table in mapping.tables:
        relation = reflection.relations[table.name]
        found += _keys(mapping, reflection.relations, table)
        found += _anchors(dialect, mapping, reflection.relations, table)
        found += _overwrites(relation)
        found += unfit(mapping, relation)
    return found


def warnings(mapping: StoreMapping, reflection: Reflection) -> list[Finding]:
    """What works, but slowly or not for every row."""
    found: list[Finding] = []
    for table in mapping.tables:
        relation = reflection.relations.get(table.name)
        if relation is not None:
            found += _indexes(relation)
            found += _nulls(mapping, relation)
            found += _two_parents(mapping, reflection.relations, table)
            found += _lost_anchors(mapping, table)
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


def _indexes(relation: Relation) -> Iterator[Finding]:
    table = relation.table
    name = full_name(table)
    for identifier in table.identifiers:
        column = relation.columns.get(identifier.column)
        if column is None:
            continue
        lower = identifier.ignore_case and column.family is Family.TEXT and not column.folds
        if not (_lowered(relation, column.name) if lower else relation.has_index([column.name])):
            what = f"lower({column.name})" if lower else column.name
            yield Finding(
                "warning",
                f"identifier {identifier.kind} is looked up in {name}.{column.name} "
                "without an index: every batch reads the whole table",
                f"CREATE INDEX ON {name} ({what})"
                if not lower
                else f"CREATE INDEX ON {name} (({what})), or a column that ignores case",
            )
    if table.parent:
        own = [column for column, _ in table.parent.columns]
        first = relation.columns.get(own[0])
        if first is not None and lowered(first, table.parent.ignore_case):
            served, columns = _lowered(relation, own[0]), f"(lower({own[0]}))"
        else:
            served, columns = relation.has_index(own), ", ".join(own)
        if not served:
            yield Finding(
                "warning",
                f"{name} is reached through {columns} without an index: "
                "every batch reads the whole table",
                f"CREATE INDEX ON {name} ({columns})",
            )


def _lowered(relation: Relation, column: str) -> bool:
    """Whether an index over ``lower(column)`` exists, however the database spells it."""
    for index in relation.indexed:
        first = index[0].lower()
        if first.lstrip("( ").startswith("lower(") and column.lower() in first:
            return True
    return False


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


def _nulls(mapping: StoreMapping, relation: Relation) -> Iterator[Finding]:
    """A field that may not be empty stops the row's person when the row must stay."""
    table = relation.table
    stays = table.row_stays or len(table.groups) > 1 or bool(mapping.children(table))
    for group in table.groups if stays else ():
        for field in plain(group):
            column = relation.columns.get(field.column)
            if column is not None and not column.nullable and field.overwrite is None:
                yield Finding(
                    "warning",
                    f"{full_name(table)}.{field.column} may not be empty and has no overwrite: "
                    "a person whose row must stay is refused",
                    "declare an overwrite for the field",
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
