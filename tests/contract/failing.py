"""Contract, part four: the three faults, what they leave behind, and what they must not say."""

from __future__ import annotations

import dataclasses
import traceback
from collections.abc import Awaitable, Callable

import pytest

from connectors.base import Connector, Finding, Lookup, Work
from connectors.faults import Fault, Misfit, Refused, RetryLater
from connectors.mapping import StoreMapping
from connectors.registry import connect
from tests.contract import misbehaviour
from tests.contract.layouts import CUTOFFS
from tests.contract.suite import Contract, work
from tests.contract.world import Deal, World
from tests.support.databases import MARIADB, dead_url

SECRET = "Kanari Hemmelig"


def tells_nothing(fault: Fault) -> None:
    """Fail when a fault, or anything chained to it, holds a value of a row."""
    text = "".join(traceback.format_exception(fault)) + repr(fault) + str(fault.args)
    assert SECRET not in text
    assert fault.__cause__ is None
    assert fault.__context__ is None


def with_column(mapping: StoreMapping, level: str, column: str) -> StoreMapping:
    """Declare one field more in a table."""
    tables = []
    for table in mapping.tables:
        if table.name == level:
            group = table.groups[0]
            field = dataclasses.replace(group.fields[0], column=column)
            group = dataclasses.replace(group, fields=(*group.fields, field))
            table = dataclasses.replace(table, groups=(group, *table.groups[1:]))
        tables.append(table)
    return dataclasses.replace(mapping, tables=tuple(tables))


class Failing(Contract):
    """Which fault is raised when, and that nothing was changed then."""

    async def test_a_stranger_in_the_way(self, world: World, connector: Connector) -> None:
        """A row of a table that the policy does not know refuses the work, and all of it."""
        await world.add(1, Deal(items=1, marks=1), name=SECRET)
        await world.add(2, Deal(items=1))
        await misbehaviour.point_at(world, "root", world.key(1), late=False)
        before = await world.everything()
        with pytest.raises(Refused) as caught:
            await connector.erase(work(world, 1, 2))
        assert caught.value.code == "constraint"
        tells_nothing(caught.value)
        assert await world.everything() == before
        await connector.erase(work(world, 2))
        assert set(await world.read("root")) == {world.key(1)}

    async def test_a_trigger_that_raises(self, world: World, connector: Connector) -> None:
        """An error out of a trigger refuses the work; its words, which may quote, are dropped."""
        await world.add(1, Deal(), name=SECRET)
        await misbehaviour.raise_on_change(world, "deal", f"cannot touch {SECRET}")
        before = await world.everything()
        with pytest.raises(Refused) as caught:
            await connector.erase(work(world, 1))
        assert caught.value.code == "trigger"
        tells_nothing(caught.value)
        assert await world.everything() == before

    async def test_a_dead_server(self, world: World) -> None:
        """A store that does not answer is tried again later, whatever was asked of it."""
        connector = connect(self.kind, world.mapping, dead_url(world.database))
        lookup = Lookup(1, (("email", SECRET),))
        calls: list[Callable[[], Awaitable[object]]] = [
            lambda: connector.resolve([lookup]),
            lambda: connector.erase(work(world, 1)),
            lambda: connector.verify(work(world, 1)),
            connector.check,
        ]
        for call in calls:
            with pytest.raises(RetryLater) as caught:
                await call()
            assert not caught.value.in_doubt
            tells_nothing(caught.value)
        await connector.close()

    async def test_a_store_that_comes_back(self, world: World) -> None:
        """A connector that failed before its first look works once the store is mended."""
        await world.add(1)
        mapping = with_column(world.mapping, "root", "nickname")
        connector = connect(self.kind, mapping, world.database.text)
        with pytest.raises(Misfit):
            await connector.erase(work(world, 1))
        await world.run(f"ALTER TABLE {world.name('root')} ADD COLUMN nickname varchar(100)")
        await connector.erase(work(world, 1))
        assert await connector.verify(work(world, 1)) == {}
        await connector.close()

    async def test_a_missing_column(self, world: World) -> None:
        """A column or table that is not there is a misfit that names it, and no person's fault."""
        gone = with_column(world.mapping, "item", "colour")
        connector = connect(self.kind, gone, world.database.text)
        for call in (connector.erase, connector.verify):
            with pytest.raises(Misfit, match="colour"):
                await call(work(world, 1))
        with pytest.raises(Misfit, match="colour"):
            await connector.resolve([Lookup(1, (("email", SECRET),))])
        assert [f.level for f in await connector.check() if "colour" in f.what] == ["error"]
        await connector.close()

    async def test_a_missing_table(self, world: World) -> None:
        """A declared table that is not there is an error of check and a misfit at work."""
        tables = list(world.mapping.tables)
        tables[-1] = dataclasses.replace(tables[-1], relation="nowhere")
        mapping = dataclasses.replace(world.mapping, tables=tuple(tables))
        connector = connect(self.kind, mapping, world.database.text)
        with pytest.raises(Misfit, match="nowhere"):
            await connector.erase(work(world, 1))
        assert any("nowhere" in finding.what for finding in await connector.check())
        await connector.close()

    async def test_a_column_that_goes_while_we_run(
        self, world: World, connector: Connector
    ) -> None:
        """A column dropped under a running connector is a misfit too, and nothing is changed."""
        await world.add(1, ended=None)
        await connector.verify(work(world, 1))
        column = world.quoted("memo")
        await world.run(f"ALTER TABLE {world.name('deal')} DROP COLUMN {column}")
        with pytest.raises(Misfit):
            await connector.erase(work(world, 1))
        assert (await world.person(1))["note"] == "note 1"

    async def test_work_that_cannot_be_understood(self, world: World, connector: Connector) -> None:
        """A cut-off that is missing, or a key of the wrong width, is told before any row goes."""
        await world.add(1, name=SECRET)
        with pytest.raises(Misfit, match="cut-off"):
            await connector.erase(Work((), {"book": CUTOFFS["book"]}, [world.key(1)]))
        with pytest.raises(Refused) as caught:
            await connector.erase(Work((), CUTOFFS, [(*world.key(1), SECRET)]))
        tells_nothing(caught.value)
        assert (await world.person(1))["name"] == SECRET


