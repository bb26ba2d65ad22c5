"""Parts of a table that are swept one by one: page ranges on PostgreSQL, key ranges anywhere.

PostgreSQL reads a range of pages without an index (TID range scan, since version 14), but a row
that is changed moves; a key never does. So a table is walked by its pages where it can be, for
speed, and what may have moved meanwhile is looked for by key at the end.
"""

from __future__ import annotations

import operator
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
from connectors.sql.links import Scope, Side
from connectors.sweeping import Span, Walk

AFTER, UPTO = "erasure_after", "erasure_upto"
_LAST_PAGE = 2**32 - 2
_NEAR = 50
"""Rows among which a part is to end before one that stays."""
PAGED = frozenset({Walk.PAGES, Walk.PARENTS})
BY_PARENT = frozenset({Walk.PARENTS, Walk.PARENT_KEYS})


class _Tid(UserDefinedType[Any]):
    """``tid``: a page and a place in it; the driver takes a pair of numbers."""

    cache_ok = True

    def get_col_spec(self, **kw: Any) -> str:
        """Return the type's name in SQL."""
        return "TID"


def within(dialect: Dialect, span: Span) -> Callable[[Scope], Condition]:
    """What limits a statement over a table to a part of it, as ``rules`` takes it."""

    def which(scope: Scope) -> Condition:
        # A row that leads to nobody is nobody's to sweep: the policy's check tells of it.
        somebody = [column.is_not(None) for column in scope.root]
        bounds: list[Condition] = []
        if span.by is not Walk.PARTITION:
            relation, walked = walked_by(scope, span.by)
            if span.by in PAGED:
                place: ColumnElement[Any] = sa.column("ctid", _Tid(), _selectable=walked)
                bounds = [
                    place >= sa.bindparam(AFTER, type_=_Tid()),
                    place < sa.bindparam(UPTO, type_=_Tid()),
                ]
            else:
                own = [walked.c[column.name] for column in relation.key]
                bounds = _by_key(dialect, relation.key, own, span)
        return sa.and_(*bounds, *somebody)

    return which


def walked_by(scope: Scope, by: Walk) -> Side:
    """The table along which another is walked: itself, or the one that it hangs on.

    Raises ``LookupError`` where the parent has no part in a statement.
    """
    if by not in BY_PARENT:
        return scope.relation, scope.target
    if scope.above is None:
        raise LookupError(f"{scope.relation.table.name} is not walked by a parent")
    return scope.above


def params(dialect: Dialect, scope: Scope, span: Span) -> Params:
    """Binds for :func:`within`."""
    if span.by in PAGED:
        last = _LAST_PAGE if span.upto is None else _page(span.upto)
        return {AFTER: (_page(span.after), 0), UPTO: (last, 0)}
    if span.by is Walk.PARTITION:
        return {}
    relation, _ = walked_by(scope, span.by)
    return {
        f"{name}_{i}": value
        for name, key in ((AFTER, span.after), (UPTO, span.upto))
        if key is not None
        for i, value in enumerate(_values(dialect, relation, key))
    }


def after_key(dialect: Dialect, relation: Relation, key: Key | None) -> Params:
    """Binds for :func:`next_key` after a key of that table."""
    values = () if key is None else _values(dialect, relation, key)
    return {f"{AFTER}_{i}": value for i, value in enumerate(values)}


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


def next_key(
    dialect: Dialect, relation: Relation, *, first: bool, size: int, over: Condition | None
) -> Select[Any]:
    """Select the key that begins what comes after ``size`` rows; nothing when fewer are left.

    MariaDB locks, while it looks, the row behind a part as well: who erases two parts at once then
    waits for a row of the next one. A row that stays is not kept locked, so the next part begins
    with one where there is one near: one of which nothing is ``over``.
    """
    clause = relation.clause
    own = [clause.c[column.name] for column in relation.key]
    selected = [
        dialect.key(expression, column).label(f"erasure_{i}")
        for i, (expression, column) in enumerate(zip(own, relation.key, strict=True))
    ]
    statement = sa.select(*selected).select_from(clause).order_by(*own)
    if not first:
        statement = statement.where(*_after(dialect, relation.key, own, AFTER))
    statement = statement.offset(size if first else size - 1)
    if over is None:
        return statement.limit(1)
    near = statement.add_columns(over.label("erasure_over")).limit(_NEAR).subquery("erasure_near")
    keys = [near.c[label.name] for label in selected]
    stays = sa.func.coalesce(near.c.erasure_over, sa.false())
    return sa.select(*keys).order_by(stays, *keys).limit(1)


def _by_key(
    dialect: Dialect, columns: Sequence[Column], own: Sequence[ColumnElement[Any]], span: Span
) -> list[Condition]:
    bounds: list[Condition] = []
    if span.after is not None:
        bounds += _from(dialect, columns, own, AFTER)
    if span.upto is not None:
        bounds += _before(dialect, columns, own, UPTO)
    return bounds


def _after(
    dialect: Dialect, columns: Sequence[Column], own: Sequence[ColumnElement[Any]], name: str
) -> list[Condition]:
    """Rows after a key, column by column: MariaDB finds no index for a comparison of tuples."""
    given = _given(dialect, columns, name)
    steps = _steps(own, given, operator.gt)
    return steps if len(steps) == 1 else [own[0] >= given[0], sa.or_(*steps)]


def _from(
    dialect: Dialect, columns: Sequence[Column], own: Sequence[ColumnElement[Any]], name: str
) -> list[Condition]:
    given = _given(dialect, columns, name)
    if len(own) == 1:
        return [own[0] >= given[0]]
    same = sa.and_(*(a == b for a, b in zip(own, given, strict=True)))
    return [own[0] >= given[0], sa.or_(*_steps(own, given, operator.gt), same)]


def _before(
    dialect: Dialect, columns: Sequence[Column], own: Sequence[ColumnElement[Any]], name: str
) -> list[Condition]:
    given = _given(dialect, columns, name)
    steps = _steps(own, given, operator.lt)
    return steps if len(steps) == 1 else [own[0] <= given[0], sa.or_(*steps)]


def _steps(
    own: Sequence[ColumnElement[Any]],
    given: Sequence[ColumnElement[Any]],
    compared: Callable[[Any, Any], ColumnElement[bool]],
) -> list[Condition]:
    """For each column of a key: it differs so, and those before it are the same."""
    return [
        sa.and_(*(a == b for a, b in zip(own[:i], given[:i], strict=True)), compared(own[i], value))
        for i, value in enumerate(given)
    ]


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


def _values(dialect: Dialect, relation: Relation, key: Key) -> list[object]:
    """A key's values as a statement's binds take them: PostgreSQL casts a text itself."""
    pairs = zip(relation.key, key, strict=True)
    if isinstance(dialect, PostgreSQL):
        return [int(v) if column.family is Family.INTEGER else str(v) for column, v in pairs]
    return [column.encode(value) for column, value in pairs]


def _page(position: Key | None) -> int:
    return 0 if position is None else int(position[0])
