"""Opening a world: topics on the broker, an empty ledger, empty stores, and the settings for it."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Literal

import sqlalchemy as sa
from aiokafka import AIOKafkaProducer

from tests.support import databases
from tests.support.databases import POSTGRESQL, Database, Server
from tests.support.gate import Gate, directory_of
from tests.support.nordlys import POLICY, Stores
from tests.support.world import World
from topics import admin, names
from worker.ledger.database import Ledger
from worker.ledger.upgrade import upgrade
from worker.policy_file import load as load_policy

LedgerKind = Literal["postgresql", "sqlite"]


@asynccontextmanager
async def open_world(
    *,
    bootstrap: str,
    server: Server,
    folder: Path,
    ledger: LedgerKind | Database = "postgresql",
    stores: Server | Literal["sqlite"] | None = None,
    kafka: bool | None = None,
    gates: Iterable[str] = (),
) -> AsyncIterator[World]:
    """Make topics, an empty ledger and empty stores; take all of it away at the end.

    ``kafka`` says whether the broker is an Apache Kafka; by default when one was named. ``gates``
    names PostgreSQL databases (``crm``, ``billing``, ``ledger``) that the worker reaches through
    a gate, which the test may shut; the test itself goes past it. ``stores`` is where CRM and
    billing are, by default on the same server as the ledger.
    """
    folder.mkdir(parents=True, exist_ok=True)  # noqa: ASYNC240 - nothing else runs yet
    async with AsyncExitStack() as stack:

        async def create(on: Server | Literal["sqlite"]) -> Database:
            if on == "sqlite":
                return databases.sqlite_database(folder)
            made = await on.create()
            stack.push_async_callback(made.drop)
            return made

        on = stores or server
        filled = Stores(await create(on), await create(on), folder / "newsletter.db")
        await filled.create()
        if isinstance(ledger, Database):
            database = ledger
        elif ledger == "postgresql":
            database = await empty_ledger(server)
            stack.push_async_callback(database.drop)
        else:
            database = databases.sqlite_database(folder)
        await admin.create(bootstrap, names.catalogue(load_policy(POLICY).stores))
        opened = Ledger(database.text)
        stack.push_async_callback(opened.close)
        if ledger != "postgresql":
            await upgrade(opened)
        producer = AIOKafkaProducer(bootstrap_servers=bootstrap, max_request_size=4_000_000)
        stack.push_async_callback(producer.stop)
        await producer.start()
        urls = {**filled.urls, "ledger": database.text}
        behind = {"crm": filled.crm, "billing": filled.billing, "ledger": database}
        opened_gates = {}
        for name in gates:
            gate = opened_gates[name] = Gate(directory_of(behind[name].url))
            await stack.enter_async_context(gate)
            urls[name] = gate.url(behind[name])
        settings = _settings(urls, folder)
        if filled.dialect != POSTGRESQL:
            settings["ERASURE_POLICY"] = str(_without_schemas(folder))
        settings["ERASURE_BROKER"] = json.dumps(
            {"bootstrap": bootstrap, "idempotent": on_kafka() if kafka is None else kafka}
        )
        world = World(bootstrap, filled, opened, settings, folder, producer, opened_gates)
        stack.callback(world.kill_workers)
        yield world


_LEDGERS: dict[sa.URL, str] = {}
"""For each server, an empty ledger that was made once: to copy one costs a fifth of making it."""


async def empty_ledger(server: Server) -> Database:
    """An empty ledger on PostgreSQL."""
    if server.url not in _LEDGERS:
        first = await server.create()
        ledger = Ledger(first.text)
        await upgrade(ledger)
        await ledger.close()
        assert first.url.database
        _LEDGERS[server.url] = first.url.database
    return await server.create(_LEDGERS[server.url])


def _without_schemas(folder: Path) -> Path:
    """The policy for stores in databases that have no schemas."""
    lines = POLICY.read_text(encoding="utf-8").splitlines(keepends=True)
    kept = [one for one in lines if not one.strip().startswith("schema: ")]
    assert len(kept) < len(lines)
    file = folder / "elsewhere.yaml"
    file.write_text("".join(kept), encoding="utf-8")
    return file


def _settings(urls: Mapping[str, str], folder: Path) -> dict[str, str]:
    key = base64.b64encode(os.urandom(32)).decode()
    return {
        "ERASURE_POLICY": str(POLICY),
        "ERASURE_LEDGER": urls["ledger"],
        "ERASURE_STORES": json.dumps({k: v for k, v in urls.items() if k != "ledger"}),
        "ERASURE_PSEUDONYM_KEY": key,
        "ERASURE_PAYLOAD_KEYS": json.dumps({"first": key}),
        "ERASURE_PAYLOAD_KEY": "first",
        "ERASURE_DATA_DIR": str(folder / "faust"),
        "ERASURE_REDRIVE_SECONDS": "0.3",
        "ERASURE_WEB__PORT": "0",
    }


def on_kafka() -> bool:
    """Whether the broker of the tests is a Kafka that somebody named, not the embedded one."""
    return "KAFKA_BOOTSTRAP" in os.environ
