"""The running worker's measures: /metrics as Prometheus reads it, a store that dies, probes."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from math import inf
from pathlib import Path
from unittest.mock import patch

from prometheus_client.parser import text_string_to_metric_families

from tests.support.databases import Server
from tests.support.driving import accept
from tests.support.nordlys import Person, erasure
from tests.support.opening import open_world
from tests.support.world import World
from worker.bootstrap import open_context
from worker.context import Context
from worker.ledger import samples, store_states
from worker.ledger.batches import Lane
from worker.observe.exposition import exposition
from worker.observe.history import history, sample
from worker.observe.metrics import EVERY
from worker.observe.overview import look
from worker.observe.probes import livez, readyz, startupz
from worker.observe.stores import State
from worker.run import run_parts
from worker.settings import load as load_settings

Samples = Mapping[tuple[str, ...], float]
"""A number by the metric's name and the values of its labels, these in the order of their names."""

PEOPLE = "people"


@asynccontextmanager
async def working(world: World) -> AsyncIterator[Context]:
    """The whole worker in this process, until the block ends."""
    with patch.dict(os.environ, {**world.settings, "ERASURE_WEB__PORT": "0"}):
        settings = load_settings()
    stop = asyncio.Event()
    async with open_context(settings) as context:
        running = asyncio.create_task(run_parts(context, settings, (), stop))
        try:
            yield context
        finally:
            stop.set()
            await running


async def until_ready(world: World, context: Context) -> None:
    """Wait until a worker is ready."""

    async def ready() -> bool:
        return (await readyz(context))[0]

    await world.until(ready, "the worker is ready")


async def scraped(context: Context) -> Samples:
    """What Prometheus reads of a worker."""
    overview = await look(context.ledger, context.policy, context.now())
    return read(exposition(context, overview))


def read(text: bytes) -> Samples:
    """The numbers of an answer, each of them once."""
    found: dict[tuple[str, ...], float] = {}
    for family in text_string_to_metric_families(text.decode()):
        for one in family.samples:
            name = (one.name, *(value for _, value in sorted(one.labels.items())))
            assert name not in found
            found[name] = one.value
    return found


async def test_a_dead_store_moves_drain_time_and_state(
    fresh_broker: str, postgresql: Server, tmp_path: Path
) -> None:
    """Billing dies: lag, age, drain time and state say so of it alone; it comes back by itself."""
    async with open_world(
        bootstrap=fresh_broker, server=postgresql, folder=tmp_path, gates=["billing"]
    ) as world:
        people = [Person() for _ in range(3)]
        await world.stores.add(*people)
        async with world.context() as planning:
            await accept(planning, *(erasure(person) for person in people[:2]))
        last = erasure(people[2])
        await world.gates["billing"].shut()
        async with working(world) as context:
            await world.publish(last)

            async def dead() -> bool:
                seen = await scraped(context)
                wanted = {
                    ("erasure_store_away", PEOPLE, "billing"): 1,
                    ("erasure_breaker_open", PEOPLE, "billing"): 1,
                    ("erasure_store_lag_people", PEOPLE, "billing"): 2,
                    ("erasure_planning_lag_people", "billing"): 1,
                    # Theirs is done, and not merely not yet begun.
                    ("erasure_settled_people_total", PEOPLE, "crm"): 3,
                    ("erasure_settled_people_total", PEOPLE, "newsletter"): 3,
                }
                # What a part counts is not there before the part has begun.
                tries = seen.get(("erasure_attempts_total", PEOPLE, "billing"), 0)
                return wanted.items() <= seen.items() and tries > 1

            await world.until(dead, "billing is seen to be away")
            seen = await scraped(context)
            assert seen["erasure_store_drain_seconds", PEOPLE, "billing"] == inf
            assert seen["erasure_store_oldest_seconds", PEOPLE, "billing"] > 0
            assert seen["erasure_retries_total", PEOPLE, "billing", "store-away"] > 0
            assert seen["erasure_deadline_forecast_late_cases",] == 3
            assert seen["erasure_store_state", PEOPLE, "away", "billing"] == 1
            for store in ("crm", "newsletter"):
                assert seen["erasure_store_drain_seconds", PEOPLE, store] == 0
                assert seen["erasure_store_state", PEOPLE, "serving", store] == 1
                assert seen["erasure_store_oldest_seconds", PEOPLE, store] == 0
            await until_ready(world, context)
            _, details = await readyz(context)
            assert details["warnings"] == ["billing (people) is away: unavailable"]
            # Any other process sees it as well, by the ledger alone.
            told = await look(world.ledger, context.policy, context.now())
            (billing,) = [
                one for one in told.stores if (one.store, one.lane) == ("billing", Lane.PEOPLE)
            ]
            assert (billing.state, billing.fault, billing.workers) == (State.AWAY, "unavailable", 1)
            assert billing.next_try is not None

            await world.gates["billing"].open()
            await world.until_told(last)

            async def back() -> bool:
                seen = await scraped(context)
                return not seen["erasure_store_away", PEOPLE, "billing"]

            await world.until(back, "billing is seen to serve again")
            seen = await scraped(context)
            assert seen["erasure_store_drain_seconds", PEOPLE, "billing"] == 0
            assert seen["erasure_breaker_open", PEOPLE, "billing"] == 0
        async with world.ledger.begin() as connection:
            assert await store_states.fresh(connection, context.now()) == []


