"""What a batch's statements share: binds, running them, and adding up what they did."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import Any, Final, Protocol, TypeVar

import sqlalchemy as sa
from sqlalchemy import ColumnElement
from sqlalchemy.ext.asyncio import AsyncConnection

from connectors.base import Done, Work
from connectors.faults import Misfit
from connectors.mapping import Cutoffs, Key
from connectors.sql.columns import Column, KeyReader, Params
from connectors.sql.dialect import Dialect
from connectors.sql.predicates import CUTOFF, All

T = TypeVar("T")

_NOTHING: Final[Mapping[str, Any]] = {}

CHUNK = 500
"""Keys or rows in one statement where a statement lists them one by one."""


class Reader(Protocol):
    """Reads root keys out of result rows."""

    def one(self, row: Sequence[Any]) -> Key:
        """Return the key in the first columns of a row."""

    def many(self, columns: Sequence[Sequence[Any]]) -> list[Key]:
        """Return the keys that stand side by side in arrays, one array a key column."""


class Batch:
    """One piece of work in the terms of a database: binds for its statements, and its keys."""

    def __init__(self, dialect: Dialect, root: tuple[Column, ...], work: Work) -> None:
        self.dialect = dialect
        self.keys: Sequence[Key] = list(dict.fromkeys(work.keys))
        self.read: Reader = KeyReader(root, self.keys)
        self._cutoffs = work.cutoffs
        self._params: dict[tuple[Column, ...], Params] = {}

    def params(self, columns: tuple[Column, ...], cutoffs: Iterable[str]) -> Params:
        """Binds for all keys at once. Raises ``Misfit`` when a cut-off was not given."""
        keys = self._params.get(columns)
        if keys is None:
            keys = self._params[columns] = self.dialect.key_params(columns, self.keys)
        return keys | days(self.dialect, self._cutoffs, cutoffs)

    def chunks(self, columns: tuple[Column, ...], cutoffs: Iterable[str]) -> Iterable[Params]:
        """Binds for the keys in portions of :data:`CHUNK`."""
        if len(self.keys) <= CHUNK:
            yield self.params(columns, cutoffs)
            return
        dates = days(self.dialect, self._cutoffs, cutoffs)
        for start in range(0, len(self.keys), CHUNK):
            yield self.dialect.key_params(columns, self.keys[start : start + CHUNK]) | dates


def days(dialect: Dialect, cutoffs: Cutoffs, grounds: Iterable[str]) -> Params:
    """Binds of these grounds' cut-offs. Raises ``Misfit`` when one was not given."""
    found: Params = {}
    for ground in grounds:
        day: date | None = cutoffs.get(ground)
        if day is None:
            raise Misfit("no-cutoff", f"the work names no cut-off for the ground {ground}")
        found[CUTOFF + ground] = dialect.cutoff(day)
    return found


class Tally:
    """Rows deleted and overwritten, by key and field group."""

    def __init__(self) -> None:
        self.effects: dict[Key, Mapping[str, Done]] = {}

    def deleted(self, groups: Sequence[str], keys: Iterable[Key], rows: int) -> None:
        """Note the rows of each of these keys that went: with them, every group of their table."""
        self._add(keys, dict.fromkeys(groups, Done(deleted=rows)))

    def overwritten(self, groups: Sequence[str], keys: Iterable[Key], rows: Sequence[int]) -> None:
        """Note for each of these keys how many rows of each group were overwritten."""
        numbers = zip(groups, rows, strict=True)
        self._add(keys, {group: Done(overwritten=n) for group, n in numbers if n})

    def _add(self, keys: Iterable[Key], done: Mapping[str, Done]) -> None:
        def both(before: Mapping[str, Done]) -> Mapping[str, Done]:
            sums = {group: _sum(before[group], done[group]) for group in before.keys() & done}
            return {**before, **done, **sums}

        add(self.effects, keys, both)


def _sum(one: Done, other: Done) -> Done:
    return Done(one.deleted + other.deleted, one.overwritten + other.overwritten)


def add(
    found: dict[Key, Mapping[str, T]],
    keys: Iterable[Key],
    join: Callable[[Mapping[str, T]], Mapping[str, T]],
) -> None:
    """Let what was found for each of these keys become what ``join`` makes of it.

    Keys of which the same was found so far share one mapping, and share the next: nobody changes
    one, and whoever judges the answers can tell a crowd by it.
    """
    joined: dict[int, tuple[Mapping[str, T], Mapping[str, T]]] = {}
    for key in keys:
        before = found.get(key, _NOTHING)
        pair = joined.get(id(before))
        if pair is None:
            # With the old one beside it, which so lives on and keeps its identity to itself.
            pair = joined[id(before)] = (before, join(before))
        found[key] = pair[1]


class Step(Protocol):
    """One table's part of an erasure."""

    async def run(self, connection: AsyncConnection, batch: Batch, tally: Tally) -> None:
        """Delete and overwrite what must go, within the transaction at hand."""


def every(conditions: All) -> ColumnElement[bool]:
    """All conditions at once; none is true."""
    return sa.and_(sa.true(), *conditions)


def counted(condition: ColumnElement[bool]) -> ColumnElement[int]:
    """Count rows for which a condition is true (not unknown)."""
    return sa.func.count(sa.case((condition, sa.literal_column("1"))))
