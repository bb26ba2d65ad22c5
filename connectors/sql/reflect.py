"""Look at the declared tables of a running store, and at nothing else there.

What does not fit the mapping becomes findings: ``check`` shows them, and work stops on the errors
among them before it has touched a row.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql, postgresql
from sqlalchemy.types import NullType, TypeEngine

from connectors.base import Finding
from connectors.mapping import StoreMapping, Table
from connectors.sql.anchors import anchors_of
from connectors.sql.catalogue import Catalogue, read
from connectors.sql.columns import Column, Family, Relation
from connectors.sql.links import link_of
from connectors.sql.shown import Shown, place_of, shown

_COLLATIONS = sa.text(
    "SELECT column_name, collation_name FROM information_schema.columns"
    " WHERE table_schema = coalesce(:schema, database()) AND table_name = :relation"
    " AND collation_name IS NOT NULL"
)
_EXPRESSIONS = sa.text(
    "SELECT substr(sql, instr(sql, '(') + 1) FROM sqlite_master"
    " WHERE type = 'index' AND tbl_name = :relation AND sql LIKE '%lower(%'"
)


@dataclass(frozen=True, slots=True)
class Reflection:
    """The declared tables that are there, by name, and what is missing."""

    relations: Mapping[str, Relation]
    missing: Sequence[Finding]
    catalogue: Catalogue


def reflect(connection: sa.Connection, mapping: StoreMapping) -> Reflection:
    """Read types, keys and indexes of the declared tables. Raises driver errors."""
    inspector = sa.inspect(connection)
    there = shown(inspector, mapping.tables)
    relations: dict[str, Relation] = {}
    missing: list[Finding] = []
    for table in mapping.tables:
        if place_of(table) not in there:
            what = f"table {full_name(table)} is not in the store"
            todo = "correct the policy's relation or schema, or the login's privileges"
            missing += placed(table, [Finding("error", what, todo)])
            continue
        relation = relations[table.name] = relation_of(connection, there[place_of(table)], table)
        if _is_view(inspector, table):
            what = (
                f"{full_name(table)} is a view: its rows cannot be locked, its rules may "
                "send an erasure elsewhere, and what it hides stays in the tables below"
            )
            todo = "declare the tables that the view reads, with where: for the rows it shows"
            missing += placed(table, [Finding("error", what, todo)])
            continue
        todo = "correct the column's name in the policy, or add the column to the store"
        unknown = [n for n in declared_columns(mapping, table) if n not in relation.columns]
        what = f"table {full_name(table)} has no column "
        missing += placed(table, (Finding("error", what + name, todo) for name in unknown))
    return Reflection(relations, missing, read(connection, mapping))


def placed(table: Table, *findings: Iterable[Finding]) -> list[Finding]:
    """Say of findings that do not say it where in the policy they belong: to this table."""
    place = ("tables", table.name)
    return [replace(one, at=one.at or place) for found in findings for one in found]


def _is_view(inspector: sa.Inspector, table: Table) -> bool:
    views = inspector.get_view_names(schema=table.schema)
    if inspector.dialect.name == "postgresql":
        views += inspector.get_materialized_view_names(schema=table.schema)
    return table.relation in views


def full_name(table: Table) -> str:
    """Return a table's name as an operator would write it."""
    return f"{table.schema}.{table.relation}" if table.schema else table.relation


def declared_columns(mapping: StoreMapping, table: Table) -> tuple[str, ...]:
    """Every column of ``table`` that the mapping speaks of, each once, in order."""
    names = list(table.key) + [i.column for i in table.identifiers]
    if table.parent:
        names += [own for own, _ in table.parent.columns]
    names += [filtered.column for filtered in table.where]
    for link in (*table.references, *((table.shared_by,) if table.shared_by else ())):
        names += [own for own, _ in link.columns]
    for group in table.groups:
        names += [field.column for field in group.fields]
    names += read_by(table, of_parent=False)
    names += [table.restriction.column] if table.restriction else []
    names += [own for link in table.detach for own, _ in link.columns]
    for child in mapping.children(table):
        names += [theirs for _, theirs in link_of(child).columns]
        names += read_by(child, of_parent=True)
    for other in mapping.tables:
        names += _named_by(other, table)
    return tuple(dict.fromkeys(names))


