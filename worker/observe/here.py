"""What this process knows of its own state: whether it turns, what it reads, which stores are away.

Plain values, set by the parts that run and read by probes, ``/metrics`` and the reporter, all in
one event loop.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from time import monotonic

from connectors.faults import Fault
from worker.ledger.batches import Lane
from worker.observe.lag import GroupLag


@dataclass(frozen=True, slots=True)
class Seen:
    """How a store looks to this process on one lane; away with the kind of its last failure."""

    since: datetime
    fault: str | None = None
    hint: str | None = None
    next_try: datetime | None = None

    @property
    def away(self) -> bool:
        """Whether it is away, or does not fit the policy."""
        return self.fault is not None


class Here:
    """One process. Begins as one that has not started and serves nothing."""

    def __init__(self) -> None:
        self.started = False
        """Whether the ledger was read once and every part begun."""
        self.bootstrap = ""
        """Where the broker is: host:port, several with commas."""
        self.turned = monotonic()
        """When the event loop last turned."""
        self.changed = False
        """Whether stores look otherwise than was last reported."""
        self.groups: Mapping[str, GroupLag] | None = None
        """Kafka's view of the groups, when the broker could tell it lately."""
        self.stores: dict[tuple[str, Lane], Seen] = {}
        self.lookups: dict[str, Seen] = {}
        """Stores that do not say who is meant: planning waits for them."""
        self._assigned: dict[str, int | None] = {}

    def reads(self, group: str) -> None:
        """This process is about to read with a consumer group."""
        self._assigned[group] = None

    def assigned(self, group: str, partitions: int) -> None:
        """A group has given this process so many partitions; none, where others have them all."""
        self._assigned[group] = partitions

    @property
    def assignments(self) -> Mapping[str, int | None]:
        """Partitions by group; None: it is not in the group yet."""
        return self._assigned

    def serves(self, store: str, lane: Lane, now: datetime) -> None:
        """A store answers."""
        before = self.stores.get((store, lane))
        if before is None or before.away:
            self.stores[store, lane] = Seen(now)
            self.changed = True

    def away(self, store: str, lane: Lane, fault: Fault, now: datetime, next_try: datetime) -> None:
        """A store is away, or does not fit; when it was away before, that is since when."""
        self.stores[store, lane] = self._away(self.stores.get((store, lane)), fault, now, next_try)

    def looked_up(
        self, silent: Mapping[str, Fault], answered: Iterable[str], now: datetime, again: datetime
    ) -> None:
        """Stores were asked who is meant: some did not answer and are asked ``again``."""
        for store, fault in silent.items():
            self.lookups[store] = self._away(self.lookups.get(store), fault, now, again)
        for store in answered:
            if store not in silent and self.lookups.pop(store, None) is not None:
                self.changed = True

    def seen(self) -> dict[tuple[str, Lane], Seen]:
        """How stores look from here: away when either erasing or looking up says so."""
        found = dict(self.stores)
        for store, lookup in self.lookups.items():
            other = found.get((store, Lane.PEOPLE))
            if other is None or not other.away:
                found[store, Lane.PEOPLE] = lookup
        return found

    def _away(self, before: Seen | None, fault: Fault, now: datetime, next_try: datetime) -> Seen:
        was_away = before is not None and before.away
        seen = Seen(before.since if before and was_away else now, fault.code, fault.hint or None)
        if before is None or replace(before, next_try=None) != seen:
            self.changed = True
        return replace(seen, next_try=next_try)
