"""What a database shows of tables: columns, indexes and keys, in as few questions as it takes."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine.interfaces import ReflectedColumn, ReflectedIndex
from sqlalchemy.engine.reflection import ObjectKind, ObjectScope
from sqlalchemy.exc import NoSuchTableError, SAWarning

from connectors.mapping import Table

# A store may hold types and indexes that SQLAlchemy does not know; none of them is ours to mind.
# For good and not around each look: stores are looked at side by side, and filters are global.
warnings.filterwarnings("ignore", category=SAWarning, module=r"connectors\.sql\.shown")

Place = tuple[str | None, str]
"""The schema that the policy names, if any, and the relation."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What is shown of one table."""

    columns: Sequence[ReflectedColumn]
    indexes: Sequence[ReflectedIndex]
    primary: Sequence[str]
    uniques: Sequence[Sequence[str]]


def shown(inspector: sa.Inspector, tables: Iterable[Table]) -> dict[Place, Shown]:
    """Ask what is shown of these tables; one that is not there is left out."""
    places = dict.fromkeys(place_of(table) for table in tables)
    if inspector.dialect.name == "postgresql":
        found: dict[Place, Shown] = {}
        for schema in {schema for schema, _ in places}:
            found |= _at_once(inspector, schema, [name for at, name in places if at == schema])
        return found
    return dict(_one_by_one(inspector, places))


def place_of(table: Table) -> Place:
    """Where the policy says that a table is."""
    return table.schema, table.relation


def _at_once(
    inspector: sa.Inspector, schema: str | None, names: Sequence[str]
) -> dict[Place, Shown]:
    """On PostgreSQL one question tells of any number of tables."""
    about: dict[str, Any] = {
        "schema": schema,
        "filter_names": names,
        "kind": ObjectKind.ANY,
        "scope": ObjectScope.ANY,
    }
    columns = inspector.get_multi_columns(**about)
    indexes = inspector.get_multi_indexes(**about)
    primary = inspector.get_multi_pk_constraint(**about)
    uniques = inspector.get_multi_unique_constraints(**about)
    # One that was made or dropped between two questions is not there.
    return {
        place: Shown(
            columns[place],
            indexes[place],
            primary[place]["constrained_columns"],
            [unique["column_names"] for unique in uniques[place]],
        )
        for place in columns.keys() & indexes.keys() & primary.keys() & uniques.keys()
    }


def _one_by_one(inspector: sa.Inspector, places: Iterable[Place]) -> Iterator[tuple[Place, Shown]]:
    """Elsewhere a name may be written in another case: the database itself looks for it."""
    for schema, name in places:
        try:
            yield (
                (schema, name),
                Shown(
                    inspector.get_columns(name, schema=schema),
                    inspector.get_indexes(name, schema=schema, include_auto_indexes=True),
                    inspector.get_pk_constraint(name, schema=schema)["constrained_columns"],
                    [
                        unique["column_names"]
                        for unique in inspector.get_unique_constraints(name, schema=schema)
                    ],
                ),
            )
        except NoSuchTableError:
            continue
