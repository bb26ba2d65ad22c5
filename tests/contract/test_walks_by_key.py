"""How MariaDB and SQLite are swept: by ranges of keys, a parent's where its dates decide."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import ClassVar

import pytest

from connectors.base import Effects
from connectors.mapping import Key
from connectors.sweeping import Span, Sweeping, Walk
from tests.contract.small import CUTOFF, Small, Store, with_notes
from tests.support.databases import MARIADB, SQLITE

CUTOFFS = {"kept": CUTOFF}
PEOPLE = 4_000
"""Of whom each second is past; note n is on person PEOPLE + 1 - n, and the last are nobody's."""


async def fill(store: Store) -> None:
    """Make people and their notes."""
    people = (f"({n}, 'a', '{2010 if n % 2 else 2026}-01-01')" for n in range(1, PEOPLE + 1))
    notes = (f"({n}, {PEOPLE + 1 - n}, 'b')" for n in range(1, PEOPLE + 20))
    await store.run(
        "CREATE TABLE people (id integer PRIMARY KEY, name varchar(9), since date)",
        "CREATE TABLE notes (id integer PRIMARY KEY, person integer, note varchar(9))",
        "CREATE INDEX notes_person ON notes (person)",
        f"INSERT INTO people VALUES {', '.join(people)}",
        f"INSERT INTO notes VALUES {', '.join(notes)}",
    )


async def walk(sweeping: Sweeping, first: Span, size: int) -> list[Effects]:
    """Sweep part after part, each of which does what it said; what each did."""
    did: list[Effects] = []
    after: Key | None = None
    while True:
        found = await sweeping.span(first.table, first.by, after, size, CUTOFFS)
        span = replace(found, along=first.along)
        due = await sweeping.due(span, CUTOFFS)
        assert (await sweeping.left(span, CUTOFFS, ()) > 0) == bool(due)
        assert await sweeping.left(span, CUTOFFS, due) == 0
        did.append(await sweeping.sweep(span, CUTOFFS, ()))
        assert sorted(did[-1]) == sorted(due)
        assert await sweeping.left(span, CUTOFFS, ()) == 0
        after = span.upto
        if after is None:
            return did


class ByKeys(Small):
    """What holds on both."""

    of_notes: ClassVar[str] = ""
    """What a DROP INDEX says of the table."""

    async def test_by_the_keys_of_the_parent_that_decides(self, store: Store) -> None:
        """Each row of which the parent's date is over goes once, and none of which it is not."""
        await fill(store)
        sweeping = store.connect(with_notes()).sweeping
        assert await sweeping.walk("people") is Walk.KEYS
        assert await sweeping.walk("notes") is Walk.PARENT_KEYS
        did = await walk(sweeping, Span("notes", Walk.PARENT_KEYS, None, None), 150)
        assert len(did) > 10
        met = [key for effects in did for key in effects]
        assert sorted(met) == [(n,) for n in range(1, PEOPLE + 1, 2)]
        kept = await store.rows("SELECT person FROM notes WHERE person > 0 ORDER BY person")
        assert kept == [(n,) for n in range(2, PEOPLE + 1, 2)]
        assert await store.rows("SELECT count(*) FROM notes WHERE person <= 0") == [(19,)]

    async def test_without_an_index_a_table_is_walked_by_its_own_keys(self, store: Store) -> None:
        """Else each part would read it whole."""
        await fill(store)
        await store.run("DROP INDEX notes_person" + self.of_notes)
        assert await store.connect(with_notes()).sweeping.walk("notes") is Walk.KEYS

    async def test_rows_go_along_with_those_that_they_hang_on(self, store: Store) -> None:
        """In one part, notes before their people, however they lie; of each as if walked alone."""
        await fill(store)
        sweeping = store.connect(with_notes()).sweeping
        did = await walk(sweeping, Span("people", Walk.KEYS, None, None, ("notes",)), 150)
        for effects in did:
            assert all({g: d.deleted for g, d in e.items()} == BOTH for e in effects.values())
        met = [key for effects in did for key in effects]
        assert sorted(met) == [(n,) for n in range(1, PEOPLE + 1, 2)]
        assert len(await store.rows()) == PEOPLE // 2
        assert len(await store.rows("SELECT id FROM notes")) == PEOPLE // 2 + 19


BOTH = {"notes": 1, "all": 1}
"""Rows of each group that everybody loses."""


@pytest.mark.mariadb
class TestOnMariaDB(ByKeys):
    """On MariaDB, where two parts are erased at once."""

    dialect = MARIADB
    of_notes = " ON notes"

    async def test_neither_of_two_parts_waits_for_the_other(self, store: Store) -> None:
        """A part is erased while the one behind it is, and is not committed before it."""
        await fill(store)
        sweeping = store.connect(with_notes()).sweeping
        after: Key | None = None
        for _ in range(4):
            first = await sweeping.span("people", Walk.KEYS, after, 210, CUTOFFS)
            second = await sweeping.span("people", Walk.KEYS, first.upto, 200, CUTOFFS)
            erased, word = asyncio.Event(), asyncio.Event()

            async def wait(
                _: Effects, __: float, erased: asyncio.Event = erased, word: asyncio.Event = word
            ) -> bool:
                erased.set()
                return await word.wait()

            async def go(_: Effects, __: float) -> bool:
                return True

            along = [replace(part, along=("notes",)) for part in (first, second)]
            behind = asyncio.create_task(sweeping.sweep(along[1], CUTOFFS, (), wait))
            await erased.wait()
            # Who waits is ended after a while; here the other never comes to an end before.
            assert await asyncio.wait_for(sweeping.sweep(along[0], CUTOFFS, (), go), 8)
            word.set()
            assert await behind
            after = second.upto

    async def test_a_part_ends_before_a_row_that_stays(self, store: Store) -> None:
        """If one is near; where none is, it ends where it would."""
        await fill(store)
        sweeping = store.connect(with_notes()).sweeping
        spans = [
            await sweeping.span("people", Walk.KEYS, (7,), n, CUTOFFS) for n in (9, 10, PEOPLE)
        ]
        assert [span.upto for span in spans] == [(16,), (18,), None]
        await store.run("UPDATE people SET since = '2010-01-01'")
        spans = [await sweeping.span("people", Walk.KEYS, (7,), n, CUTOFFS) for n in (9, 10)]
        assert [span.upto for span in spans] == [(16,), (17,)]


class TestOnSQLite(ByKeys):
    """On SQLite, which erases one part at a time."""

    dialect = SQLITE
