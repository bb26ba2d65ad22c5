"""Traces: from upstream's, through intake, planning and every store, to the answers."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from uuid import uuid4

import pytest
import pytest_asyncio

from tests.support.collector import Collector, Sent, open_collector
from tests.support.databases import Server
from tests.support.nordlys import Person, erasure, withdrawal
from tests.support.opening import open_world
from tests.support.world import Event, Record, World, id_of
from topics import names
from worker.embedded.child import free_port

pytestmark = pytest.mark.asyncio(loop_scope="module")

STORES = ("billing", "crm", "newsletter")
COMMANDS = [names.commands(store) for store in STORES]
ANSWERS = [names.RECEIPTS, names.COMPLETED]
WELL_FORMED = re.compile(rb"00-[0-9a-f]{32}-[0-9a-f]{16}-0[0-3]")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def collector() -> AsyncIterator[Collector]:
    """Where the worker of this module sends its traces."""
    async with open_collector() as opened:
        yield opened


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def traced(
    module_broker: str,
    postgresql: Server,
    tmp_path_factory: pytest.TempPathFactory,
    collector: Collector,
) -> AsyncIterator[World]:
    """A world whose worker is traced."""
    folder = tmp_path_factory.mktemp("traced")
    async with open_world(bootstrap=module_broker, server=postgresql, folder=folder) as made:
        made.settings |= tracing_to(collector.url)
        yield made


class Upstream:
    """A trace that upstream began, and the span in which it published."""

    def __init__(self, *, sampled: bool = True) -> None:
        self.trace = uuid4().hex
        self.span = uuid4().hex[:16]
        self.value = f"00-{self.trace}-{self.span}-0{int(sampled)}".encode()

    @property
    def headers(self) -> list[tuple[str, bytes]]:
        """As upstream's client puts them on a message."""
        return [("traceparent", self.value)]


def tracing_to(url: str) -> dict[str, str]:
    """Settings that have traces sent there, and soon."""
    return {"ERASURE_TRACES_ENDPOINT": url, "OTEL_BSP_SCHEDULE_DELAY": "50"}


TRIES = 5


async def finished(world: World, *events: Event) -> None:
    """Let a worker do all there is to do and end: then all of its spans are sent.

    What is only slow is not driven again, which would begin another trace.
    """
    with world.worker(patient=True) as worker:
        await world.until_told(*events)
        assert await worker.stop() == 0


async def known_person(world: World) -> Person:
    """Somebody whom every store knows."""
    person = Person()
    await world.stores.add(person)
    return person


def named(spans: Sequence[Sent], name: str) -> list[Sent]:
    """The spans of a name."""
    return [span for span in spans if span.name == name]


def carried(records: Sequence[Record], trace: str) -> list[Record]:
    """The messages that carry a trace on."""
    return [one for one in records if any(trace.encode() in value for _, value in one.headers)]


def span_of(message: Record) -> str:
    """The span that a message names as the one that sent it."""
    ((_, value),) = message.headers
    return value.split(b"-")[2].decode()


async def test_one_trace_runs_from_upstream_to_the_answers(
    traced: World, collector: Collector
) -> None:
    """Every step is a child of the one that led to it, and every message of ours says of which."""
    upstream, request = Upstream(), erasure(await known_person(traced))
    await traced.publish(request, headers=upstream.headers)
    await finished(traced, request)

    spans = collector.of(upstream.trace)
    by_id = {span.id: span for span in spans}
    (intake,) = named(spans, f"process {names.REQUESTS}")
    assert (intake.parent, intake.kind) == (upstream.span, "consumer")
    assert intake.links == {(upstream.trace, upstream.span)}
    assert intake.said["erasure.cases"] == [str(id_of(request))]
    assert intake.said["erasure.kinds"] == [request["type"]]
    (stop,) = named(spans, f"send {names.SUPPRESSIONS}")
    (plan,) = named(spans, "plan")
    assert (stop.parent, stop.kind) == (intake.id, "producer")
    assert (plan.parent, plan.kind) == (intake.id, "internal")
    assert (plan.said["erasure.commands"], plan.said["erasure.stores_left"]) == (3, [])
    for store in STORES:
        topic = names.commands(store)
        (sent,) = named(spans, f"send {topic}")
        (done,) = named(spans, f"process {topic}")
        assert (sent.parent, sent.kind) == (plan.id, "producer")
        assert (done.parent, done.kind) == (sent.id, "consumer")
        assert done.links == {(upstream.trace, sent.id)}
        assert (done.said["erasure.store"], done.said["erasure.lane"]) == (store, "people")
        inside = [span.name for span in spans if span.parent == done.id]
        assert Counter(inside) >= Counter(["erase", "verify", "settle", f"send {names.RECEIPTS}"])
    (completed,) = named(spans, f"send {names.COMPLETED}")
    assert by_id[completed.parent].name in {f"process {topic}" for topic in COMMANDS}
    assert not any(span.failed for span in spans)
    # Whoever's parent is not upstream's has one among these.
    assert {span.parent for span in spans} <= {upstream.span, *by_id}

    for topic in (names.SUPPRESSIONS, *COMMANDS, *ANSWERS):
        messages = carried(await traced.read(topic), upstream.trace)
        assert messages, topic
        assert {span_of(one) for one in messages} == {s.id for s in named(spans, f"send {topic}")}


