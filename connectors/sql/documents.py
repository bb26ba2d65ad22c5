"""Fields inside JSON columns: the documents are read under a lock, rewritten here, written back.

No two databases edit JSON alike, and none takes a member out at any depth. So the documents of the
rows that stay come here, lose what is due, and go back by key, many rows in a statement. A row
that goes as a whole needs nothing of this.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Select
from sqlalchemy.ext.asyncio import AsyncConnection

from connectors.base import Remainder
from connectors.faults import Refused
from connectors.mapping import Field, FieldGroup, Key
from connectors.sql import overwrites
from connectors.sql.columns import KEY, Params
from connectors.sql.paths import Document, NotJson, Path, parse
from connectors.sql.predicates import All, Rules
from connectors.sql.steps import Batch, Step, Tally, every
from connectors.sql.verify import Look

_PORTION = 100
"""Rows in one statement that writes documents back."""
Due = Sequence[tuple[FieldGroup, All]]


@dataclass(frozen=True, slots=True)
class Row:
    """A row that stays: its person, its own key, and its documents by column."""

    person: Key
    key: tuple[Any, ...]
    key_text: str
    documents: dict[str, str | None]
    dead: tuple[bool, ...]
    """For each group with documents, whether it is."""
    counted: tuple[bool, ...]
    """For each of them, whether its plain columns count the row already."""

    def held(self, group: FieldGroup) -> Iterator[tuple[Field, Path, Document, str | int | None]]:
        """The fields of a group that the documents still hold. Raises ``NotJson``."""
        for field in group.fields:
            text = None if field.path is None else self.documents[field.column]
            if field.path is None or not text or text.isspace():
                continue
            document, path = Document(text), parse(field.path)
            value = field.overwrite
            value = value.replace(KEY, self.key_text) if isinstance(value, str) else value
            if document.holds(path, value):
                yield field, path, document, value


@dataclass(frozen=True, slots=True)
class Documents:
    """The documents of one table under one shape, and the SELECT that finds them."""

    rules: Rules
    groups: tuple[FieldGroup, ...]
    columns: tuple[str, ...]
    statement: Select[Any]

    async def rows(self, connection: AsyncConnection, params: Params, batch: Batch) -> list[Row]:
        """Read the rows that stay and of which a group with documents is dead."""
        scope = self.rules.scope
        at = [len(scope.root), len(scope.relation.table.key), 1, len(self.columns), 1]
        at += [len(self.groups)] * 2
        ends = [sum(at[: n + 1]) for n in range(len(at))]
        found: list[Row] = []
        for row in (await connection.execute(self.statement, params)).all():
            parts = [tuple(row[end - n : end]) for end, n in zip(ends, at, strict=True)]
            _, key, (key_text,), texts, (goes,), dead, counted = parts
            if not goes:
                documents = dict(zip(self.columns, texts, strict=True))
                flags = tuple(map(bool, dead)), tuple(map(bool, counted))
                found.append(Row(batch.read.one(row), key, key_text, documents, *flags))
        return found


@dataclass(frozen=True, slots=True)
class Rewrite:
    """Takes the dead fields out of the documents of the rows that stay."""

    documents: Documents

    async def run(self, connection: AsyncConnection, batch: Batch, tally: Tally) -> None:
        """Rewrite for all keys of a batch. Raises ``Refused`` for what is no JSON."""
        rules = self.documents.rules
        changed: dict[tuple[Any, ...], Row] = {}
        for params in batch.chunks(rules.scope.root_columns, rules.cutoffs):
            for row in await self.documents.rows(connection, params, batch):
                if self._rewritten(row, tally):
                    changed[row.key] = row
        rows = list(changed.values())
        for start in range(0, len(rows), _PORTION):
            await self._write(connection, rows[start : start + _PORTION])

    def _rewritten(self, row: Row, tally: Tally) -> bool:
        """Take what is due out of one row's documents; say whether anything was there."""
        anything = False
        for group, dead, counted in zip(self.documents.groups, row.dead, row.counted, strict=True):
            if not dead:
                continue
            try:
                touched = False
                for field, path, document, value in row.held(group):
                    document.rewrite(path, value)
                    row.documents[field.column] = document.text()
                    touched = True
            except NotJson:
                raise self._unreadable() from None
            if touched and not counted:
                tally.overwritten((group.name,), (row.person,), (1,))
            anything = anything or touched
        return anything

    def _unreadable(self) -> Refused:
        table = self.documents.rules.scope.relation.table.name
        return Refused(
            "bad-document",
            f"a document in {table} is no JSON, so nobody can say what it holds; mend the row, or "
            "declare the whole column as a field",
        )

    async def _write(self, connection: AsyncConnection, rows: Sequence[Row]) -> None:
        """Write the documents of a portion of rows back, each by its row's key."""
        scope = self.documents.rules.scope
        target = scope.relation.clause
        params: Params = {}
        whose: list[ColumnElement[bool]] = []
        for n, row in enumerate(rows):
            pairs = zip(scope.relation.table.key, row.key, strict=True)
            given = {f"erasure_key_{n}_{i}": (name, value) for i, (name, value) in enumerate(pairs)}
            whose.append(
                sa.and_(*(target.c[name] == sa.bindparam(b) for b, (name, _) in given.items()))
            )
            params |= {bind: value for bind, (_, value) in given.items()}
        values: dict[str, ColumnElement[Any]] = {}
        for i, column in enumerate(self.documents.columns):
            binds = [f"erasure_document_{n}_{i}" for n in range(len(rows))]
            params |= {b: row.documents[column] for b, row in zip(binds, rows, strict=True)}
            given_texts: list[tuple[ColumnElement[bool], Any]] = [
                (one, sa.bindparam(b)) for one, b in zip(whose, binds, strict=True)
            ]
            values[column] = sa.case(*given_texts, else_=target.c[column])
        await connection.execute(sa.update(target).where(sa.or_(*whose)).values(values), params)


