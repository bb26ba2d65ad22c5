"""``erasure retention trigger``, as a scheduler runs it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tests.integration.test_operating_sweeps import command
from tests.support.nordlys import Person
from tests.support.world import World
from topics import names
from topics.reading import Message
from worker.cli.exits import Exit
from worker.cli.retention_trigger import SOURCE
from worker.intake import take_in
from worker.ledger import sweeps


async def taken_in(world: World) -> list[int]:
    """Take in everything that lies on the topic of triggers; return the batches to plan."""
    found = [
        Message(one.topic, one.partition, one.offset, one.key, one.value, one.headers)
        for one in await world.read(names.RETENTION)
    ]
    async with world.context() as context:
        return await take_in(context, found)


async def test_a_scheduler_that_fires_twice_asks_once(world: World) -> None:
    """The same rule has the same id all day, another rule another, and a chosen one is taken."""
    again = ("retention", "trigger", "--store", "crm", "--table", "contact_log")
    first, second = await command(world, *again), await command(world, *again)
    other = await command(world, *again, "--as-of", "2026-11-01")
    mine = await command(world, *again, "--id", "night-1")
    assert [code for code, *_ in (first, second, other, mine)] == [Exit.OK] * 4
    assert first[1] == second[1] != other[1]
    assert mine[1] == "night-1\n"
    await taken_in(world)
    async with world.context() as context, context.ledger.begin() as connection:
        asked = await sweeps.listed(connection)
    assert {(one.source, one.event_id) for one in asked} == {
        (SOURCE, said.strip()) for _, said, _ in (first, other, mine)
    }
    assert {(one.store, one.table, one.trigger) for one in asked} == {
        ("crm", "contact_log", "event")
    }


async def test_one_person_stands_in_no_id(world: World) -> None:
    """However the address is spelt, the id is the same, and holds nothing of it."""
    person = Person()
    asked = ("retention", "trigger", "--store", "crm", "--store", "billing", "--subject")
    first = await command(world, *asked, f"email={person.email}")
    second = await command(world, *asked, f"email={person.email.upper()}")
    assert first == second
    assert person.mark not in first[1].lower()
    assert len(await taken_in(world)) == 1
    assert len(await world.states()) == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "name a store by --store"),
        (("--store", "crm", "--store", "billing"), "give --store once"),
        (("--store", "shop"), "unknown-store"),
        (("--store", "crm", "--ground", "bookkeeping"), "unknown-rule"),
        (("--store", "crm", "--as-of", "9999-01-01"), "future-date"),
        (("--subject", "email=nobody"), "bad-identifier"),
        (("--subject", "email=a@example.no", "--as-of", "2026-11-01"), "bad-data"),
    ],
)
async def test_what_cannot_be_is_not_published(
    world: World, words: Sequence[str], said: str
) -> None:
    """What intake would reject is refused here, with the same words and exit code 2."""
    code, _, why = await command(world, "retention", "trigger", *words)
    assert code == Exit.USAGE
    assert said in why
    assert await world.read(names.RETENTION) == []