async def test_every_message_carries_a_trace(traced: World) -> None:
    """Also of an event that came without one, and an answer to what nobody could read."""
    request = erasure(await known_person(traced))
    await traced.publish(request)
    await traced.publish_raw(names.REQUESTS, b"not an event")
    await finished(traced, request)
    for topic in (names.SUPPRESSIONS, names.REJECTED, *COMMANDS, *ANSWERS):
        messages = await traced.read(topic)
        assert messages, topic
        for message in messages:
            ((name, value),) = message.headers
            assert name == "traceparent"
            assert WELL_FORMED.fullmatch(value), value


async def one_batch(world: World, collector: Collector) -> tuple[Sent, list[Upstream]]:
    """Publish three requests with a trace and one without; the batch of all four, and the traces.

    A full machine may be slow enough to part them: then others are published.
    """
    for _ in range(TRIES):
        ours = [(Upstream(), erasure(await known_person(world))) for _ in range(3)]
        without = erasure(Person())
        for upstream, request in ours:
            # On one partition, so that they come together.
            await world.publish(request, headers=upstream.headers, partition=0)
        await world.publish(without, partition=0)
        await finished(world, without, *(request for _, request in ours))
        (batch,) = (
            span
            for span in named(collector.spans, f"process {names.REQUESTS}")
            if str(id_of(without)) in span.said.get("erasure.cases", ())
        )
        if batch.said["messaging.batch.message_count"] == 4:
            return batch, [upstream for upstream, _ in ours]
    raise AssertionError("they never came together")


async def test_a_batch_of_several_traces_links_to_each(traced: World, collector: Collector) -> None:
    """It belongs to none of them: a trace of its own, and in each of theirs a span leads there."""
    batch, ours = await one_batch(traced, collector)
    assert batch.parent == ""
    assert batch.links == {(upstream.trace, upstream.span) for upstream in ours}
    for upstream in ours:
        (theirs,) = collector.of(upstream.trace)
        assert (theirs.parent, theirs.kind) == (upstream.span, "consumer")
        assert theirs.links == {(batch.trace, batch.id)}
    assert {f"process {topic}" for topic in COMMANDS} <= {
        span.name for span in collector.of(batch.trace)
    }


async def test_a_trace_that_upstream_does_not_keep_is_carried_on(
    traced: World, collector: Collector
) -> None:
    """What upstream does not sample is not sent, and says so to whoever is next."""
    upstream, request = Upstream(sampled=False), erasure(await known_person(traced))
    await traced.publish(request, headers=upstream.headers)
    await finished(traced, request)
    assert collector.of(upstream.trace) == []
    for topic in (names.SUPPRESSIONS, *COMMANDS, *ANSWERS):
        messages = carried(await traced.read(topic), upstream.trace)
        assert messages, topic
        assert all(value.endswith(b"-00") for one in messages for _, value in one.headers)


HOSTILE: dict[str, list[bytes]] = {
    "empty": [b""],
    "garbage": [b"hello"],
    "huge": [b"00-" + b"a" * 20_000],
    "not ASCII": ["00-krøllalfa-æøå-01".encode()],
    "not UTF-8": [b"\xff\xfe" * 20],
    "zeros": [b"00-" + b"0" * 32 + b"-" + b"0" * 16 + b"-01"],
    "version ff": [b"ff-" + b"a" * 32 + b"-" + b"b" * 16 + b"-01"],
    "capitals": [b"00-" + b"A" * 32 + b"-" + b"B" * 16 + b"-01"],
    "more after it": [b"00-" + b"a" * 32 + b"-" + b"b" * 16 + b"-01-krollalfa"],
    "two of them": [Upstream().value, Upstream().value],
}


async def test_a_hostile_header_is_ignored(traced: World, collector: Collector) -> None:
    """The event is taken in as if there were none, whatever else stands in its headers."""
    rejected = len(await traced.read(names.REJECTED))
    events = []
    for values in HOSTILE.values():
        events.append(erasure(await known_person(traced)))
        others = [("tracestate", b"who=krollalfa"), ("baggage", b"who=krollalfa")]
        headers = [*others, *(("traceparent", value) for value in values)]
        await traced.publish(events[-1], headers=headers)
    before = len(collector.spans)
    await finished(traced, *events)
    assert len(await traced.read(names.REJECTED)) == rejected
    spans = collector.spans[before:]
    assert named(spans, f"process {names.REQUESTS}")
    assert not any(span.links for span in named(spans, f"process {names.REQUESTS}"))
    assert not any(b"krollalfa" in body for body in collector.bodies)
    for topic in (names.SUPPRESSIONS, *COMMANDS, *ANSWERS):
        for one in await traced.read(topic):
            assert [name for name, _ in one.headers] == ["traceparent"]


