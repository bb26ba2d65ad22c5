"""A company's installation for tests: real broker, real databases, settings in the environment.

Only the installed command ``erasure`` is used on it, and SQL on the stores as the company's own
systems would use them.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from tests.support import forks
from topics.admin import present
from topics.names import INBOUND
from worker.embedded.broker import EmbeddedBroker
from worker.embedded.postgres import EmbeddedPostgres

ROOT = Path(__file__).parents[2]
POLICY = ROOT / "deploy" / "policy" / "nordlys.yaml"
SCHEMAS = ROOT / "deploy" / "policy" / "nordlys-schema"
NEWSLETTER = "newsletter.db"
SOURCE = "/acceptance"

PATIENCE_SECONDS = 60.0
"""How long a test waits for what must happen before it says that it did not."""


@dataclass(frozen=True, slots=True)
class Answer:
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output as JSON; raises when it is anything else."""
        return json.loads(self.out)


@dataclass(frozen=True, slots=True)
class Installation:
    """A broker, a ledger and three stores, and the variables that name them."""

    folder: Path
    env: Mapping[str, str]
    postgres: EmbeddedPostgres
    said: list[str] = field(default_factory=list)
    """Everything that any command has printed."""

    def erasure(
        self, *arguments: str, given: str | None = None, env: Mapping[str, str] | None = None
    ) -> Answer:
        """Run a command to its end; ``env`` replaces single variables, an empty one unsets it.

        In a process of its own, which need not load the program first.
        """
        with tempfile.TemporaryDirectory() as folder:
            streams = Path(folder)
            (streams / "in").write_text(given or "")
            command, variables = ("erasure", *arguments), self._environment(env)
            code = forks.run(command, variables, self.folder, streams, PATIENCE_SECONDS)
            out, err = ((streams / name).read_text() for name in ("out", "err"))
        self.said.append(out + err)
        return Answer(code, out, err)

    def installed(
        self, *arguments: str, given: str | None = None, env: Mapping[str, str] | None = None
    ) -> Answer:
        """Run the installed program to its end, as somebody who types it."""
        done = subprocess.run(
            [program(), *arguments],
            input=given,
            capture_output=True,
            text=True,
            env=self._environment(env),
            cwd=self.folder,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
        self.said.append(done.stdout + done.stderr)
        return Answer(done.returncode, done.stdout, done.stderr)

    @contextmanager
    def running(self, *arguments: str) -> Iterator[Running]:
        """A worker, from its start until the end of the block; killed if it still runs then."""
        log = self.folder / f"run-{uuid4().hex[:8]}.log"
        with log.open("wb") as lines:
            process = subprocess.Popen(
                [program(), "run", *arguments],
                stdout=lines,
                stderr=lines,
                env=self._environment({"ERASURE_DATA_DIR": str(self.folder / log.stem)}),
                cwd=self.folder,
            )
        try:
            yield Running(process, log)
        finally:
            process.kill()
            process.wait()
            self.said.append(log.read_text())

    def sql(self, database: str, statement: str) -> list[tuple[Any, ...]]:
        """Run statements on the CRM or billing, as the company's own system would."""
        return asyncio.run(self._sql(database, statement))

    async def _sql(self, database: str, statement: str) -> list[tuple[Any, ...]]:
        connection = await asyncpg.connect(self.postgres.url(database, "postgresql"))
        try:
            if statement.lstrip().upper().startswith("SELECT"):
                return [tuple(row) for row in await connection.fetch(statement)]
            await connection.execute(statement)
            return []
        finally:
            await connection.close()

    def newsletter(self, statement: str) -> list[tuple[Any, ...]]:
        """Run a statement on the newsletter."""
        with closing(sqlite3.connect(self.folder / NEWSLETTER)) as connection, connection:
            return connection.execute(statement).fetchall()

    def inbound(self) -> str:
        """Everything that lies on the inbound topics."""
        return asyncio.run(_inbound(self.env["ERASURE_BROKER__BOOTSTRAP"]))

    def publish(self, *events: Mapping[str, object]) -> None:
        """Publish events, one a line, and see that it worked."""
        answer = self.erasure("publish", "-", given="\n".join(map(json.dumps, events)))
        assert answer.code == 0, answer.err

    def case(self, event: Mapping[str, object]) -> Any:
        """What ``erasure case --event`` tells of an event."""
        answer = self.erasure("case", "--event", SOURCE, str(event["id"]), "--json")
        assert answer.code == 0, answer.err
        return answer.json

    def states(self, *events: Mapping[str, object]) -> list[str]:
        """The states of the cases of these events; waiting asks the ledger, which is quicker."""
        ids = ", ".join(f"'{event['id']}'" for event in events)
        rows = self.sql("ledger", f"SELECT state FROM cases WHERE event_id IN ({ids})")
        return [row[0] for row in rows]

    def until(self, event: Mapping[str, object], state: str) -> Any:
        """Wait until the case of an event is in a state; return what is told of it then."""
        wait_for(lambda: self.states(event) == [state], f"the case to be {state}")
        return self.case(event)

    def _environment(self, changed: Mapping[str, str] | None) -> dict[str, str]:
        mixed = {**os.environ, **self.env, **(changed or {})}
        return {name: value for name, value in mixed.items() if value}


@dataclass(frozen=True, slots=True)
class Running:
    """A worker that runs."""

    process: subprocess.Popen[bytes]
    log: Path

    def lines(self) -> list[dict[str, Any]]:
        """What it has logged so far: JSON, every line of it."""
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Ask it to end; return its exit code."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE_SECONDS)


def program() -> str:
    """The command as it is installed beside the Python that runs the tests."""
    path = Path(sys.executable).parent / "erasure"
    if not path.exists():
        pytest.fail("erasure is not installed beside this Python; run: pip install -e . --no-deps")
    return str(path)


def wait_for(look: Callable[[], Any], what: str) -> Any:
    """Look again and again until there is something; fail when it takes too long."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not (found := look()):
        if time.monotonic() > end:
            pytest.fail(f"waited in vain for {what}")
        time.sleep(0.2)
    return found


def event(kind: str, subject: Mapping[str, str], **data: object) -> dict[str, object]:
    """An event of upstream, as JSON has it."""
    return {
        "id": uuid4().hex,
        "source": SOURCE,
        "type": f"privacy.{kind}.v1",
        "time": datetime.now(UTC).isoformat(),
        "data": {"subject": subject, **data},
    }


def make_sqlite(file: Path, script: str) -> None:
    """Make an SQLite database by a script."""
    with closing(sqlite3.connect(file)) as connection:
        connection.executescript(script)


async def _inbound(bootstrap: str) -> str:
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    try:
        there = await present(bootstrap)
        partitions = [TopicPartition(topic, at) for topic in INBOUND for at in range(there[topic])]
        consumer.assign(partitions)
        found = b""
        while not await _all_read(consumer, partitions):
            fetched = await consumer.getmany(timeout_ms=100)
            found += b"".join(one.value for records in fetched.values() for one in records)
        return found.decode()
    finally:
        await consumer.stop()


async def _all_read(consumer: AIOKafkaConsumer, partitions: Sequence[TopicPartition]) -> bool:
    """Whether nothing is left to read; how far a partition goes comes with the first fetch."""
    for partition in partitions:
        high = consumer.highwater(partition)
        if high is None or await consumer.position(partition) < high:
            return False
    return True


@contextmanager
def install(folder: Path) -> Iterator[Installation]:
    """Start the servers, make the stores, and bring ledger and topics up with the command."""
    with (
        EmbeddedBroker(folder / "broker") as broker,
        EmbeddedPostgres(folder / "postgres", {"fsync": "off"}) as postgres,
    ):
        for database in ("ledger", "crm", "billing"):
            postgres.create_database(database)
        installation = Installation(folder, _environment(folder, broker, postgres), postgres)
        for store in ("crm", "billing"):
            installation.sql(store, (SCHEMAS / f"{store}.postgresql.sql").read_text())
        make_sqlite(folder / NEWSLETTER, (SCHEMAS / "newsletter.sqlite.sql").read_text())
        for command in (("ledger", "upgrade"), ("topics", "create")):
            answer = installation.installed(*command)
            assert answer.code == 0, answer.err
        yield installation


def _environment(
    folder: Path, broker: EmbeddedBroker, postgres: EmbeddedPostgres
) -> dict[str, str]:
    def key() -> str:
        return base64.b64encode(os.urandom(32)).decode()

    return {
        "ERASURE_POLICY": str(POLICY),
        "ERASURE_LEDGER": postgres.url("ledger", "postgresql"),
        "ERASURE_STORES__CRM": postgres.url("crm", "postgresql"),
        "ERASURE_STORES__BILLING": postgres.url("billing", "postgresql"),
        "ERASURE_STORES__NEWSLETTER": f"sqlite:///{folder / NEWSLETTER}",
        "ERASURE_BROKER__BOOTSTRAP": broker.bootstrap,
        "ERASURE_BROKER__IDEMPOTENT": "false",
        "ERASURE_PSEUDONYM_KEY": key(),
        "ERASURE_PAYLOAD_KEYS__K1": key(),
        "ERASURE_PAYLOAD_KEY": "k1",
        "ERASURE_REDRIVE_SECONDS": "1",
        "ERASURE_WEB__PORT": "0",
    }


def customers(installation: Installation, rows: Sequence[Mapping[str, str | None]]) -> None:
    """Put customers into the CRM, each with what is given and a name."""
    script = ""
    for row in rows:
        filled = {"name": "Somebody", "address": "Storgata 1", **row}
        values = ", ".join("NULL" if v is None else f"'{v}'" for v in filled.values())
        script += f"INSERT INTO crm.customer ({', '.join(filled)}) VALUES ({values});"
    installation.sql("crm", script)
