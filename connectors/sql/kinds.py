"""A database's column types in the general words of :mod:`connectors.seen`."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql, postgresql
from sqlalchemy.types import NullType, TypeEngine

from connectors.seen import Kind, SeenColumn
from connectors.sql.columns import Column


def kind_of(kind: TypeEngine[Any]) -> Kind:
    """Say what a column of a type can hold."""
    while isinstance(kind, postgresql.DOMAIN):
        kind = kind.data_type
    match kind:
        case postgresql.ARRAY():
            return kind_of(kind.item_type)
        case sa.JSON():
            return Kind.JSON
        case sa.Boolean() | sa.Enum() | mysql.ENUM() | mysql.SET() | postgresql.BIT():
            return Kind.FLAG
        case sa.Integer() | sa.Numeric() | sa.Float():
            return Kind.NUMBER
        case sa.Date() | sa.DateTime() | mysql.TIMESTAMP():
            return Kind.DATE
        case sa.String() | postgresql.CITEXT() | NullType() | postgresql.HSTORE():
            return Kind.TEXT
        case sa.LargeBinary() | sa.BINARY() | sa.VARBINARY():
            return Kind.BINARY
        case _:
            return Kind.OTHER


def seen(column: Column, *, unique: bool = False) -> SeenColumn:
    """Describe one column."""
    return SeenColumn(
        column.name,
        kind_of(column.type),
        column.nullable,
        getattr(column.type, "length", None),
        unique,
        column.generated,
    )