def read_by(table: Table, *, of_parent: bool) -> list[str]:
    """Columns in which a table's grounds read a date or a consent, of its rows or its parents'."""
    found: list[str] = []
    for use in (use for group in table.groups for use in group.grounds):
        found += [
            anchor.column
            for anchor in anchors_of(use)
            if anchor.of_parent is of_parent and anchor.link is None
        ]
        if use.evidence is not None and use.evidence.of_parent is of_parent:
            found.append(use.evidence.filter.column)
    return found


def _named_by(other: Table, table: Table) -> list[str]:
    """Columns of ``table`` by which another table names its rows or reads their dates."""
    links = [*other.references, *other.detach, *((other.shared_by,) if other.shared_by else ())]
    found = [theirs for link in links if link.table == table.name for _, theirs in link.columns]
    for use in (use for group in other.groups for use in group.grounds):
        for anchor in anchors_of(use):
            if anchor.link is not None and anchor.link.table == table.name:
                found += [anchor.column, *(theirs for _, theirs in anchor.link.columns)]
    return found


def relation_of(connection: sa.Connection, found: Shown, table: Table) -> Relation:
    """Make a relation of what the database shows of a table."""
    name, primary, uniques = table.relation, found.primary, found.uniques
    folding = _folding(connection, table)
    lite = connection.dialect.name == "sqlite"
    columns = {
        str(c["name"]): _column(
            str(c["name"]), c["type"], bool(c["nullable"]), folding, lite, bool(c.get("computed"))
        )
        for c in found.columns
    }
    plain = [index for index in found.indexes if not _is_partial(index)]
    unique: list[Sequence[str | None]] = [primary, *uniques]
    unique += [index["column_names"] for index in plain if index["unique"]]
    names: list[Sequence[str | None]] = [primary, *uniques]
    names += [index.get("expressions") or index["column_names"] for index in plain]
    if lite:
        names += [[sql] for sql in connection.scalars(_EXPRESSIONS, {"relation": name})]
    return Relation(
        table,
        columns,
        unique=[frozenset(_named(u)) for u in unique if u and None not in u],
        indexed=[tuple(str(n).replace('"', "") for n in i if n) for i in names if i],
        unique_over=[
            tuple(str(name) for name in over if name)
            for over in (
                primary,
                *uniques,
                *(i.get("expressions") or i["column_names"] for i in found.indexes if i["unique"]),
            )
        ],
    )


def _is_partial(index: Any) -> bool:
    options = index.get("dialect_options", {})
    return any(options.get(f"{dialect}_where") is not None for dialect in ("postgresql", "sqlite"))


def _named(columns: Sequence[str | None]) -> tuple[str, ...]:
    return tuple(column for column in columns if column is not None)


def _folding(connection: sa.Connection, table: Table) -> frozenset[str]:
    """Names of the columns that MariaDB or MySQL compares without regard to case."""
    if connection.dialect.name not in ("mysql", "mariadb"):
        return frozenset()
    rows = connection.execute(_COLLATIONS, {"schema": table.schema, "relation": table.relation})
    return frozenset(name for name, collation in rows if "_ci" in collation)


def _column(
    name: str,
    kind: TypeEngine[Any],
    nullable: bool,
    folding: frozenset[str],
    typeless: bool,
    generated: bool,
) -> Column:
    while isinstance(kind, postgresql.DOMAIN):
        nullable = nullable and not kind.not_null
        kind = kind.data_type
    folds = name in folding or isinstance(kind, postgresql.CITEXT)
    family = Family.ANY if typeless and isinstance(kind, NullType) else _family(kind)
    return Column(name, family, kind, nullable, folds, generated)


def _family(kind: TypeEngine[Any]) -> Family:
    match kind:
        case sa.Integer():
            return Family.INTEGER
        case sa.Uuid():
            return Family.UUID
        case sa.Enum() | mysql.ENUM() | mysql.SET():
            return Family.OTHER
        case sa.String() | postgresql.CITEXT():
            return Family.TEXT
        case sa.LargeBinary() | sa.BINARY() | sa.VARBINARY():
            return Family.BINARY
        case sa.Date():
            return Family.DATE
        case mysql.TIMESTAMP():
            return Family.INSTANT
        case sa.DateTime():
            return Family.INSTANT if kind.timezone else Family.LOCAL_TIME
        case _:
            return Family.OTHER
