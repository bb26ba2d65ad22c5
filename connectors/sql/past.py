"""Counting what is past its last ground, and whose it is: what a sweep would erase now.

A row counts where a forecast (:mod:`connectors.sql.counting`) calls it due on the first of its
days. One statement a table gathers the rows of each person and adds them up. One more counts the
people of several tables, each once; it is spared where each of those statements has seen that the
person's own row is due as well. Nothing is locked, nothing is changed, no row leaves the store.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement, FromClause, Select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.visitors import iterate, replacement_traverse

from connectors.falling_due import Counted, Past, PastGroup, Whose
from connectors.mapping import Cutoffs, FieldGroup, Key, StoreMapping
from connectors.sql.columns import Relation
from connectors.sql.counting import Counting
from connectors.sql.dialect import Condition, Dialect
from connectors.sql.filters import matching

_DUE = 0
"""The number of what is due on the first of the days that were asked about."""


class _Passed(Counting):
    """The statements that count what one table has past its last ground."""

    def totals(
        self, without: Sequence[Key], *, people: bool, root: _Passed | None
    ) -> Select[Any] | None:
        """Select rows, people and oldest date of each group, side by side; None without a group.

        Without ``people`` no row is gathered by whose it is, which is most of the work. With
        ``root`` the last column tells what :meth:`people_of` reads.
        """
        groups = self._rules.groups
        if not groups:
            return None
        beside = None if root is None else self._beside(root)
        rows = self._rows(
            [
                *(self._group(group).label(f"erasure_{n}") for n, group in enumerate(groups)),
                *(self._date(group).label(f"erasure_date_{n}") for n, group in enumerate(groups)),
                *([] if beside is None else [beside.label("erasure_beside")]),
            ],
            without,
        )
        whose = [c for c in rows.c if people and c.name.startswith("erasure_root_")]
        due = [rows.c[f"erasure_{n}"] == _DUE for n in range(len(groups))]
        each: list[ColumnElement[Any]] = []
        for n in range(len(groups)):
            each.append(sa.func.count(sa.case((due[n], 1))).label(f"erasure_rows_{n}"))
            oldest = sa.func.min(sa.case((due[n], rows.c[f"erasure_date_{n}"])))
            each.append(oldest.label(f"erasure_oldest_{n}"))
        if beside is not None:
            each.append(sa.func.sum(rows.c.erasure_beside).label("erasure_beside"))
        # Most rows of most tables are not due: the others alone are gathered by person.
        persons = sa.select(*each).where(sa.or_(*due)).group_by(*whose).subquery("erasure_persons")
        found: list[ColumnElement[Any]] = []
        for n in range(len(groups)):
            count = persons.c[f"erasure_rows_{n}"]
            found.append(sa.func.coalesce(sa.func.sum(count), 0))
            found.append(sa.func.count(sa.case((count > 0, 1))) if whose else sa.null())
            found.append(sa.func.min(persons.c[f"erasure_oldest_{n}"]))
        found.append(sa.null() if beside is None else sa.func.sum(persons.c.erasure_beside))
        return sa.select(*found)

    def groups_of(self, row: Sequence[Any]) -> list[PastGroup]:
        """Read what :meth:`totals` gave."""
        day = self._rules.dialect.day
        return [
            PastGroup(
                group.name,
                int(row[3 * n]),
                None if row[3 * n + 1] is None else int(row[3 * n + 1]),
                day(row[3 * n + 2]),
            )
            for n, group in enumerate(self._rules.groups)
            if row[3 * n]
        ]

    def people_of(self, row: Sequence[Any]) -> int | None:
        """How many people :meth:`totals` counted whom the root's table does not count.

        Of the root's table itself it is everybody; of another the rows are counted, so that only 0
        is a number of people. None: it was not asked, or cannot be told by row.
        """
        return None if row[-1] is None else int(row[-1])

    def _beside(self, root: _Passed) -> ColumnElement[Any] | None:
        """1 for a row of a person who has no root row that is due, else 0; None: who can tell?

        It takes a root row beside each row that says by itself whether it is due.
        """
        its = root._rules
        relation = its.scope.relation
        if self._link is not None or not relation.is_unique(relation.table.key):
            return None
        if self._rules.scope.relation is relation:
            return sa.literal_column("1")
        here = next(
            (
                joined
                for joined, _ in self._rules.scope.joins
                if isinstance(joined, sa.Alias) and joined.element is relation.clause
            ),
            None,
        )
        due = sa.or_(sa.false(), *(root._group(group) == _DUE for group in its.groups))
        known = sa.and_(due, *its.selected, *(key.is_not(None) for key in its.scope.root))
        if here is None or any(isinstance(part, sa.Select) for part in iterate(known)):
            return None
        return sa.case((_read_from(here, relation.clause, known), 0), else_=1)

    def persons(self, without: Sequence[Key]) -> Select[Any] | None:
        """Select who has anything past its last ground, by row; None where several have a row.

        A shared row goes with its last link, and whoever loses it loses that link as well.
        """
        scope, groups = self._rules.scope, self._rules.groups
        if self._link is not None or not groups:
            return None
        numbers = [self._group(group).label(f"erasure_{n}") for n, group in enumerate(groups)]
        rows = self._rows(numbers, without)
        due: list[Condition] = [rows.c[number.name] == _DUE for number in numbers]
        roots = [
            self._rules.dialect.key(rows.c[f"erasure_root_{n}"], column).label(f"erasure_key_{n}")
            for n, column in enumerate(scope.root_columns)
        ]
        return sa.select(*roots).where(sa.or_(*due))

    def _date(self, group: FieldGroup) -> ColumnElement[Any]:
        """The newest of the dates from which the grounds of a row's group run, NULL for none."""
        newest: ColumnElement[Any] = sa.null()
        for use in group.grounds:
            if use.anchor is None:
                continue
            date: ColumnElement[Any] = self._rules.dates.value(use)
            if use.evidence is not None:
                date = sa.case((self._rules.stands(use), date))
            if isinstance(newest, sa.Null):
                newest = date
            else:
                newest = sa.case((newest.is_(None), date), (date > newest, date), else_=newest)
        return newest


