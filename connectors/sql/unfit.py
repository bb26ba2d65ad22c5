"""Shapes of a store that the mapping asks for and the engine cannot carry out, each with a way out.

Paths into columns that hold no JSON, fields that the database computes, histories that nobody
could find any more, keys that cannot stand where they should.
"""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa

from connectors.base import Finding
from connectors.mapping import Field, StoreMapping
from connectors.sql.columns import Column, Family, Relation
from connectors.sql.links import carried
from connectors.sql.paths import parse
from connectors.sql.reflect import full_name


def unfit(mapping: StoreMapping, relation: Relation) -> Iterator[Finding]:
    """What forbids work on one table, beyond its keys and anchors."""
    table = relation.table
    for group in table.groups:
        for field in group.fields:
            column = relation.columns[field.column]
            name = f"{full_name(table)}.{field.column}"
            if column.generated:
                yield Finding(
                    "error",
                    f"{name} is generated: the database computes it, nobody else writes it",
                    "declare the columns that it is computed from; it goes with them",
                )
            elif field.path is not None:
                yield from _path(name, column, field)
    if table.after and carried(mapping, table) is None:
        yield Finding(
            "error",
            f"{full_name(table)} is cleaned after its parent is gone, and could not be found then",
            f"link it by a column that holds the key of {mapping.root.name} itself",
        )


def _path(name: str, column: Column, field: Field) -> Iterator[Finding]:
    if not isinstance(column.type, sa.JSON) and column.family not in (Family.TEXT, Family.ANY):
        yield Finding(
            "error",
            f"{name} holds no JSON, but a field is declared inside it",
            "declare the whole column, or drop path:",
        )
    try:
        parse(field.path or "")
    except ValueError as error:
        yield Finding("error", f"{name}: {error}", "write a path such as address.street")
