"""Dropping a partition on PostgreSQL of which every row is past its last ground.

A dropped partition leaves no dead rows to vacuum and takes as long for a million rows as for one.
It also asks nobody: no trigger fires, no foreign key is looked through, no replica that is fed row
by row hears of it. So only those are offered of which none of that is to be feared, and which stand
for a time that is over: a row of today always finds a partition to go into.

Source: PostgreSQL manual, 5.12.2 and ALTER TABLE (DETACH PARTITION).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Select
from sqlalchemy.ext.asyncio import AsyncConnection

from connectors.faults import Refused
from connectors.mapping import Key, StoreMapping, Table
from connectors.sql.anchors import anchors_of
from connectors.sql.columns import Relation
from connectors.sql.postgresql import alike
from connectors.sql.predicates import All, Rules
from connectors.sql.sessions import Opened
from connectors.sql.spans import named, quoted
from connectors.sql.steps import Batch, Tally
from connectors.sweeping import Span, Walk

LOCK_WAIT: Final = "500ms"
"""How long a lock may keep others waiting behind it before the partition counts as busy."""
LIMIT: Final = 5.0
"""Milliseconds that a statement may count: a partition that takes longer goes row by row, and who
counts for long would lose the sweep's lease meanwhile."""


@dataclass(frozen=True, slots=True)
class Found:
    """A partition that may be dropped, and what it is detached from, as a statement writes it."""

    span: Span
    parent: str


def allowed(mapping: StoreMapping, name: str) -> bool:
    """Whether partitions of a table may be dropped, by the policy and by how it hangs together."""
    table = next(one for one in mapping.tables if one.name == name)
    return table.drop_partition and hindrance(mapping, table) is None


def hindrance(mapping: StoreMapping, table: Table) -> str | None:
    """Why no partition of a table can ever go as one, by the policy alone; None: one may."""
    links = {one.shared_by.table for one in mapping.tables if one.shared_by is not None}
    if table.row_stays or not table.groups:
        return "its rows stay"
    if table.detach:
        return "what points at its rows is emptied first, row by row"
    if table.shared_by is not None or table.name in links:
        return "its rows belong to several people, or say to whom other rows belong"
    if table.name in _named(table):
        return "its rows hold one another"
    for group in table.groups:
        for use in group.grounds:
            if use.anchor is None and use.evidence is None:
                return f"on the ground '{use.ground}' rows stay until something is said of a person"
    return None


def seen(relations: Mapping[str, Relation], span: Span) -> Mapping[str, Relation]:
    """The relations of a store, the part's table as its partition where it is one."""
    if span.by is not Walk.PARTITION:
        return relations
    relation = relations[span.table]
    schema, name = _place(span)
    one = relation.declared_as(replace(relation.table, schema=schema, relation=name))
    return {**relations, span.table: one}


async def gone(connection: AsyncConnection, span: Span) -> bool:
    """Whether a part is a partition that is no longer there, under that name, as anything."""
    if span.by is not Walk.PARTITION:
        return False
    known = {"name": quoted(*_place(span))}
    return (await connection.execute(_THERE, known)).scalar_one() is None


async def found(connection: AsyncConnection, opened: Opened, table: str) -> Sequence[Found]:
    """The partitions of a table that may be dropped, the oldest first."""
    known = {"name": named(opened.reflection.relations[table])}
    return [
        Found(Span(table, Walk.PARTITION, None, (schema, name)), quoted(above, parent))
        for schema, name, above, parent in await connection.execute(_PARTITIONS, known)
    ]


async def any_ever(connection: AsyncConnection, relation: Relation) -> bool:
    """Whether a table has a partition that may be dropped, now or when its time is over."""
    return bool((await connection.execute(_ANY, {"name": named(relation)})).scalar_one())


class Counting:
    """What one partition holds, under rules in which every consent stands."""

    def __init__(self, span: Span, rules: Rules) -> None:
        self._span, self._rules = span, rules

    async def whole(self, connection: AsyncConnection, batch: Batch) -> bool:
        """Whether there are rows, and each is somebody's and past its last ground."""
        goes = self._rules.goes()
        if goes is None:
            return False
        scope = self._rules.scope
        # A row that two people share by value is met twice, and is one row all the same.
        row: ColumnElement[Any] = sa.column("ctid", _selectable=scope.target)
        count = sa.func.count(row.distinct()) if scope.joins else sa.func.count()
        past = self._past(goes, count).scalar_subquery()
        there = sa.select(sa.func.count()).select_from(scope.relation.clause).scalar_subquery()
        binds = batch.params((), self._rules.cutoffs)
        rows, every = (await connection.execute(sa.select(past, there), binds)).one()
        return bool(every) and rows == every

    async def drop(
        self,
        connection: AsyncConnection,
        opened: Opened,
        batch: Batch,
        people: Collection[Key],
        tally: Tally,
    ) -> None:
        """Drop it within the transaction at hand, and add up whose rows went.

        Writers are kept out while it is counted, readers only for the moment of the drop itself.
        Raises ``Refused`` when it must not be dropped, and driver errors.
        """
        place = quoted(*_place(self._span))
        await connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{LOCK_WAIT}'")
        await connection.exec_driver_sql(f"LOCK TABLE ONLY {place} IN SHARE MODE")
        offered = {one.span: one for one in await found(connection, opened, self._span.table)}
        if self._span not in offered or not await self.whole(connection, batch):
            raise Refused("partition-lives", "not all of it may go; its rows go one by one")
        await self._take(connection, batch, tally)
        if not tally.effects.keys() <= set(people):
            raise Refused("partition-changed", "others stand in it now; its rows go one by one")
        parent = offered[self._span].parent
        await connection.exec_driver_sql(f"ALTER TABLE {parent} DETACH PARTITION {place}")
        # Without CASCADE: whatever depends on it, which nobody has decided about, refuses.
        await connection.exec_driver_sql(f"DROP TABLE {place}")

    async def _take(self, connection: AsyncConnection, batch: Batch, tally: Tally) -> None:
        """Count the rows of each person."""
        its = self._rules
        root = [
            its.dialect.key(expression, column).label(f"erasure_root_{i}")
            for i, (expression, column) in enumerate(
                zip(its.scope.root, its.scope.root_columns, strict=True)
            )
        ]
        each = self._past(its.goes() or (), *root, sa.func.count().label("erasure_rows"))
        counted = alike(each.group_by(*root), len(root))
        groups = tuple(group.name for group in its.groups)
        binds = batch.params((), its.cutoffs)
        for row in (await connection.execute(counted, binds)).all():
            tally.deleted(groups, batch.read.many(row[: len(root)]), row[len(root)])

    def _past(self, goes: All, *columns: ColumnElement[Any]) -> Select[Any]:
        """Select something of the rows that are somebody's, meant by the table, and go."""
        its = self._rules
        source = its.scope.source()
        return sa.select(*columns).select_from(source).where(its.which, *its.selected, *goes)


