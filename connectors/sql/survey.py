"""Every table of a running store, described in general words: what a draft of a policy starts from.

Nothing of what the tables hold is read.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncEngine

from connectors.faults import Misfit
from connectors.mapping import Table
from connectors.seen import SeenLink, SeenTable
from connectors.sql.columns import Relation
from connectors.sql.engine import make_engine
from connectors.sql.errors import guarded
from connectors.sql.kinds import seen
from connectors.sql.reflect import relation_of
from connectors.sql.shown import Shown, place_of, shown

_PARTITIONS = sa.text("SELECT relname FROM pg_catalog.pg_class WHERE relispartition")
SECONDS = 60.0
"""How long one question may take."""


async def survey(url: str, schema: str | None) -> tuple[SeenTable, ...]:
    """Describe the tables of a schema (the store's own by default), sorted by name.

    Raises the faults of :mod:`connectors.faults`; none of them shows the URL.
    """
    engine = _engine(url)

    async def look() -> tuple[SeenTable, ...]:
        async with engine.connect() as connection:
            return await connection.run_sync(_tables, schema)

    try:
        return await guarded(look)
    finally:
        await engine.dispose()


def _engine(url: str) -> AsyncEngine:
    """Make a pool; an error of the URL quotes it, so it is not passed on."""
    try:
        return make_engine(url, "UTC", pool_size=1, statement_timeout=SECONDS)
    except (ArgumentError, ValueError) as error:
        kind = type(error).__name__
    raise Misfit("bad-url", f"the store's URL names no supported database ({kind})")


def _tables(connection: sa.Connection, schema: str | None) -> tuple[SeenTable, ...]:
    inspector = sa.inspect(connection)
    names = set(inspector.get_table_names(schema=schema))
    if connection.dialect.name == "postgresql":
        names -= set(connection.scalars(_PARTITIONS))  # their table stands for them
    tables = [Table(name, name, schema, (), None, ()) for name in sorted(names)]
    there = shown(inspector, tables)
    # One that was dropped a moment ago is no table of the store any more.
    return tuple(
        _table(inspector, found, relation_of(connection, found, table))
        for table in tables
        if (found := there.get(place_of(table))) is not None
    )


def _table(inspector: sa.Inspector, found: Shown, relation: Relation) -> SeenTable:
    schema, name = place_of(relation.table)
    return SeenTable(
        schema,
        name,
        tuple(
            seen(column, unique=relation.is_unique([column.name]))
            for column in relation.columns.values()
        ),
        tuple(found.primary),
        tuple(
            SeenLink(
                one["referred_schema"],
                one["referred_table"],
                tuple(zip(one["constrained_columns"], one["referred_columns"], strict=True)),
            )
            for one in inspector.get_foreign_keys(name, schema=schema)
        ),
    )