async def test_what_a_worker_does_is_counted_once(world: World) -> None:
    """Three people erased: every clock and counter says three, also when all is given again."""
    people = [Person() for _ in range(3)]
    await world.stores.add(*people)
    events = [erasure(person) for person in people]
    async with working(world) as context:
        await until_ready(world, context)
        assert livez(context)[0]
        assert startupz(context)[0]
        await world.publish(*events)
        await world.until_told(*events)
        await world.publish(*events)

        async def again() -> bool:
            seen = await scraped(context)
            return seen["erasure_intake_batch_events_sum",] == 6

        await world.until(again, "the events came again")
        seen = await scraped(context)
        assert seen["erasure_accepted_events_total", "privacy.erasure.requested.v1"] == 3
        for clock in ("accepted", "stopped", "planned", "closed"):
            assert seen[f"erasure_{clock}_seconds_count",] == 3, clock
        for store in ("billing", "crm", "newsletter"):
            assert seen["erasure_issued_people_total", PEOPLE, store] == 3
            assert seen["erasure_settled_people_total", PEOPLE, store] == 3
            assert seen["erasure_command_batch_people_sum", PEOPLE, store] == 3
            assert seen["erasure_erased_seconds_count", store] == 3
            assert seen["erasure_statement_seconds_count", "write", PEOPLE, store] > 0
            assert seen["erasure_pool_size_connections", PEOPLE, store] == 4
            assert seen["erasure_assigned_partitions", f"erasure-{store}"] == 3
        assert seen["erasure_standing_cases", "open"] == 0
        assert seen["erasure_ledger_reachable",] == 1
        declared = {one.name for one in EVERY}
        told = {name[0] for name in seen}
        assert {n for n in told if n.removesuffix("_bucket") not in declared} == {
            f"{one.name}{end}"
            for one in EVERY
            if one.buckets
            for end in ("_count", "_sum")
            if f"{one.name}{end}" in told
        }
    # A process that starts has done nothing yet.
    async with working(world) as context:
        seen = await scraped(context)
        assert seen["erasure_closed_seconds_count",] == 0
        without = read(exposition(context, None))
        assert without["erasure_ledger_reachable",] == 0
        assert ("erasure_standing_cases", "open") not in without
        # Told to end while they connect, aiokafka's clients leave their first lines open: a process
        # that ends closes them, this one has other tests before it.
        await until_ready(world, context)


async def test_a_minute_is_sampled_once_and_kept_for_a_day(world: World) -> None:
    """Whoever comes first in a minute writes one row a store; after a day it is gone."""
    async with world.context() as context:
        stores = set(context.policy.stores)
        begin = context.now()
        assert await sample(context)
        assert not await sample(context)
        later = replace(context, now=lambda: begin + timedelta(minutes=2))
        assert await sample(later)
        found = await history(world.ledger, begin + timedelta(minutes=2))
        assert minutes_of(found) == dict.fromkeys(stores, 2)
        next_day = replace(context, now=lambda: begin + timedelta(hours=24, minutes=2))
        assert await sample(next_day)
        async with world.ledger.begin() as connection:
            kept = await samples.by_part(connection, begin - timedelta(days=2))
        assert minutes_of(kept) == dict.fromkeys(stores, 2)


def minutes_of(found: Mapping[str, Sequence[samples.Part]]) -> dict[str, int]:
    """How many samples each store has."""
    return {store: sum(one.minutes for one in own) for store, own in found.items()}