def _place(span: Span) -> tuple[str, str]:
    """Schema and name of the partition that a part is."""
    schema, name = span.upto or ("", "")
    return str(schema), str(name)


def _named(table: Table) -> set[str]:
    """The tables that a table's rows name: themselves among them, they hold each other."""
    links = [*table.references, *((table.parent,) if table.parent else ())]
    anchors = [a for group in table.groups for use in group.grounds for a in anchors_of(use)]
    return {link.table for link in (*links, *(a.link for a in anchors)) if link is not None}


_THERE = sa.text("SELECT pg_catalog.to_regclass(CAST(:name AS text))")
_ABOVE = "(SELECT relid FROM pg_catalog.pg_partition_ancestors(c.oid))"
_EVER = (
    "SELECT n.nspname, c.relname, pn.nspname, pc.relname"  # noqa: S608 - no value is put in
    " FROM pg_catalog.pg_partition_tree(CAST(CAST(:name AS text) AS pg_catalog.regclass)) AS t"
    " JOIN pg_catalog.pg_class c ON c.oid = t.relid"
    " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
    " JOIN pg_catalog.pg_class pc ON pc.oid = t.parentrelid"
    " JOIN pg_catalog.pg_namespace pn ON pn.oid = pc.relnamespace"
    " JOIN pg_catalog.pg_partitioned_table p ON p.partrelid = t.parentrelid"
    " JOIN pg_catalog.pg_attribute a ON a.attrelid = p.partrelid AND a.attnum = p.partattrs[0]"
    " CROSS JOIN LATERAL (SELECT CASE WHEN a.atttypid IN ("
    "  CAST('date' AS regtype), CAST('timestamp' AS regtype), CAST('timestamptz' AS regtype))"
    "  THEN substring(pg_catalog.pg_get_expr(c.relpartbound, c.oid) FROM 'TO \\(''([^'']+)''\\)$')"
    "  END AS ends) AS b"
    " WHERE t.isleaf AND c.relkind = 'r' AND p.partstrat = 'r' AND p.partnatts = 1"
    " AND b.ends IS NOT NULL"
    # Only the owner may drop a table, and only one who sees every row may say that all are past.
    " AND pg_catalog.pg_has_role(c.relowner, 'USAGE')"
    " AND pg_catalog.pg_has_role(pc.relowner, 'USAGE')"
    " AND NOT pg_catalog.row_security_active(c.oid)"
    " AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint k"
    f"  WHERE k.contype = 'f' AND k.confrelid IN {_ABOVE})"
    # A trigger may forbid the deletion, or do with a row what the store relies on.
    " AND NOT EXISTS (SELECT FROM pg_catalog.pg_trigger g WHERE NOT g.tgisinternal"
    f"  AND g.tgenabled <> 'D' AND g.tgtype & 8 > 0 AND g.tgrelid IN {_ABOVE})"
    " AND NOT EXISTS (SELECT FROM pg_catalog.pg_rewrite r"
    f"  WHERE r.ev_type = '4' AND r.ev_class IN {_ABOVE})"
    # Logical replication carries a DELETE, and no DROP: the rows would live on over there.
    " AND NOT EXISTS (SELECT FROM pg_catalog.pg_publication_tables u"
    "  JOIN pg_catalog.pg_class uc ON uc.relname = u.tablename"
    "  JOIN pg_catalog.pg_namespace un ON un.oid = uc.relnamespace AND un.nspname = u.schemaname"
    f"  WHERE uc.oid IN {_ABOVE})"
)
"""Partitions that may be dropped once their time is over."""
_PARTITIONS = sa.text(
    # Its time is over: no row that comes in as usual will look for it.
    f"{_EVER} AND CAST(b.ends AS timestamptz) <= pg_catalog.now()"
    " ORDER BY CAST(b.ends AS timestamptz), 1, 2"
)
_ANY = sa.text(f"SELECT EXISTS ({_EVER})")
