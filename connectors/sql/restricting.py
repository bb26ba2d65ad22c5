"""Restriction of processing (GDPR art. 18): written by the statements that overwrite fields.

A restriction is a value that a declared column must hold. So the engine is given a mapping in which
that column is the one field of its table, kept by nothing, in a row that stays: it is written where
it says something else, counted per person, and re-read.
"""

from __future__ import annotations

from dataclasses import replace

from connectors.mapping import Field, FieldGroup, StoreMapping, Table


def restricting(mapping: StoreMapping, *, lifted: bool) -> StoreMapping:
    """Return the mapping that writes, or lifts, a restriction; its groups are named as the tables.

    A table that declares none has no group, so nothing of it is touched.
    """
    tables = tuple(
        replace(table, groups=_groups(table, lifted), row_stays=True) for table in mapping.tables
    )
    return replace(mapping, tables=tables)


def _groups(table: Table, lifted: bool) -> tuple[FieldGroup, ...]:
    restriction = table.restriction
    if restriction is None:
        return ()
    value = restriction.lifted if lifted else restriction.value
    return (FieldGroup(table.name, (Field(restriction.column, "", value),), ()),)