class Checking(Contract):
    """What ``check`` says."""

    async def test_a_store_that_fits(self, world: World, connector: Connector) -> None:
        """A store as the policy declares it, with its indexes, gives no finding."""
        assert list(await connector.check()) == []

    async def test_missing_indexes(self, world: World, connector: Connector) -> None:
        """Look-ups and links without an index are warned of, with the statement that helps."""
        root, name = world.name("root"), "ix_root_phone"
        if world.dialect == MARIADB:
            await world.run(f"DROP INDEX {name} ON {root}")
        else:
            await world.run(f"DROP INDEX {world.schema + '.' if world.schema else ''}{name}")
        (finding,) = await connector.check()
        assert finding.level == "warning"
        assert finding.todo.startswith("CREATE INDEX")
        assert "phone" in finding.todo

    async def test_what_a_kind_demands(self, world: World) -> None:
        """Each kind refuses a mapping that lacks what its stores are there for."""
        spoilt: dict[str, Callable[[StoreMapping], StoreMapping]] = {
            "crm": _one_strong,
            "newsletter": _no_address,
            "billing": _no_period,
        }
        mapping = spoilt[self.kind](world.mapping)
        connector = connect(self.kind, mapping, world.database.text)
        errors: list[Finding] = [f for f in await connector.check() if f.level == "error"]
        assert len(errors) == 1
        await connector.close()

    async def test_the_protocol(self, connector: Connector) -> None:
        """The connector is one, and says what it can do."""
        assert isinstance(connector, Connector)
        can = connector.capabilities
        assert (can.erase, can.anonymise, can.verify, can.restrict) == (True, True, True, False)
        assert can.batch_size >= 500


def _one_strong(mapping: StoreMapping) -> StoreMapping:
    root = mapping.root
    weak = tuple(dataclasses.replace(i, strong=i.kind == "email") for i in root.identifiers)
    root = dataclasses.replace(root, identifiers=weak)
    return dataclasses.replace(mapping, tables=(root, *mapping.tables[1:]))


def _no_address(mapping: StoreMapping) -> StoreMapping:
    root = mapping.root
    others = tuple(i for i in root.identifiers if i.kind != "email")
    root = dataclasses.replace(root, identifiers=others)
    return dataclasses.replace(mapping, tables=(root, *mapping.tables[1:]))


def _no_period(mapping: StoreMapping) -> StoreMapping:
    tables = tuple(
        dataclasses.replace(
            table,
            groups=tuple(
                dataclasses.replace(g, grounds=tuple(u for u in g.grounds if u.revocable))
                for g in table.groups
            ),
        )
        for table in mapping.tables
    )
    return dataclasses.replace(mapping, tables=tables)