def _read_from(here: FromClause, table: FromClause, condition: Condition) -> Condition:
    """The same condition on a table as it was joined."""

    def joined(element: Any, **_: Any) -> Any:
        there = isinstance(element, sa.ColumnClause) and element.table is table
        return here.c[element.name] if there else None

    return replacement_traverse(condition, {}, joined)


async def read_past(
    connection: AsyncConnection,
    dialect: Dialect,
    mapping: StoreMapping,
    relations: Mapping[str, Relation],
    tables: Sequence[str],
    cutoffs: Cutoffs,
    without: Sequence[Key],
    counted: Counted,
    *,
    whose: Whose,
) -> Past:
    """Count the given tables of a store, and its people; ``whose`` would lose data."""
    groups: list[PastGroup] = []
    persons: list[Select[Any]] = []
    numbers: dict[str, int | None] = {}
    asked, root = whose is not Whose.NOBODY, mapping.root.name
    roots: _Passed | None = None
    if asked and root in tables:
        roots = _Passed(dialect, mapping, relations, root, [cutoffs])
    for name in tables:
        counting = _Passed(dialect, mapping, relations, name, [cutoffs])
        totals = counting.totals(without, people=whose is Whose.EACH, root=roots)
        if totals is not None:
            row = (await connection.execute(totals)).one()
            found = counting.groups_of(row)
            groups += found
            losers = counting.persons(without) if found and asked else None
            if losers is not None:
                persons.append(losers)
                numbers[name] = counting.people_of(row)
        counted(name)
    losing = numbers.pop(root, 0)
    if losing is None or any(beside != 0 for beside in numbers.values()):
        losing = await _each_once(connection, persons)
    of = await people(connection, dialect, relations[mapping.root.name])
    return Past(tuple(groups), losing, of)


async def _each_once(connection: AsyncConnection, persons: Sequence[Select[Any]]) -> int:
    """Count the people of several tables: a union takes each once; of one table there is none."""
    once = sa.union(*persons) if persons[1:] else persons[0].distinct()
    counted = sa.select(sa.func.count()).select_from(once.subquery("erasure_people"))
    return int((await connection.execute(counted)).scalar_one())


async def people(connection: AsyncConnection, dialect: Dialect, root: Relation) -> int:
    """Count the rows that the root table of a store means."""
    counted = sa.select(sa.func.count()).select_from(root.clause)
    counted = counted.where(*matching(dialect, root, root.clause))
    return int((await connection.execute(counted)).scalar_one())
