"""Streams as they come: doubled, out of order, shared by workers that die."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import pytest
import sqlalchemy as sa

from tests.support.judging import (
    assert_gone_honestly,
    assert_receipts_published,
    assert_told_once,
)
from tests.support.nordlys import (
    Person,
    about,
    consent,
    customer,
    erasure,
    objection,
    traces,
    withdrawal,
)
from tests.support.world import World
from topics import names, writing
from topics.publishing import Mode

SEEDS = (1, 2, 3)
NOW = datetime.now(UTC)
BY_WITHDRAWAL = ("newsletter", "survey", "contact")
BY_OBJECTION = ("marketing", "newsletter")
BY_REQUEST = ("analysis", "contact", "marketing", "newsletter", "service", "survey")
"""What deploy/policy/nordlys.yaml lets each kind of event stop, written down once more."""


@dataclass
class Model:
    """One person's consents as plain as can be: of each purpose the newest word counts."""

    person: Person
    stopped: dict[str, datetime] = field(default_factory=dict)
    given: dict[str, datetime] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)

    def happen(self, dice: random.Random, time: datetime) -> None:
        """Let something happen to the person."""
        some = dice.sample(BY_WITHDRAWAL, dice.randint(1, 3))
        what, stops, gives = dice.choice(
            [
                (withdrawal(self.person, *some, time=time), some, []),
                (consent(self.person, *some, time=time), [], some),
                (objection(self.person, time=time), BY_OBJECTION, []),
                (erasure(self.person, time=time), BY_REQUEST, []),
            ]
        )
        self.events.append(what)
        for purpose in stops:
            self.stopped[purpose] = max(time, self.stopped.get(purpose, time))
        for purpose in gives:
            self.given[purpose] = max(time, self.given.get(purpose, time))

    @property
    def says(self) -> set[str]:
        """The purposes that are stopped, whatever the order in which events arrive."""
        return {
            purpose
            for purpose, time in self.stopped.items()
            if purpose not in self.given or time >= self.given[purpose]
        }


async def test_a_doubled_and_shuffled_stream_ends_as_the_plain_model_says(world: World) -> None:
    """Any order, twice and thrice, on any partition, in either mode: the newest word wins."""
    models: list[Model] = []
    arrivals: list[tuple[dict[str, Any], int, Mode]] = []
    for seed in SEEDS:
        dice = random.Random(seed)
        few = [Model(customer(surveys=1)) for _ in range(10)]
        for model in few:
            for minute in dice.sample(range(1, 1000), dice.randint(1, 6)):
                model.happen(dice, NOW - timedelta(minutes=minute))
        stream = [event for model in few for event in model.events]
        stream += dice.choices(stream, k=len(stream))
        dice.shuffle(stream)
        modes = get_args(Mode)
        arrivals += [(event, dice.randrange(6), dice.choice(modes)) for event in stream]
        models += few
    await world.stores.add(*(model.person for model in models))
    with world.worker() as worker:
        for event, partition, mode in arrivals:
            await world.publish(event, partition=partition, mode=mode)
        everything = [event for model in models for event in model.events]
        await world.until_told(*everything)
        assert await worker.stop() == 0

    newest = {record.key: record.json for record in await world.read(names.SUPPRESSIONS)}
    dump = await world.stores.dump()
    async with world.context() as context:
        for model in models:
            key = context.sealer.pseudonym("email", model.person.email).hex().encode()
            said = newest[key]
            assert set(said["stopped"] if said else ()) == model.says
            there = traces(dump, model.person)
            if "newsletter" in model.says:
                assert "newsletter.subscriber" not in there
            if "newsletter" not in model.stopped:
                assert "newsletter.subscriber" in there
            # A contract and the law keep these, whatever anybody says.
            assert there["billing.invoice"] == 1
            assert there["crm.customer"] == 1
    states = await world.states()
    assert len(states) == len(everything)
    told: dict[bytes | None, set[bytes | None]] = {}
    for record in await world.read(names.COMPLETED):
        told.setdefault(record.key, set()).add(record.value)
    assert len(told) == len(everything)
    assert {len(truths) for truths in told.values()} == {1}


async def test_a_command_given_many_times_at_once_settles_once_and_honestly(world: World) -> None:
    """Transport may double a command as often as it likes: one receipt, and it is true."""
    people = [Person() for _ in range(12)]
    await world.stores.add(*people)
    before = await world.stores.dump()
    requests = [(person, erasure(person)) for person in people]
    with world.worker(only="intake") as intake:
        # One at a time: a batch, and so three commands, for each.
        for _, request in requests:
            await world.publish(request)
            await world.until_states(request, state="open")

        async def planned() -> bool:
            return not await world.unsaid()

        await world.until(planned, "everything is planned")
        assert await intake.stop() == 0
    rows = await world.fetch(sa.text("SELECT id, store FROM commands"))
    for _ in range(4):
        for command_id, store in rows:
            key, value = writing.command(command_id)
            # On one partition they meet in one worker, side by side.
            await world.publish_raw(names.commands(store), value, key=key, partition=0)
    with world.worker() as worker:
        await world.until_told(*(request for _, request in requests))
        assert await worker.stop() == 0
    await assert_gone_honestly(world, before, requests)
    await assert_receipts_published(world, [request for _, request in requests])
    receipts = await world.fetch(
        sa.text(
            "SELECT id, store FROM receipts, unnest(case_ids) AS id "
            "GROUP BY 1, 2 HAVING count(*) > 1"
        )
    )
    assert receipts == []


async def test_what_is_no_command_of_ours_stops_nothing(world: World) -> None:
    """Garbage and unknown ids on a command topic are passed over."""
    person = Person()
    await world.stores.add(person)
    for value in (b"", b"nonsense", b'{"command":"1"}', b'{"command":999999}', b"[]"):
        for store in ("crm", "billing", "newsletter"):
            await world.publish_raw(names.commands(store), value)
    request = erasure(person)
    with world.worker() as worker:
        await world.publish(request)
        await world.until_told(request)
        assert await worker.stop() == 0
    assert traces(await world.stores.dump(), person) == {}


@pytest.mark.slow
async def test_two_workers_that_are_killed_in_turn_do_everything_once(world: World) -> None:
    """Two workers share the groups and die in turn under load: nothing lost, nothing false."""
    people = [Person(subscriptions=n % 3) for n in range(120)]
    world.may_erase(len(people))
    stay = [Person() for _ in range(5)]
    await world.stores.add(*people, *stay)
    before = await world.stores.dump()
    requests = [(person, erasure(person)) for person in people]
    events = [request for _, request in requests]
    workers = [world.worker(), world.worker()]
    for turn in range(6):
        for request in events[turn * 20 : turn * 20 + 20]:
            await world.publish(request)
        await asyncio.sleep(1.0 + 0.37 * turn)
        workers[turn % 2].kill()
        workers[turn % 2] = world.worker()
    await world.until_told(*events)
    for worker in workers:
        assert await worker.stop() == 0
    await assert_gone_honestly(world, before, requests)
    await assert_told_once(world, events)
    await assert_receipts_published(world, events)
    assert about(await world.stores.dump(), stay) == about(before, stay)
