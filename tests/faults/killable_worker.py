"""The real worker as a program that kills itself (SIGKILL) around one named step of its path.

Started by :class:`tests.support.worker.WorkerProcess`. The settings are those of the worker. Four
variables of its own: ``WORKER_KILL`` (``before|after STEP NTH``), ``WORKER_ONLY`` (parts, with
commas), ``WORKER_TRACE`` (a file that gets a line for every step done) and ``WORKER_PATIENT``.
Waits are short, so that what a dead worker left behind is driven again within a second or two; a
patient one leaves what is only slow to itself, as in earnest.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer

import worker.ledger.answers
import worker.ledger.batches
import worker.ledger.commands
import worker.ledger.consents
import worker.plan
import worker.run
import worker.streams.agents
import worker.streams.connector_worker
import worker.streams.intake_worker
from connectors.sql import SqlConnector
from topics import names
from worker import logs
from worker.context import Timing
from worker.core.retry import Backoff
from worker.settings import load
from worker.streams.leaving import run_to_the_end
from worker.streams.publish import KafkaPublisher

TIMING = Timing(
    plan_grace=timedelta(seconds=1),
    command_grace=timedelta(seconds=2),
    answer_grace=timedelta(seconds=1),
    store_timeout=timedelta(seconds=10),
    lookup_timeout=timedelta(seconds=3),
)
SOON = Backoff(base=0.1, cap=0.5)
KAFKA_SESSION, EMBEDDED_SESSION = 6.0, 2.0
"""Seconds after which a broker gives up a member that was killed.

Kafka takes no less, and the embedded broker lets a new member wait for half of it.
"""


@dataclass(frozen=True, slots=True)
class Step:
    """One awaited call of the path: where it is looked up, and which calls of it are meant."""

    owner: Any
    name: str
    meant: Callable[[tuple[Any, ...]], bool] = lambda _: True


def _to(topic: str) -> Callable[[tuple[Any, ...]], bool]:
    return lambda args: bool(args[1] == topic)


def _of(prefix: str) -> Callable[[tuple[Any, ...]], bool]:
    return lambda args: any(partition.topic.startswith(prefix) for partition in args[1])


STEPS: dict[str, Step] = {
    # Intake. "Rows" are written in a transaction that is not committed yet.
    "intake-rows": Step(worker.ledger.consents, "record"),
    "stop-published": Step(KafkaPublisher, "send", _to(names.SUPPRESSIONS)),
    "stop-noted": Step(worker.ledger.batches, "stopped"),
    "taken-in": Step(worker.streams.agents, "take_in"),
    "events-committed": Step(AIOKafkaConsumer, "commit", _of("privacy.")),
    # Planning.
    "resolved": Step(worker.plan, "resolve"),
    "plan-rows": Step(worker.ledger.commands, "issue"),
    "crm-command-published": Step(KafkaPublisher, "send", _to(names.commands("crm"))),
    "last-command-published": Step(KafkaPublisher, "send", _to(names.commands("newsletter"))),
    "commands-noted": Step(worker.ledger.commands, "published"),
    # One command in one store.
    "attempt-noted": Step(worker.ledger.commands, "take"),
    "erased": Step(SqlConnector, "erase"),
    "verified": Step(SqlConnector, "verify"),
    "settle-rows": Step(worker.ledger.commands, "settle"),
    "receipts-published": Step(KafkaPublisher, "send", _to(names.RECEIPTS)),
    "completions-published": Step(KafkaPublisher, "send", _to(names.COMPLETED)),
    "answer-noted": Step(worker.ledger.answers, "published"),
    "commands-committed": Step(AIOKafkaConsumer, "commit", _of("erasure.commands.")),
}


def watch(name: str, around: Callable[[str, str], None]) -> None:
    """Call ``around`` before and after every meant call of a step."""
    step = STEPS[name]
    original = getattr(step.owner, step.name)

    async def watched(*args: Any, **kwargs: Any) -> Any:
        if not step.meant(args):
            return await original(*args, **kwargs)
        around("before", name)
        result = await original(*args, **kwargs)
        around("after", name)
        return result

    setattr(step.owner, step.name, watched)


def killer(when: str, name: str, nth: int) -> None:
    """Die before or after the n-th call of a step."""
    calls = 0

    def around(now: str, _name: str) -> None:
        nonlocal calls
        if now == when:
            calls += 1
            if calls == nth:
                os.kill(os.getpid(), signal.SIGKILL)

    watch(name, around)


def tracer(path: Path) -> None:
    """Write a line into a file for every call of every step, as it ends."""

    def around(now: str, name: str) -> None:
        if now == "after":
            with path.open("a") as file:
                file.write(f"{name}\n")

    for name in STEPS:
        watch(name, around)


def hasten(session: float, timing: Timing) -> None:
    """Shorten every wait that only guards against a hurry. ``session`` is in seconds."""
    replace(worker.run, "open_context", lambda original: partial(original, timing=timing))
    worker.plan.AGAIN = SOON
    worker.streams.agents.WAITS = SOON
    worker.streams.connector_worker.WAITS = SOON

    def consumer(original: Any) -> Any:
        impatient = {"session_timeout_ms": int(session * 1000), "heartbeat_interval_ms": 300}
        return lambda **options: original(**{**options, **impatient})

    def app(original: Any) -> Any:
        def make(*args: Any, **options: Any) -> Any:
            made = original(*args, **options)
            made.conf.broker_session_timeout = session
            made.conf.broker_heartbeat_interval = 0.3
            return made

        return make

    replace(worker.streams.connector_worker, "AIOKafkaConsumer", consumer)
    replace(worker.streams.intake_worker, "make_app", app)


def replace(owner: Any, name: str, wrap: Callable[[Any], Any]) -> None:
    """Put something around what a module has imported."""
    setattr(owner, name, wrap(getattr(owner, name)))


def main() -> None:
    """Run the worker until it is told to stop, or dies."""
    settings = load()
    session = KAFKA_SESSION if settings.broker.idempotent else EMBEDDED_SESSION
    hasten(session, Timing() if os.environ.get("WORKER_PATIENT") else TIMING)
    if trace := os.environ.get("WORKER_TRACE"):
        tracer(Path(trace))
    if kill := os.environ.get("WORKER_KILL"):
        when, name, nth = kill.split()
        killer(when, name, int(nth))
    only = [part for part in os.environ.get("WORKER_ONLY", "").split(",") if part]
    logs.configure(settings.log_format, settings.log_level)
    run_to_the_end(worker.run.run(settings, only))


if __name__ == "__main__":
    main()