async def test_an_attempt_that_fails_tells_its_class_alone(
    fresh_broker: str, postgresql: Server, tmp_path: Path, collector: Collector
) -> None:
    """A store that is away: each attempt is a span of the same trace, and the last one is well."""
    async with open_world(
        bootstrap=fresh_broker, server=postgresql, folder=tmp_path, gates=["billing"]
    ) as world:
        world.settings |= tracing_to(collector.url)
        upstream, request = Upstream(), erasure(await known_person(world))
        await world.publish(request, headers=upstream.headers)
        with world.worker(only="intake", patient=True) as worker:

            async def planned() -> bool:
                return id_of(request) in await world.states() and not await world.unsaid()

            await world.until(planned, "everything is planned")
            assert await worker.stop() == 0
        await world.gates["billing"].shut()
        with world.worker(patient=True) as worker:
            await world.until_log("retry-later")
            await world.gates["billing"].open()
            await world.until_told(request)
            assert await worker.stop() == 0
    topic = names.commands("billing")
    *failed, last = named(collector.of(upstream.trace), f"process {topic}")
    assert failed
    assert {one.said["error.type"] for one in failed if one.failed} == {"RetryLater"}
    assert all(one.failed for one in failed)
    assert not last.failed
    assert len({one.parent for one in (*failed, last)}) == 1
    assert not any(span.words for span in collector.spans)


async def test_what_is_driven_again_begins_a_trace(
    fresh_broker: str, postgresql: Server, tmp_path: Path, collector: Collector
) -> None:
    """The ledger keeps no trace: a command that is published again is told with one of its own."""
    topic = names.commands("crm")
    async with open_world(bootstrap=fresh_broker, server=postgresql, folder=tmp_path) as world:
        world.settings |= tracing_to(collector.url)
        request = erasure(await known_person(world))
        await world.publish(request, headers=Upstream().headers)
        with world.worker(only="intake") as worker:

            async def driven() -> bool:
                return len(await world.read(topic)) > 1

            await world.until(driven, "a command that nobody carries out was published again")
            assert await worker.stop() == 0
        await finished(world, request)
        first, second = (await world.read(topic))[:2]
    assert first.value == second.value
    (sent,) = [span for span in collector.spans if span.id == span_of(first)]
    (again,) = [span for span in collector.spans if span.id == span_of(second)]
    assert (again.name, again.parent, again.links) == (f"send {topic}", "", frozenset())
    assert again.trace != sent.trace
    (heard,) = named(collector.of(again.trace), f"process {topic}")
    assert heard.parent == again.id


@pytest.mark.parametrize("away", ["nobody there", "no answer"])
async def test_a_collector_that_is_away_costs_spans_and_nothing_else(
    fresh_broker: str, postgresql: Server, tmp_path: Path, away: str
) -> None:
    """Everything is erased and told, the worker stops as it was told to, and a line says why."""
    async with (
        open_collector(answers=False) as silent,
        open_world(bootstrap=fresh_broker, server=postgresql, folder=tmp_path) as world,
    ):
        url = silent.url if away == "no answer" else f"http://127.0.0.1:{free_port()}/v1/traces"
        world.settings |= tracing_to(url)
        request = withdrawal(await known_person(world))
        await world.publish(request, headers=Upstream().headers)
        with world.worker() as worker:
            await world.until_told(request)
            if away == "no answer":

                async def asked() -> bool:
                    return silent.asked.is_set()

                await world.until(asked, "the collector is asked")
            assert await worker.stop() == 0
        assert silent.spans == []
        log = world.log.read_text()
        assert "opentelemetry.exporter" in log or "traces-left-behind" in log


async def test_untraced_messages_are_as_they_always_were(
    fresh_broker: str, postgresql: Server, tmp_path: Path
) -> None:
    """Without the setting no message of ours has a header, also where upstream's has."""
    async with open_world(bootstrap=fresh_broker, server=postgresql, folder=tmp_path) as world:
        request = erasure(await known_person(world))
        await world.publish(request, headers=Upstream().headers)
        await world.publish_raw(names.REQUESTS, b"not an event", headers=Upstream().headers)
        await finished(world, request)
        for topic in (names.SUPPRESSIONS, names.REJECTED, *COMMANDS, *ANSWERS):
            messages = await world.read(topic)
            assert messages, topic
            assert all(message.headers == () for message in messages)
