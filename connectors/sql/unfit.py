"""Shapes of a store that the mapping asks for and the engine cannot carry out, each with a way out.

Paths into columns that hold no JSON, fields that the database computes, histories that nobody
could find any more, keys that cannot stand where they should.
"""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa

from connectors.base import Finding
from connectors.mapping import Field, StoreMapping
from connectors.sql.columns import Column, Family, Relation, overwrite_for
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
    yield from _restriction(relation)
    if table.after and carried(mapping, table) is None:
        yield Finding(
            "error",
            f"{full_name(table)} is cleaned after its parent is gone, and could not be found then",
            f"link it by a column that holds the key of {mapping.root.name} itself",
        )


def _restriction(relation: Relation) -> Iterator[Finding]:
    """The values that say that processing is restricted must fit the column that says so."""
    restriction = relation.table.restriction
    if restriction is None:
        return
    column = relation.columns[restriction.column]
    name = f"{full_name(relation.table)}.{column.name}"
    for value in (restriction.value, restriction.lifted):
        try:
            fits = value is not None or column.nullable
            overwrite_for(column, Field(column.name, "", value))
        except ValueError:
            fits = False
        if not fits:
            yield Finding(
                "error",
                f"{name} cannot hold {'NULL' if value is None else repr(value)}, by which it would "
                "say whether processing is restricted",
                "declare values that fit its type under restrict:",
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
