"""Indexes that look-ups and links ask for; without one, each batch reads a whole table.

None over a date of the rows themselves: people are found by their keys, and a sweep walks a table
by its pages or its key, whatever the dates.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from connectors.base import Finding
from connectors.mapping import ParentLink, Table
from connectors.sql.anchors import anchors_of
from connectors.sql.columns import Family, Relation
from connectors.sql.folding import lowered
from connectors.sql.reflect import full_name


def missing(relations: Mapping[str, Relation], relation: Relation) -> Iterator[Finding]:
    """Warn of the indexes that one table needs, or that others need for its sake."""
    table = relation.table
    yield from _identifiers(relation)
    if table.parent:
        yield from _link(relation, table.parent, table.parent.ignore_case)
    for link in table.references:
        yield from _link(relation, link, link.ignore_case)
    for link in (*table.detach, *((table.shared_by,) if table.shared_by else ())):
        yield from _turned(relations, table, link)
    for anchor in dict.fromkeys(
        a for group in table.groups for u in group.grounds for a in anchors_of(u)
    ):
        if anchor.link is not None:
            yield from _turned(relations, table, anchor.link)


def links_served(relations: Mapping[str, Relation]) -> bool:
    """Whether every way from a row to the rows of other tables has an index."""
    for relation in relations.values():
        link = relation.table.parent
        above = None if link is None else relations[link.table]
        if link and above and not above.has_index([theirs for _, theirs in link.columns]):
            return False
        if any(finding.at == ("tables", finding.at[1]) for finding in missing(relations, relation)):
            return False
    return True


def _identifiers(relation: Relation) -> Iterator[Finding]:
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
                _create(table, what)
                if not lower
                else f"{_create(table, f'({what})')}, or a column that ignores case",
                at=("tables", table.name, "identifiers", identifier.kind),
            )


def _link(relation: Relation, link: ParentLink, ignore_case: bool) -> Iterator[Finding]:
    """A table is found by its own columns of a link."""
    own = [column for column, _ in link.columns]
    first = relation.columns.get(own[0])
    if first is not None and lowered(first, ignore_case):
        served, columns = _lowered(relation, own[0]), f"(lower({own[0]}))"
    else:
        served, columns = relation.has_index(own), ", ".join(own)
    if not served:
        yield _slow(relation.table, "is reached through", columns)


def _turned(relations: Mapping[str, Relation], table: Table, link: ParentLink) -> Iterator[Finding]:
    """Another table is found by its columns of a link: its pointers at us, its dates."""
    other = relations.get(link.table)
    theirs = [column for _, column in link.columns]
    if other is not None and not other.has_index(theirs):
        yield _slow(other.table, f"is read for {table.name} through", ", ".join(theirs))


def _slow(table: Table, how: str, columns: str) -> Finding:
    name = full_name(table)
    return Finding(
        "warning",
        f"{name} {how} {columns} without an index: every batch reads the whole table",
        _create(table, columns),
        at=("tables", table.name),
    )


def _create(table: Table, columns: str) -> str:
    """The statement that makes an index, under a name that says over what."""
    name = "_".join(re.findall(r"\w+", f"{table.relation} {columns}"))
    return f"CREATE INDEX {name} ON {full_name(table)} ({columns})"


def _lowered(relation: Relation, column: str) -> bool:
    """Whether an index over ``lower(column)`` exists, however the database spells it."""
    for index in relation.indexed:
        first = index[0].lower()
        if first.lstrip("( ").startswith("lower(") and column.lower() in first:
            return True
    return False
