"""Where the bench runs: one embedded PostgreSQL for ledger and stores, and a broker."""

from __future__ import annotations

import base64
import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import asyncpg

from tests.bench.stores import CHILD, CHILDREN, PARENT, PEOPLE, ROWS, TABLES
from tests.support.brokers import BOOTSTRAP, MAY_WIPE
from topics import admin, names
from worker.bootstrap import open_context
from worker.embedded.broker import EmbeddedBroker
from worker.embedded.postgres import EmbeddedPostgres
from worker.ledger.sweep_tables import metadata
from worker.ledger.upgrade import upgrade
from worker.settings import Settings, load

POLICY: Final = Path(__file__).with_name("policy.yaml")
LEDGER: Final = "ledger"

_SERVER: Final = {
    "shared_buffers": "512MB",
    # What the server does by itself in its own time would be paid for by whoever runs just then.
    "autovacuum": "off",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "1h",
}
_LEDGER_TABLES: Final = ", ".join(["receipts_by_hand", *metadata.tables])
_BY_HAND: Final = """
    CREATE TABLE receipts_by_hand (
        answer_id bigint NOT NULL REFERENCES answers,
        case_id uuid NOT NULL REFERENCES cases,
        store text NOT NULL,
        outcomes jsonb NOT NULL,
        verified boolean NOT NULL CHECK (verified),
        PRIMARY KEY (answer_id, case_id, store)
    );
    CREATE INDEX ix_receipts_by_hand_case ON receipts_by_hand (case_id);
"""
"""Where the program written by hand puts its receipts: a row each, checked by the database."""


class NotWiped(Exception):
    """The broker that was named may hold topics of somebody else."""


@dataclass(frozen=True, slots=True)
class World:
    """The servers, and how a worker is told of them."""

    directory: Path
    postgres: EmbeddedPostgres
    bootstrap: str
    idempotent: bool
    key: str

    def url(self, database: str) -> str:
        """The address of a database, as asyncpg reads it."""
        return self.postgres.url(database, "postgresql")

    def settings(self) -> dict[str, Any]:
        """What :func:`worker.settings.load` is given, as JSON can carry it."""
        return {
            "policy": str(POLICY),
            "ledger": self.url(LEDGER),
            "stores": {store: self.url(store) for store in TABLES},
            "broker": {"bootstrap": self.bootstrap, "idempotent": self.idempotent},
            "pseudonym_key": self.key,
            "payload_keys": {"k1": self.key},
            "payload_key": "k1",
            "log_format": "console",
            "log_level": "warning",
            "data_dir": str(self.directory / "faust"),
        }

    def worker_settings(self) -> Settings:
        """The same, read."""
        return load(**self.settings())

    async def fill(self, people: int) -> None:
        """Make an empty ledger and that many new people in every store, and let the disk rest."""
        connection = await asyncpg.connect(self.url(LEDGER))
        await connection.execute(f"TRUNCATE {_LEDGER_TABLES}")
        await connection.close()
        for store in TABLES:
            connection = await asyncpg.connect(self.url(store))
            await connection.execute(f"TRUNCATE {CHILD[store]}, {PARENT[store]}")
            await connection.execute(PEOPLE[store], people)
            await connection.execute(ROWS[store], people, CHILDREN)
            await connection.execute("VACUUM ANALYZE")
            await connection.execute("CHECKPOINT")
            await connection.close()

    async def left(self) -> int:
        """Rows that are still in the stores."""
        rows = 0
        for store in TABLES:
            connection = await asyncpg.connect(self.url(store))
            for table in (PARENT[store], CHILD[store]):
                rows += await connection.fetchval(f"SELECT count(*) FROM {table}")
            await connection.close()
        return rows

    async def receipts(self) -> int:
        """Outcomes of a person in a store that are in the ledger, whoever wrote them."""
        connection = await asyncpg.connect(self.url(LEDGER))
        count = await connection.fetchval(
            "SELECT (SELECT count(*) FROM receipts_by_hand WHERE verified)"
            " + (SELECT coalesce(sum(cardinality(case_ids)), 0) FROM receipts WHERE verified)"
        )
        await connection.close()
        return int(count)


@contextmanager
def servers(directory: Path) -> Iterator[World]:
    """Start the servers; the broker is the one that KAFKA_BOOTSTRAP names, else the embedded one.

    A named broker is left with empty topics of the worker's own, which MAY_WIPE must allow.
    """
    named = os.environ.get(BOOTSTRAP)
    if named and os.environ.get(MAY_WIPE) != "yes":
        raise NotWiped(
            f"the bench fills and empties the worker's topics on the cluster that {BOOTSTRAP} "
            f"names; set {MAY_WIPE}=yes if it is there for tests only"
        )
    key = base64.b64encode(random.Random(1).randbytes(32)).decode()
    with EmbeddedPostgres(directory / "postgres", _SERVER) as postgres:
        if named:
            yield World(directory, postgres, named, True, key)
            return
        with EmbeddedBroker(directory / "broker") as broker:
            yield World(directory, postgres, broker.bootstrap, False, key)


async def prepare(world: World) -> None:
    """Create databases, tables and topics."""
    world.postgres.create_database(LEDGER)
    for store, tables in TABLES.items():
        world.postgres.create_database(store)
        connection = await asyncpg.connect(world.url(store))
        await connection.execute(tables)
        await connection.close()
    async with open_context(world.worker_settings()) as context:
        await upgrade(context.ledger)
        connection = await asyncpg.connect(world.url(LEDGER))
        await connection.execute(_BY_HAND)
        await connection.close()
        wanted = names.catalogue(context.policy.stores)
    await admin.create(world.bootstrap, wanted)