@dataclass(frozen=True, slots=True)
class Reopened:
    """Reads the documents again, and counts the rows in which a dead field is still there."""

    documents: Documents

    async def run(
        self, connection: AsyncConnection, batch: Batch, found: dict[Key, Mapping[str, Remainder]]
    ) -> None:
        """Add to what the columns' own re-read has found."""
        rules = self.documents.rules
        left: defaultdict[Key, Counter[str]] = defaultdict(Counter)
        for params in batch.chunks(rules.scope.root_columns, rules.cutoffs):
            for row in await self.documents.rows(connection, params, batch):
                for group, dead, counted in zip(
                    self.documents.groups, row.dead, row.counted, strict=True
                ):
                    left[row.person][group.name] += dead and not counted and _holds(row, group)
        for person, groups in left.items():
            mine = dict(found.get(person, {}))
            for name, rows in groups.items():
                there = mine.get(name, Remainder(0, ()))
                mine[name] = replace(there, left=there.left + rows)
            found[person] = mine


def rewriting(rules: Rules) -> Iterator[Step]:
    """The step that rewrites a table's documents; none where it declares no path."""
    for documents in _documents(rules, lock=True):
        yield Rewrite(documents)


def rereading(rules: Rules) -> Iterator[Look]:
    """The re-read of a table's documents; none where it declares no path."""
    for documents in _documents(rules, lock=False):
        yield Reopened(documents)


def _documents(rules: Rules, *, lock: bool) -> Iterator[Documents]:
    due = [(group, dead) for group, dead in rules.due() if _columns(group)]
    if due:
        columns = tuple(dict.fromkeys(name for group, _ in due for name in _columns(group)))
        yield Documents(
            rules, tuple(group for group, _ in due), columns, _select(rules, due, columns, lock)
        )


def _select(rules: Rules, due: Due, columns: Sequence[str], lock: bool) -> Select[Any]:
    """Select person, own key, documents, whether the row goes, and what is dead of it."""
    scope, goes = rules.scope, rules.goes()
    relation, target = scope.relation, scope.target
    dead = [every(conditions) for _, conditions in due]
    selected: list[ColumnElement[Any]] = [
        *(rules.dialect.key(e, c) for e, c in zip(scope.root, scope.root_columns, strict=True)),
        *scope.key(),
        overwrites.row_key(rules.dialect, relation, target),
        *(rules.dialect.text(target.c[name], relation.columns[name]) for name in columns),
        sa.false() if goes is None else every(goes),
        *dead,
        *(rules.unblank(group) for group, _ in due),
    ]
    held = [
        sa.and_(one, sa.or_(*(target.c[name].is_not(None) for name in _columns(group))))
        for one, (group, _) in zip(dead, due, strict=True)
    ]
    statement = scope.select(
        *(column.label(f"erasure_{i}") for i, column in enumerate(selected))
    ).where(rules.which, *rules.selected, sa.or_(*held))
    return statement.with_for_update(of=target) if lock else statement


def _columns(group: FieldGroup) -> tuple[str, ...]:
    """The columns of a group that hold documents."""
    return tuple(dict.fromkeys(f.column for f in group.fields if f.path is not None))


def _holds(row: Row, group: FieldGroup) -> bool:
    """Whether anything of a dead group is left; what cannot be read may hold anything."""
    try:
        return any(True for _ in row.held(group))
    except NotJson:
        return True
