"""Rows that lead to nobody: their link is empty, or names a row that is not there.

No erasure ever reaches them. They may be nobody's (an invoice of a company, a guest's comment), or
somebody's whose own row is long gone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Select

from connectors.base import Finding
from connectors.mapping import ParentLink, StoreMapping, Table
from connectors.sql.columns import Relation
from connectors.sql.dialect import Dialect
from connectors.sql.filters import matching
from connectors.sql.links import tied
from connectors.sql.reflect import full_name


def links(mapping: StoreMapping) -> Iterator[tuple[Table, ParentLink]]:
    """The tables whose rows lead to a person through another table, and by which link."""
    for table in mapping.tables:
        link = table.parent or table.shared_by
        if link is not None:
            yield table, link


def counting(
    dialect: Dialect, relations: Mapping[str, Relation], table: Table, link: ParentLink
) -> Select[Any]:
    """Count the rows of a table whose link leads to no row."""
    relation, other = relations[table.name], relations[link.table]
    source, alias = relation.clause, other.clause.alias("erasure_above")
    above: Select[Any] = sa.select(sa.literal_column("1")).select_from(alias)
    above = above.where(
        tied(link, (relation, source), (other, alias)), *matching(dialect, other, alias)
    )
    return (
        sa.select(sa.func.count())
        .select_from(source)
        .where(*matching(dialect, relation, source), ~above.correlate(source).exists())
    )


def found(table: Table, link: ParentLink, rows: int) -> Iterator[Finding]:
    """Say of rows that lead to nobody that they do."""
    if rows:
        columns = ", ".join(own for own, _ in link.columns)
        yield Finding(
            "warning",
            f"{rows} rows of {full_name(table)} name no row of {link.table} by {columns}",
            "erase them by hand where they are somebody's, or let where: leave them out",
            "no event leads to them, so what they hold is never erased",
            ("tables", table.name),
        )
