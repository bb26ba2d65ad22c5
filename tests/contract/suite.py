"""The contract of :mod:`connectors.base`, as tests. A connector runs it with a dozen lines.

A subclass says which kind of connector it is and which database it runs on; pytest then runs every
test of the mixins below against it. To run it for a connector of your own, give its kind a layout
and a place in the registry.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import ClassVar

import pytest_asyncio

from connectors.base import Connector, Done, Effects, Remainders, Work
from connectors.mapping import Key
from connectors.registry import connect
from tests.contract.layouts import CUTOFFS
from tests.contract.world import World
from tests.support.databases import Database


def work(world: World, *people: int, shape: Sequence[str] = ()) -> Work:
    """Work on people, under the suite's cut-offs."""
    return Work(tuple(shape), CUTOFFS, [world.key(person) for person in people])


def plain(effects: Effects) -> dict[Key, dict[str, tuple[int, int]]]:
    """Effects as (deleted, overwritten) a group, without groups in which nothing happened."""
    return {
        key: {g: (done.deleted, done.overwritten) for g, done in groups.items() if done != Done()}
        for key, groups in effects.items()
    }


def left(remainders: Remainders) -> dict[Key, dict[str, int]]:
    """What should be gone and is not, without groups in which all is well."""
    found = {
        key: {g: rest.left for g, rest in groups.items() if rest.left}
        for key, groups in remainders.items()
    }
    return {key: groups for key, groups in found.items() if groups}


class Contract:
    """What every part of the suite stands on: a database, a world in it, a connector to it."""

    kind: ClassVar[str]
    dialect: ClassVar[str]

    @pytest_asyncio.fixture
    async def world(self, database: Database) -> AsyncIterator[World]:
        """The store's tables, empty."""
        world = World(self.kind, database)
        await world.create()
        yield world
        await world.drop()

    @pytest_asyncio.fixture
    async def connector(self, world: World) -> AsyncIterator[Connector]:
        """The connector under test, by way of the registry."""
        connector = connect(self.kind, world.mapping, world.database.text)
        yield connector
        await connector.close()
