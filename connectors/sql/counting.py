"""Counting a whole table in one statement: when its rows fall due, and of how many people.

The rows are numbered (:mod:`connectors.sql.numbers`) and counted by number and person in the store;
what comes back is one line a field group and number. Nothing is locked and nothing is changed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import (
    CTE,
    ColumnElement,
    CompoundSelect,
    FromClause,
    Label,
    Select,
    Subquery,
)
from sqlalchemy.sql.visitors import replacement_traverse

from connectors.falling_due import DueInOne, FallingDue, Undue
from connectors.faults import Misfit
from connectors.mapping import Cutoffs, FieldGroup, Key, ParentLink, StoreMapping
from connectors.sql.columns import Relation
from connectors.sql.dialect import Condition, Dialect
from connectors.sql.numbers import Numbers, greatest
from connectors.sql.overwrites import plain
from connectors.sql.predicates import Rules, rules

Counts = CompoundSelect[Any]
_FIRST, _SECOND = 1, 2


class Counting:
    """The statements that count one table of a store, in which every consent stands."""

    def __init__(
        self,
        dialect: Dialect,
        mapping: StoreMapping,
        relations: Mapping[str, Relation],
        table: str,
        cutoffs: Sequence[Cutoffs],
    ) -> None:
        def named(name: str) -> Numbers:
            shape = tuple({use.ground for group in mapping.groups() for use in group.grounds})
            return Numbers(rules(dialect, mapping, relations, name, tuple(sorted(shape))), cutoffs)

        self._numbers = named(table)
        self._rules = self._numbers.rules
        link = self._rules.scope.relation.table.shared_by
        self._link = None if link is None else (link, named(link.table))

    def forecast(self) -> Counts | None:
        """Count each group's rows and people by when they fall due; None without a group."""
        groups = self._rules.groups
        crowds = self._crowds([self._group(group) for group in groups])
        numbers = [crowds.c[f"erasure_{n}"] for n in range(len(groups))]
        return self._counted(crowds, numbers) if groups else None

    def forecast_of(self, rows: Sequence[Sequence[Any]]) -> list[FallingDue]:
        """Read what :meth:`forecast` gave."""
        groups = self._rules.groups
        return [
            FallingDue(
                groups[at].name, self._numbers.when(int(number)), int(count), _people(people)
            )
            for at, number, count, people in rows
            if number is not None
        ]

    def comparison(self, pairs: Sequence[tuple[str, str]]) -> Counts:
        """Count for each pair of groups the rows that are due by just one of them.

        Raises ``Misfit`` for shared rows.
        """
        if self._link is not None:
            raise Misfit("shared-rows", "rows that belong to several people are not compared")
        groups = {group.name: group for group in self._rules.groups}
        both = [(groups[first], groups[second]) for first, second in pairs]
        crowds = self._crowds(self._differing(both))
        return self._counted(crowds, [crowds.c[f"erasure_{n}"] for n in range(len(pairs))])

    def _differing(
        self, pairs: Sequence[tuple[FieldGroup, FieldGroup]]
    ) -> list[ColumnElement[Any]]:
        """For each pair, by which of the two groups a row is due alone; NULL: by none or both.

        A group of which the row holds nothing counts where it decides when the row itself goes.
        """
        its, number = self._rules, self._numbers.group
        each = [(number(first), number(second)) for first, second in pairs]
        row = [greatest(side) for side in zip(*each, strict=True)]
        found: list[ColumnElement[Any]] = []
        for numbers, groups in zip(each, pairs, strict=True):
            holds = sa.and_(*(_holds(its, group) for group in groups))
            whens: list[tuple[Condition, ColumnElement[int]]] = []
            for due, other, which in ((0, 1, _FIRST), (1, 0, _SECOND)):
                goes = sa.and_(row[due] == 0, *its.childless)
                matters = holds if its.row_stays else sa.or_(holds, goes)
                alone = sa.and_(numbers[due] == 0, numbers[other] != 0, matters)
                whens.append((alone, sa.literal_column(str(which))))
            found.append(sa.case(*whens))
        return found

    def comparison_of(
        self, pairs: Sequence[tuple[str, str]], rows: Sequence[Sequence[Any]]
    ) -> list[DueInOne]:
        """Read what :meth:`comparison` gave."""
        found = []
        for at, number, count, people in rows:
            if number is not None:
                due, other = pairs[at] if int(number) == _FIRST else reversed(pairs[at])
                found.append(DueInOne(due, other, int(count), int(people)))
        return found

    def _group(self, group: FieldGroup) -> ColumnElement[Any]:
        """A group's number, NULL in a row that holds nothing of it.

        A group that takes its row along counts in every row: so long as the row is there, so is
        the group. A shared row goes as a whole, with its last group and its last link.
        """
        its = self._rules
        if self._link is not None:
            last: ColumnElement[int] = sa.literal_column("erasure_lasts.erasure_last")
            return greatest([self._numbers.row(), last])
        number = self._numbers.group(group)
        if len(its.groups) == 1 and not its.childless and not its.row_stays:
            return number
        return sa.case((_holds(its, group), number))

    def _crowds(self, numbers: Sequence[ColumnElement[Any]]) -> CTE:
        """Gather the rows of each person that have the same numbers."""
        rows = self._rows([number.label(f"erasure_{n}") for n, number in enumerate(numbers)])
        count = sa.func.count().label("erasure_count")
        return sa.select(*rows.c, count).group_by(*rows.c).cte("erasure_crowds")

    def _rows(self, columns: Sequence[Label[Any]], without: Sequence[Key] = ()) -> Subquery:
        """Select columns of each row that is somebody's, beside the key of whose it is.

        Rows of the people in ``without`` are left out.
        """
        its = self._rules
        source, people, where = its.scope.source(), list(its.scope.root), list(its.selected)
        if self._link is None:
            where += [column.is_not(None) for column in people]
            if without:
                where.append(sa.not_(_of(its, without)))
        else:
            source, people = self._linked(source, *self._link, without), []
        whose = [column.label(f"erasure_root_{n}") for n, column in enumerate(people)]
        rows = sa.select(*columns, *whose).select_from(source).where(*where)
        return rows.subquery("erasure_rows")

    def _linked(
        self, source: FromClause, link: ParentLink, through: Numbers, without: Sequence[Key]
    ) -> FromClause:
        """Join the day on which the last link of a shared row goes; without a link it is nobody's.

        A row goes with its last link at the earliest, so that is one more number among the others.
        The link of somebody who is left out does not go.
        """
        its = through.rules
        theirs = [its.scope.target.c[column] for _, column in link.columns]
        goes = through.row()
        if without:
            goes = sa.case((_of(its, without), through.number(Undue.NO_END)), else_=goes)
        links = (
            sa.select(
                *(column.label(f"erasure_tie_{n}") for n, column in enumerate(theirs)),
                goes.label("erasure_row"),
            )
            .select_from(its.scope.source())
            .where(*its.selected, *(column.is_not(None) for column in its.scope.root))
            .subquery("erasure_links")
        )
        ties = [links.c[f"erasure_tie_{n}"] for n in range(len(theirs))]
        last = (
            sa.select(*ties, sa.func.max(links.c.erasure_row).label("erasure_last"))
            .group_by(*ties)
            .subquery("erasure_lasts")
        )
        own = [self._rules.scope.target.c[column] for column, _ in link.columns]
        same = [mine == last.c[tie.name] for mine, tie in zip(own, ties, strict=True)]
        return sa.join(source, last, sa.and_(*same))

    def _counted(self, crowds: CTE, numbers: Sequence[ColumnElement[Any]]) -> Counts:
        """Count rows and people for each value of each number."""
        people = [column for column in crowds.c if column.name.startswith("erasure_root_")]
        parts: list[Select[Any]] = []
        for at, number in enumerate(numbers):
            when, count = number, crowds.c.erasure_count
            if len(numbers) > 1:
                # A person may stand in several crowds that have this number alike.
                one = (
                    sa.select(number.label("erasure_when"), sa.func.sum(count).label("erasure_n"))
                    .group_by(sa.literal_column("erasure_when"), *people)
                    .subquery(f"erasure_one_{at}")
                )
                when, count = one.c.erasure_when, one.c.erasure_n
            number_of: ColumnElement[int] = sa.literal_column(str(at))
            of_people = sa.func.count() if people else sa.null()
            # What holds nothing (NULL) is counted too and left out when read: a condition here
            # would have the store compute each number twice.
            parts.append(sa.select(number_of, when, sa.func.sum(count), of_people).group_by(when))
        return sa.union_all(*parts)


def _holds(rules: Rules, group: FieldGroup) -> Condition:
    """Whether a row holds anything of a group; a document that is there may hold all of it."""
    target = rules.scope.target
    documents = [field.column for field in group.fields if field.path is not None]
    there: list[Condition] = [target.c[column].is_not(None) for column in dict.fromkeys(documents)]
    if plain(group):
        there.append(rules.unblank(group))
    return sa.or_(*there)


def _of(rules: Rules, people: Sequence[Key]) -> Condition:
    """Whether a row is one of these people's; the keys go along with the condition."""
    scope = rules.scope
    keyed = rules.dialect.keyed(scope.root, scope.root_columns)
    values = rules.dialect.key_params(scope.root_columns, people)

    def given(element: Any, **_: Any) -> Any:
        """A bind that carries its value, under a name of its own."""
        if not isinstance(element, sa.BindParameter) or element.key not in values:
            return None
        value, expanding = values[element.key], element.expanding
        return sa.bindparam(None, value, element.type, unique=True, expanding=expanding)

    return replacement_traverse(keyed, {}, given)


def _people(count: Any) -> int | None:
    return None if count is None else int(count)
