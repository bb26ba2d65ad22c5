"""Which way a table is walked by a sweep, and where its next part ends."""

from __future__ import annotations

import sqlalchemy as sa

from connectors.mapping import Cutoffs, Key, StoreMapping
from connectors.sql.columns import Params, Relation
from connectors.sql.dialect import Condition
from connectors.sql.links import link_of
from connectors.sql.lists import MariaDB
from connectors.sql.parts import draw
from connectors.sql.predicates import Rules
from connectors.sql.sessions import Opened, Sessions
from connectors.sql.spans import (
    BY_PARENT,
    PAGED,
    after_key,
    has_pages,
    next_key,
    page_after,
    pages,
)
from connectors.sql.steps import days, every
from connectors.sweeping import Span, Walk


class Walks:
    """The ways through one store; see :class:`connectors.sweeping.Walk`."""

    def __init__(self, mapping: StoreMapping, sessions: Sessions) -> None:
        self._mapping = mapping
        self._sessions = sessions
        self._pages: dict[str, int] = {}
        """How many pages a table had at least, when it was looked at last."""

    async def best(self, table: str) -> Walk:
        """By pages where the store has them, and by the parent where its dates decide."""

        async def ask() -> Walk:
            opened = await self._sessions.open()
            known: Walk | None = opened.parts.get(("walk", table))
            if known is None:
                known = opened.parts["walk", table] = await self._look(opened, table)
            return known

        return await self._sessions.run(ask)

    async def _look(self, opened: Opened, table: str) -> Walk:
        its = self._rules(opened, table)
        # Without an index on the way up, each part would read the table whole.
        above = its.scope.above if opened.served and its.led_by_parent else None
        async with self._sessions.reading(opened, 2) as connection:
            if above is not None and await has_pages(connection, above[0]):
                return Walk.PARENTS
            if await has_pages(connection, its.scope.relation):
                return Walk.PAGES
        return Walk.KEYS if above is None else Walk.PARENT_KEYS

    async def span(
        self, table: str, by: Walk, after: Key | None, size: int, cutoffs: Cutoffs
    ) -> Span:
        """Ask the store where the next part ends; nothing is read but an index, or a size."""
        if by in PAGED and (upto := page_after(after, size)) < (self._pages.get(table, 0),):
            return Span(table, by, after, upto)

        async def find() -> Span:
            opened = await self._sessions.open()
            relation = opened.reflection.relations[table]
            if by in BY_PARENT:
                relation = opened.reflection.relations[link_of(relation.table).table]
            if by in PAGED:
                end = await self._next_page(opened, table, relation, after, size)
            else:
                by_itself = by is Walk.KEYS
                over, binds = self._over(opened, table, cutoffs) if by_itself else (None, {})
                end = await self._next_key(opened, relation, after, size, over, binds)
            return Span(table, by, after, end)

        return await self._sessions.run(find)

    async def _next_page(
        self, opened: Opened, table: str, relation: Relation, after: Key | None, size: int
    ) -> Key | None:
        async with self._sessions.reading(opened, 1) as connection:
            self._pages[table] = there = await pages(connection, relation)
        upto = page_after(after, size)
        return upto if upto < (there,) else None

    def _over(
        self, opened: Opened, table: str, cutoffs: Cutoffs
    ) -> tuple[Condition | None, Params]:
        """When anything of a row is over, as the row by itself can say it, with its binds."""
        its = self._rules(opened, table)
        if not isinstance(opened.dialect, MariaDB) or its.scope.joins:
            return None, {}
        dead = (every(found) for group in its.groups if (found := its.dead(group)))
        return sa.or_(sa.false(), *dead), days(opened.dialect, cutoffs, its.cutoffs)

    def _rules(self, opened: Opened, table: str) -> Rules:
        known: Rules | None = opened.parts.get(("rules", table))
        if known is None:
            whole = Span(table, Walk.KEYS, None, None)
            known = draw(opened, self._mapping, whole, without=False).rules
            opened.parts["rules", table] = known
        return known

    async def _next_key(
        self,
        opened: Opened,
        relation: Relation,
        after: Key | None,
        size: int,
        over: Condition | None,
        binds: Params,
    ) -> Key | None:
        dialect = opened.dialect
        statement = next_key(dialect, relation, first=after is None, size=size, over=over)
        binds = binds | after_key(dialect, relation, after)
        async with self._sessions.reading(opened, 1) as connection:
            row = (await connection.execute(statement, binds)).one_or_none()
        if row is None:
            return None
        return tuple(c.decode(value) for c, value in zip(relation.key, row, strict=True))
