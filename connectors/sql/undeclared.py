"""Columns of the declared tables of which the policy says nothing: somebody added one last night.

A column is spoken of when the table names it (as key, link, identifier, anchor, evidence, filter
or field) or lists it under ``not_personal``. One that the database computes goes with those that
it is computed from. A column of which only members are declared (``path:``) may hold more: the
rest of it must be spoken of as well.
"""

from __future__ import annotations

from collections.abc import Iterator

from connectors.base import Finding
from connectors.mapping import StoreMapping
from connectors.sql.columns import Relation
from connectors.sql.kinds import seen
from connectors.sql.reflect import declared_columns, full_name


def undeclared(mapping: StoreMapping, relation: Relation) -> Iterator[Finding]:
    """Find the columns of one table that nobody has spoken of, and words about none."""
    table = relation.table
    at = ("tables", table.name)
    known = {*declared_columns(mapping, table), *table.not_personal}
    for name, column in relation.columns.items():
        if name not in known and not column.generated:
            yield Finding(
                "hole",
                f"the policy says nothing of {full_name(table)}.{name}",
                "add it under fields, or under not_personal with the reason",
                "what it holds about a person would outlive every ground",
                (*at, "fields"),
                seen(column, unique=relation.is_unique([name])),
            )
    fields = [field for group in table.groups for field in group.fields]
    whole = {field.column for field in fields if field.path is None} | set(table.not_personal)
    for name in dict.fromkeys(f.column for f in fields if f.path is not None):
        if name not in whole:
            yield Finding(
                "hole",
                f"of {full_name(table)}.{name} only what lies at a path is declared",
                f"declare further paths, and say of the rest under not_personal: {{{name}: <why>}}",
                "whatever else the documents hold would outlive every ground",
                (*at, "fields"),
            )
    for name in table.not_personal:
        if name not in relation.columns:
            yield Finding(
                "warning",
                f"{full_name(table)} has no column {name}, of which not_personal speaks",
                "take it out, or correct the name",
                at=(*at, "not_personal", name),
            )
