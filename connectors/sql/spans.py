"""Parts of a table that are swept one by one: page ranges on PostgreSQL, key ranges anywhere.

PostgreSQL reads a range of pages without an index (TID range scan, since version 14), but a row
that is changed moves; a key never does. So a table is walked by its pages where it can be, for
speed, and what may have moved meanwhile is looked for by key at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Select
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import UserDefinedType

from connectors.mapping import Key
from connectors.sql.arrays import PostgreSQL
from connectors.sql.columns import Column, Family, Params, Relation
from connectors.sql.dialect import Condition, Dialect
from connectors.sql.links import Scope
from connectors.sweeping import Span, Walk

AFTER, UPTO = "erasure_after", "erasure_upto"
_LAST_PAGE = 2**32 - 2
PAGED = frozenset({Walk.PAGES, Walk.PARENTS})


class _Tid(UserDefinedType[Any]):
    """``tid``: a page and a place in it; the driver takes a pair of numbers."""

    cache_ok = True

    def get_col_spec(self, **kw: Any) -> str:
        """Return the type's name in SQL."""
        return "TID"


def within(dialect: Dialect, relation: Relation, span: Span) -> Callable[[Scope], Condition]:
    """What limits a statement over a table to a part of it, as ``rules`` takes it."""

    def which(scope: Scope) -> Condition:
        # A row that leads to nobody is nobody's to sweep: the policy's check tells of it.
        somebody = [column.is_not(None) for column in scope.root]
        bounds: list[Condition] = []
        if span.by in PAGED:
            paged = scope.target if span.by is Walk.PAGES else scope.joins[0][0]
            place: ColumnElement[Any] = sa.column("ctid", _Tid(), _selectable=paged)
            bounds = [
                place >= sa.bindparam(AFTER, type_=_Tid()),
                place < sa.bindparam(UPTO, type_=_Tid()),
            ]
        elif span.by is Walk.KEYS:
            bounds = _by_key(dialect, relation.key, scope.key(), span)
        return sa.and_(*bounds, *somebody)

    return which


def params(dialect: Dialect, relation: Relation, span: Span) -> Params:
    """Binds for :func:`within`."""
    if span.by in PAGED:
        last = _LAST_PAGE if span.upto is None else _page(span.upto)
        return {AFTER: (_page(span.after), 0), UPTO: (last, 0)}
    if span.by is Walk.PARTITION:
        return {}
    return {
        f"{name}_{i}": _value(dialect, column, value)
        for name, key in ((AFTER, span.after), (UPTO, span.upto))
        if key is not None
        for i, (column, value) in enumerate(zip(relation.key, key, strict=True))
    }


def page_after(after: Key | None, size: int) -> tuple[int]:
    """The page before which the next ``size`` pages end."""
    return (_page(after) + size,)


async def pages(connection: AsyncConnection, relation: Relation) -> int:
    """How many pages a table has, or the longest of its partitions."""
    found = await connection.execute(_PAGES, {"name": named(relation)})
    return int(found.scalar_one() or 0)


async def has_pages(connection: AsyncConnection, relation: Relation) -> bool:
    """Whether ranges of pages can be read, fast, of a table and all of its partitions."""
    if connection.dialect.name != "postgresql":
        return False
    if (connection.dialect.server_version_info or ()) < _READS_PAGES:
        return False
    return bool((await connection.execute(_HEAPS, {"name": named(relation)})).scalar_one())


def named(relation: Relation) -> str:
    """A relation's name as a statement on PostgreSQL writes it."""
    return quoted(*(p for p in (relation.table.schema, relation.table.relation) if p is not None))


def quoted(*parts: str) -> str:
    """A name of several parts as a statement on PostgreSQL writes it."""
    quote = postgresql.dialect().identifier_preparer.quote  # type: ignore[no-untyped-call] # SQLAlchemy left it untyped
    return ".".join(quote(part) for part in parts)


