"""Tables whose partitions the policy lets a sweep drop, and of which none could ever be dropped.

Nothing is wrong then: rows go one by one. But whoever wrote ``drop_partition: true`` expects more.
"""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncConnection

from connectors.base import Finding
from connectors.mapping import StoreMapping, Table
from connectors.sql.columns import Relation
from connectors.sql.partitions import any_ever, hindrance
from connectors.sql.reflect import full_name
from connectors.sql.sessions import Opened


async def undroppable(
    connection: AsyncConnection, opened: Opened, mapping: StoreMapping
) -> list[Finding]:
    """Warn of each of them, with the reason. Raises driver errors."""
    found: list[Finding] = []
    for table in mapping.tables:
        if not table.drop_partition:
            continue
        why = hindrance(mapping, table)
        if why is None:
            why = await _in_store(connection, opened.reflection.relations[table.name])
        if why is not None:
            found.append(_finding(table, why))
    return found


async def _in_store(connection: AsyncConnection, relation: Relation) -> str | None:
    """Why the running store has nothing to drop."""
    if connection.dialect.name != "postgresql":
        return "partitions are dropped on PostgreSQL alone"
    if await any_ever(connection, relation):
        return None
    return (
        "it has no partition by ranges of one date with an end, owned by the login, at which no "
        "foreign key, trigger, rule, publication or row security stands"
    )


def _finding(table: Table, why: str) -> Finding:
    return Finding(
        "warning",
        f"no partition of {full_name(table)} will ever be dropped as one: {why}",
        "take drop_partition: out, or see docs/sweeping-gently.md for what it needs",
        "its rows are swept one by one, as in any other table",
        at=("tables", table.name, "drop_partition"),
    )
