"""Actions that a column cannot take: what the store would refuse for a person whose row stays."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.types import TypeEngine

from connectors.base import Finding
from connectors.mapping import Field, ParentLink, StoreMapping
from connectors.sql.alongside import may_go, may_stay
from connectors.sql.columns import KEY, Relation
from connectors.sql.overwrites import plain
from connectors.sql.reflect import full_name

_REFUSED = "the store would refuse to erase the person"


def unable(
    mapping: StoreMapping, relations: Mapping[str, Relation], relation: Relation
) -> Iterator[Finding]:
    """Find fields of one table that cannot be overwritten, and pointers that cannot be emptied."""
    table = relation.table
    for group in table.groups if may_stay(mapping, table) else ():
        for field in plain(group):
            if field.column in relation.columns:
                yield from _field(relation, field)
    for link in table.detach if may_go(table) else ():
        if (pointing := relations.get(link.table)) is not None:
            yield from _pointers(pointing, link, table.name)


def _pointers(pointing: Relation, link: ParentLink, name: str) -> Iterator[Finding]:
    for _, theirs in link.columns:
        column = pointing.columns.get(theirs)
        if column is not None and not column.nullable:
            yield Finding(
                "hole",
                f"detach: {full_name(pointing.table)}.{theirs} may not be empty",
                "let the column be empty, or write references: there instead",
                _REFUSED,
                ("tables", name, "detach"),
            )


def _field(relation: Relation, field: Field) -> Iterator[Finding]:
    table = relation.table
    name, at = f"{full_name(table)}.{field.column}", ("tables", table.name, "fields", field.column)
    if field.overwrite is None:
        if not relation.columns[field.column].nullable:
            yield Finding(
                "hole",
                f"{name} may not be empty and has no overwrite",
                "declare an overwrite for the field: action: anonymise, overwrite: <value>",
                f"where the row must stay, {_REFUSED}",
                at,
            )
    elif not _can_hold(relation.columns[field.column].type, field.overwrite):
        yield Finding(
            "hole",
            f"{name} cannot hold its overwrite",
            "declare one of the column's type, such as one of the words of an enum",
            f"where the row must stay, {_REFUSED}",
            at,
        )
    elif KEY not in str(field.overwrite) and _one_only(relation, field.column):
        yield Finding(
            "hole",
            f"{name} is unique, and its overwrite is the same for everybody",
            f'put the row\'s own key there, as in overwrite: "erased-{KEY}", or write '
            "action: erase",
            f"from the second person on, {_REFUSED}",
            at,
        )


def _can_hold(kind: TypeEngine[Any], overwrite: str | int) -> bool:
    """Whether a type that holds no free text takes a value; free text takes any of its length."""
    text = str(overwrite)
    try:
        match kind:
            case sa.Enum():
                return text in kind.enums
            case sa.Boolean():
                return text.lower() in ("0", "1", "true", "false")
            case sa.Numeric() | sa.Float():
                Decimal(text)
            case sa.Uuid():
                UUID(text)
            case sa.JSON():
                json.loads(text)
    except (ValueError, ArithmeticError):
        return False
    return True


def _one_only(relation: Relation, name: str) -> bool:
    """Whether the store lets a value stand in one row only, or in one of a portion of them."""
    word = re.compile(rf"\b{re.escape(name)}\b", re.IGNORECASE)
    return any(
        any(word.search(part) for part in parts)
        and not any(one <= set(parts) and name not in one for one in relation.unique)
        for parts in relation.unique_over
    )