_READS_PAGES = (14,)
"""The version of PostgreSQL since which a range of pages is not looked for in the whole table."""
_TREE = (
    "WITH RECURSIVE tree AS (SELECT CAST(CAST(:name AS text) AS pg_catalog.regclass) AS relid"
    " UNION SELECT i.inhrelid FROM pg_catalog.pg_inherits i JOIN tree ON i.inhparent = relid)"
)
# Of a partitioned table a range of pages is read in each of its partitions: the longest counts.
_PAGES = sa.text(
    f"{_TREE} SELECT max(pg_catalog.pg_relation_size(relid))"  # noqa: S608 - no value is put in
    " / CAST(pg_catalog.current_setting('block_size') AS bigint) FROM tree"
)
# A partition elsewhere (a foreign table) or of another make has no pages to ask for.
_HEAPS = sa.text(
    f"{_TREE} SELECT pg_catalog.bool_and("  # noqa: S608 - no value is put in
    "c.relkind = 'p' OR (c.relkind = 'r' AND m.amname = 'heap'))"
    " FROM tree JOIN pg_catalog.pg_class c ON c.oid = relid"
    " LEFT JOIN pg_catalog.pg_am m ON m.oid = c.relam"
)


def next_key(dialect: Dialect, relation: Relation, *, first: bool, size: int) -> Select[Any]:
    """Select the key that ends the next ``size`` rows after a key; nothing when fewer are left."""
    clause = relation.clause
    own = [clause.c[column.name] for column in relation.key]
    selected = [
        dialect.key(expression, column).label(f"erasure_{i}")
        for i, (expression, column) in enumerate(zip(own, relation.key, strict=True))
    ]
    statement = sa.select(*selected).select_from(clause).order_by(*own).offset(size - 1).limit(1)
    if not first:
        statement = statement.where(*_beyond(dialect, relation.key, own, AFTER))
    return statement


def _by_key(
    dialect: Dialect, columns: Sequence[Column], own: Sequence[ColumnElement[Any]], span: Span
) -> list[Condition]:
    bounds: list[Condition] = []
    if span.after is not None:
        bounds += _beyond(dialect, columns, own, AFTER)
    if span.upto is not None:
        bounds += _up_to(dialect, columns, own, UPTO)
    return bounds


def _beyond(
    dialect: Dialect, columns: Sequence[Column], own: Sequence[ColumnElement[Any]], name: str
) -> list[Condition]:
    """Rows after a key, column by column: MariaDB finds no index for a comparison of tuples."""
    given = _given(dialect, columns, name)
    steps = [
        sa.and_(*(a == b for a, b in zip(own[:i], given[:i], strict=True)), own[i] > given[i])
        for i in range(len(own))
    ]
    return steps if len(steps) == 1 else [own[0] >= given[0], sa.or_(*steps)]


def _up_to(
    dialect: Dialect, columns: Sequence[Column], own: Sequence[ColumnElement[Any]], name: str
) -> list[Condition]:
    given = _given(dialect, columns, name)
    if len(own) == 1:
        return [own[0] <= given[0]]
    steps = [
        sa.and_(*(a == b for a, b in zip(own[:i], given[:i], strict=True)), own[i] < given[i])
        for i in range(len(own))
    ]
    same = sa.and_(*(a == b for a, b in zip(own, given, strict=True)))
    return [own[0] <= given[0], sa.or_(*steps, same)]


def _given(dialect: Dialect, columns: Sequence[Column], name: str) -> list[ColumnElement[Any]]:
    if not isinstance(dialect, PostgreSQL):
        return [sa.bindparam(f"{name}_{i}") for i, _ in enumerate(columns)]
    given: list[ColumnElement[Any]] = []
    for i, column in enumerate(columns):
        if column.family is Family.INTEGER:
            given.append(sa.bindparam(f"{name}_{i}", type_=sa.BigInteger()))
        else:
            given.append(sa.cast(sa.bindparam(f"{name}_{i}", type_=sa.Text()), column.type))
    return given


def _value(dialect: Dialect, column: Column, value: int | str) -> object:
    """A key's value as the statement's bind takes it: PostgreSQL casts a text itself."""
    if isinstance(dialect, PostgreSQL):
        return int(value) if column.family is Family.INTEGER else str(value)
    return column.encode(value)


def _page(position: Key | None) -> int:
    return 0 if position is None else int(position[0])
