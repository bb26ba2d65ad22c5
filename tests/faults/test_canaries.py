"""Marked people go through all that can happen; no mark is left anywhere of ours (rule 7)."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import orjson
import pytest
import sqlalchemy as sa
from yarl import URL

from tests.support.canary import Scanner
from tests.support.collector import Collector, open_collector
from tests.support.databases import Server
from tests.support.nordlys import (
    Person,
    consent,
    customer,
    erasure,
    event,
    objection,
    withdrawal,
)
from tests.support.opening import LedgerKind, open_world
from tests.support.page import web_settings
from tests.support.sweeping import asked, standing
from tests.support.visiting import Answers, look_for, visit
from tests.support.world import World, id_of
from topics import names
from worker import retention_operate
from worker.doctor import examine
from worker.embedded.child import free_port
from worker.stores_operate import pause_store
from worker.sweeps import publish

OURS = [
    names.SUPPRESSIONS,
    names.RECEIPTS,
    names.COMPLETED,
    names.REJECTED,
    *(names.commands(store) for store in ("crm", "billing", "newsletter")),
    names.sweeps("crm"),
]
NOW = datetime.now(UTC)


def test_the_scanner_finds_a_mark_however_it_is_written() -> None:
    """Plain, in capitals, as hexadecimal, base64 at any place, a plain hash; else nothing."""
    person, other = Person(), Person()
    scanner = Scanner([person])
    assert scanner.find(b"nothing of anybody") == set()
    assert scanner.find(repr(other).encode()) == set()
    assert scanner.find(f"x{person.mark.upper()}x".encode()) == {"plain"}
    assert scanner.find(b"call " + person.phone.encode()) == {"plain"}
    assert scanner.find(str(person.number).encode()) == {"plain"}
    assert scanner.find(person.mark.encode().hex().encode()) == {"hexadecimal"}
    for before in range(3):
        code = base64.b64encode(b"a" * before + person.email.encode())
        assert "base64" in scanner.find(b'{"x":"' + code + b'"}')
    digest = hashlib.sha256(person.email.encode())
    assert scanner.find(digest.hexdigest().encode()) == {"sha256"}
    assert scanner.find(digest.digest()) == {"sha256"}


@pytest.mark.parametrize("ledger", ["postgresql", "sqlite"])
async def test_no_mark_is_left_in_topics_ledger_logs_traces_or_on_the_page(
    fresh_broker: str, postgresql: Server, tmp_path: Path, ledger: LedgerKind
) -> None:
    """Events, bad input, parking, refusals, an outage: marks stay where they came in."""
    async with (
        open_collector() as collector,
        open_world(
            bootstrap=fresh_broker,
            server=postgresql,
            folder=tmp_path,
            ledger=ledger,
            gates=["billing"],
        ) as world,
    ):
        world.settings["ERASURE_TRACES_ENDPOINT"] = collector.url
        people, answers = await everything_happens(world)
        scanner = Scanner(people)
        # It can see: where marks may be, they are found.
        for topic in (names.CONSENT, names.REQUESTS):
            assert "plain" in scanner.find(await topic_bytes(world, topic)), topic
        assert "plain" in scanner.find(repr(await world.stores.dump()).encode())

        for topic in OURS:
            content = await topic_bytes(world, topic)
            assert content, topic
            assert scanner.find(content) == set(), topic
        columns = await ledger_columns(world)
        assert {"cases.source", "commands.payload", "batches.payload", "suppressions.pseudonym"} < (
            set(columns)
        )
        assert {"sweeps.counts", "sweep_receipts.people"} < set(columns)
        for column, content in columns.items():
            assert scanner.find(content) == set(), column
        nothing_on_the_page(answers, scanner)
        log = world.log.read_bytes()
        assert b"retry-later" in log
        assert scanner.find(log) == set()
        nothing_in_traces(collector, scanner)
        await nothing_in_a_report(world, scanner, people[0])


def nothing_in_traces(collector: Collector, scanner: Scanner) -> None:
    """All of it was traced, also what failed; of an error no more than its class is told."""
    assert {span.name for span in collector.spans} >= {
        *("plan", "erase", "verify", "settle"),
        *(f"send {topic}" for topic in OURS[:7]),
        f"process {names.sweeps('crm')}",
    }
    assert "RetryLater" in {span.said.get("error.type") for span in collector.spans}
    assert {span.words for span in collector.spans} == {""}
    assert collector.of("ab" * 16)
    for body in collector.bodies:
        assert scanner.find(body) == set()


def nothing_on_the_page(answers: Answers, scanner: Scanner) -> None:
    """Neither a page in any language nor a header nor a number tells whom all this was about."""
    told = b"".join(answer for _, answer in answers)
    # All of it was there to be told.
    for sign in (
        b"erasure_rejected_events_total{reason=", b'erasure_store_dead_commands{store="crm"} 1.0',
        b'erasure_standing_cases{state="parked"} 1.0', b"a court asks",
        b'<html lang="en"', b'<html lang="nb"',
    ):  # fmt: skip
        assert sign in told, sign
    for what, answer in answers:
        assert scanner.find(answer) == set(), what


async def nothing_in_a_report(world: World, scanner: Scanner, person: Person) -> None:
    """What ``erasure doctor`` writes tells of all this and of nobody, whatever was typed."""
    typed: dict[str, Any] = {"by": person.name, "reason": f"asked by {person.email}"}
    async with world.context() as context:
        await pause_store(context, "crm", **typed)
        await retention_operate.pause(
            context, await asked(context, "billing"), by=person.name, because=person.email
        )
        assert "plain" in scanner.find((await ledger_columns(world))["paused_stores.by"])
        with patch.dict(os.environ, world.settings):
            report = await examine(context.now())
    told = orjson.loads(report)
    assert "dead" in {one["state"] for one in told["ledger"]["commands"]}
    assert told["ledger"]["last_errors"]
    assert [one["store"] for one in told["ledger"]["others"]["stores_paused"]] == ["crm"]
    assert "ends_with" not in told["ledger"]
    assert scanner.find(report) == set()
    for secret in [*secrets_of(world), world.settings["ERASURE_TRACES_ENDPOINT"]]:
        assert secret.encode() not in report


def secrets_of(world: World) -> list[str]:
    """What the settings of a world hold that nobody else may see."""
    keys = [*json.loads(world.settings["ERASURE_PAYLOAD_KEYS"]).values()]
    urls = [*json.loads(world.settings["ERASURE_STORES"]).values()]
    return [*keys, *urls, world.settings["ERASURE_LEDGER"], world.settings["ERASURE_PSEUDONYM_KEY"]]


async def everything_happens(world: World) -> tuple[list[Person], Answers]:
    """Drive marked people through all that can become of an event, and look at it on the page.

    Return them all, and what the page answered.
    """
    port = free_port()
    page = URL(f"http://127.0.0.1:{port}")
    world.settings |= {**web_settings(), "ERASURE_WEB__PORT": str(port)}
    world.settings["ERASURE_LOG_LEVEL"] = "debug"
    gone = [Person() for _ in range(5)]
    kept = [customer(surveys=1) for _ in range(3)]
    first, second = Person(subscriptions=0), Person(subscriptions=0)
    refused, swallowed, stranger, unreadable = Person(), Person(), Person(), Person()
    everybody = [*gone, *kept, first, second, refused, swallowed, stranger, unreadable]
    await world.stores.add(*gone, *kept, first, second, refused, swallowed)
    await world.stores.run(
        "crm",
        f"UPDATE crm.customer SET email = '{first.email}'"
        f" WHERE customer_no = '{second.customer_no}';"
        "CREATE TABLE crm.loyalty (customer_no text REFERENCES crm.customer);"
        f" INSERT INTO crm.loyalty VALUES ('{refused.customer_no}')",
    )
    await world.stores.run(
        "newsletter",
        "CREATE TRIGGER swallow BEFORE DELETE ON subscriber"
        f" WHEN lower(OLD.email) = '{swallowed.email}' BEGIN SELECT RAISE(IGNORE); END",
    )
    closing = [
        *(erasure(person) for person in gone),
        withdrawal(kept[0], "newsletter", "survey"),
        objection(kept[1]),
        consent(kept[2]),
        erasure(kept[2], time=NOW - timedelta(hours=1)),
        event("erasure.requested", {"phone": stranger.phone, "customer_id": stranger.mark}),
    ]
    parked, dead = erasure(first), [erasure(refused), erasure(swallowed)]
    with world.worker(only="intake") as intake:
        await world.publish(*closing, parked, *dead, mode="binary", headers=trace_of(gone[0]))
        await spoil(world, unreadable)
        await world.until_states(parked, state="parked")

        async def planned() -> bool:
            return set(await world.states()) >= {id_of(one) for one in closing} and not (
                await world.unsaid()
            )

        await world.until(planned, "everything is planned")
        answers = await visit(page, await world.states())
        assert await intake.stop() == 0
    await world.gates["billing"].shut()
    with world.worker() as worker:
        await world.until_log("retry-later")
        await world.gates["billing"].open()
        await world.until_states(*closing)

        async def buried() -> bool:
            rows = await world.fetch(sa.text("SELECT count(*) FROM commands WHERE state = 'dead'"))
            return bool(rows[0][0] == 2)

        await world.until(buried, "two dead letters")
        await refused_sweep(world)
        everybody.append(await strand(world))
        answers += await look_for(page, gone[0])
        answers += await visit(page, await world.states())
        assert await worker.stop() == 0
    return everybody, answers


def trace_of(person: Person) -> list[tuple[str, bytes]]:
    """A trace with which upstream says more than it should."""
    marked = f"shop={person.mark}".encode()
    began = ("traceparent", b"00-" + b"ab" * 16 + b"-" + b"cd" * 8 + b"-01")
    return [began, ("tracestate", marked), ("baggage", marked)]


async def refused_sweep(world: World) -> None:
    """Sweep the CRM, which refuses one of the people: the others of the part go by their keys."""
    async with world.context() as context:
        sweep_id = await asked(context, "crm")
        await publish(context, [("crm", sweep_id)])

        async def ended() -> bool:
            return (await standing(context, sweep_id)).ended_at is not None

        await world.until(ended, "the sweep has ended")
        found = await standing(context, sweep_id)
        assert (found.state, (found.reason or {})["apart"]) == ("failed", {"constraint": 1})


async def strand(world: World) -> Person:
    """Leave a case behind a store that is away, so that its payloads lie in the ledger."""
    person = Person()
    await world.stores.add(person)
    await world.gates["billing"].shut()
    waiting = erasure(person)
    await world.publish(waiting)
    await world.until_states(waiting, state="open")
    await world.until_planned_later()
    return person


async def spoil(world: World, person: Person) -> None:
    """Publish what nobody can read, with marks in every place."""
    good = {"specversion": "1.0", **erasure(person)}
    for value in (
        person.email.encode(),
        orjson.dumps({**good, "type": person.mark}),
        orjson.dumps({**good, "data": {"subject": {person.mark: person.email}}}),
        orjson.dumps({**good, "data": {"subject": {"email": person.mark}}}),
        orjson.dumps({**good, "data": {"subject": {"phone": person.mark}}}),
        orjson.dumps({**good, "data": {"subject": {"email": {person.mark: 1}}}}),
        orjson.dumps({**good, "data": {"subject": {"email": person.email}, person.mark: 1}}),
        orjson.dumps({**good, "time": person.mark}),
        orjson.dumps({**good, person.mark: person.mark}),
    ):
        await world.publish_raw(
            names.REQUESTS, value, key=person.mark.encode(), headers=[("x", person.mark.encode())]
        )


async def topic_bytes(world: World, topic: str) -> bytes:
    """All that lies on a topic: keys, values, headers."""
    parts: list[bytes] = []
    for record in await world.read(topic):
        parts += [record.key or b"", record.value or b""]
        parts += [part for name, value in record.headers for part in (name.encode(), value or b"")]
    return b"\n".join(parts)


async def ledger_columns(world: World) -> dict[str, bytes]:
    """All that the ledger holds, by column, whatever tables it has."""

    def dump(connection: sa.Connection) -> dict[str, bytes]:
        metadata = sa.MetaData()
        metadata.reflect(connection)
        found: dict[str, bytes] = {}
        for table in metadata.tables.values():
            rows = connection.execute(sa.select(table)).all()
            for at, column in enumerate(table.columns):
                found[f"{table.name}.{column.name}"] = b"\n".join(
                    map(as_bytes, column_of(rows, at))
                )
        return found

    async with world.ledger.begin() as connection:
        return await connection.run_sync(dump)


def column_of(rows: Iterable[Any], at: int) -> list[Any]:
    """One column of rows."""
    return [row[at] for row in rows]


def as_bytes(value: Any) -> bytes:
    """A column's value, as anybody who reads the ledger would see it."""
    return bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode()
