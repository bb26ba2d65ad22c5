"""What ``check`` says of a mapping that the store cannot carry out, or only in part."""

from __future__ import annotations

import dataclasses

import pytest

from connectors.faults import Misfit
from connectors.mapping import (
    Anchor,
    Field,
    FieldGroup,
    GroundUse,
    NullAnchor,
    ParentLink,
    StoreMapping,
    Table,
)
from tests.contract.small import ANCHORED, CONSENT, Small, Store, people, work
from tests.support.databases import SQLITE

NAME = Field("name", "name", None)


class TestFitting(Small):
    """Mappings at fault, on one database: the rules are the same on each."""

    dialect = SQLITE

    async def test_a_field_that_may_not_be_empty(self, store: Store) -> None:
        """A NOT NULL column without an overwrite is a hole where its row may have to stay."""
        await store.run("CREATE TABLE people (id integer PRIMARY KEY, name text NOT NULL)")
        (finding,) = await store.connect(people(NAME, row_stays=True)).check()
        assert (finding.level, "people.name" in finding.what) == ("hole", True)
        assert list(await store.connect(people(NAME)).check()) == []
        overwritten = people(Field("name", "name", "-"), row_stays=True)
        assert list(await store.connect(overwritten).check()) == []

    async def test_an_anchor_that_is_itself_erased(self, store: Store) -> None:
        """A ground whose anchor is a field to erase would have no end: it is warned of."""
        await store.run("CREATE TABLE people (id integer PRIMARY KEY, since text)")
        mapping = people(Field("since", "voluntary", None), grounds=(ANCHORED, CONSENT))
        (finding,) = await store.connect(mapping).check()
        assert (finding.level, "people.since" in finding.what) == ("warning", True)

    async def test_the_root_has_no_parent(self, store: Store) -> None:
        """An anchor in the parent of a table without one stops the store."""
        await store.run("CREATE TABLE people (id integer PRIMARY KEY, name text)")
        above = GroundUse("kept", False, Anchor("since", True, NullAnchor.UNKNOWN))
        connector = store.connect(people(NAME, grounds=(above,)))
        assert [finding.level for finding in await connector.check()] == ["error"]
        with pytest.raises(Misfit, match="kept"):
            await connector.erase(work((1,)))

    async def test_a_row_with_two_parents(self, store: Store) -> None:
        """A link to a parent's column that is not unique stops the store: whose row would it be."""
        await store.run(
            "CREATE TABLE people (id integer PRIMARY KEY, name text, mail text)",
            "CREATE TABLE notes (id integer PRIMARY KEY, mail text, note text)",
            "CREATE INDEX by_mail ON notes (mail)",
        )
        connector = store.connect(_with_notes())
        assert [finding.level for finding in await connector.check()] == ["error"]
        with pytest.raises(Misfit, match="two parents"):
            await connector.verify(work((1,)))
        await store.run("CREATE UNIQUE INDEX one ON people (mail)")
        assert list(await connector.check()) == []
        assert await connector.verify(work((1,))) == {}

    async def test_a_unique_index_over_some_rows_is_none(self, store: Store) -> None:
        """A partial unique index does not make a key."""
        await store.run(
            "CREATE TABLE people (id integer, name text)",
            "CREATE UNIQUE INDEX some ON people (id) WHERE name IS NOT NULL",
        )
        with pytest.raises(Misfit, match="unique"):
            await store.connect(people(NAME)).erase(work((1,)))


def _with_notes() -> StoreMapping:
    """People, and notes that name them by their address."""
    mapping = people(NAME)
    group = FieldGroup("notes", (Field("note", "voluntary", None),), ())
    link = ParentLink("people", (("mail", "mail"),))
    notes = Table("notes", "notes", None, ("id",), link, (group,))
    return dataclasses.replace(mapping, tables=(mapping.root, notes))
