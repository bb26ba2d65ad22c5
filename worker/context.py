"""What every use case is given: the policy, the ledger, the keys, the stores, a voice, a clock."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from connectors.base import Connector
from worker.core.policy import Policy
from worker.ledger.database import Ledger
from worker.observe.counted import Metrics
from worker.observe.here import Here
from worker.observe.tracing import Tracing
from worker.sealing import Sealer

Outgoing = tuple[bytes | None, bytes | None]
"""Key and value of one message; a value of None is a tombstone."""


class PublishFailed(Exception):
    """The broker did not take every message. What it was is in the ledger: publish it again."""


class NotPossible(Exception):
    """What a person asks for cannot be done; nothing was changed. The text says what to do.

    ``code`` is a short stable word and ``values`` are what fills it, for whoever says it in other
    words or another language.
    """

    def __init__(self, code: str, text: str, **values: object) -> None:
        super().__init__(text)
        self.code = code
        self.values = values


class Publisher(Protocol):
    """Puts messages on topics."""

    async def send(self, topic: str, messages: Sequence[Outgoing]) -> None:
        """Return when the broker has acknowledged each message; raise PublishFailed otherwise."""
        ...


@dataclass(frozen=True, slots=True)
class Timing:
    """How long others wait before they suppose that somebody died."""

    plan_grace: timedelta = timedelta(seconds=30)
    """Intake plans its own batch; after this, redrive does."""
    command_grace: timedelta = timedelta(minutes=2)
    """A command that nobody settled is published again after this, then ever more rarely."""
    answer_grace: timedelta = timedelta(seconds=30)
    """What was committed and not published is published again after this."""
    store_timeout: timedelta = timedelta(seconds=60)
    """One erase or verify call, at the most."""
    lookup_timeout: timedelta = timedelta(seconds=5)
    """One look-up of a batch: planning waits no longer for a store that does not answer."""


@dataclass(frozen=True, slots=True)
class Context:
    """The parts that use cases work with. Built once, in :mod:`worker.bootstrap`."""

    policy: Policy
    ledger: Ledger
    sealer: Sealer
    publisher: Publisher
    connectors: Mapping[str, Connector]
    now: Callable[[], datetime]
    timing: Timing = field(default_factory=Timing)
    sizes: dict[str, tuple[datetime, int, float | None]] = field(default_factory=dict)
    """What was counted of each store, and when: its people, and whom a usual day erases."""
    metrics: Metrics = field(default_factory=Metrics)
    """What this process counts of itself."""
    here: Here = field(default_factory=Here)
    """What this process knows of its own state."""
    tracing: Tracing = field(default_factory=Tracing)
    """The traces of its work, where somebody wants them."""

    def no_store(self, store: str) -> NotPossible:
        """What to raise for a store that the policy does not have."""
        known = ", ".join(sorted(self.connectors))
        text = f"there is no store '{store}'; the policy has: {known}"
        return NotPossible("no-store", text, store=store, known=known)

    def day(self) -> date:
        """Today in the policy's country: what is over is counted in its days."""
        return self.now().astimezone(ZoneInfo(self.policy.time_zone)).date()
