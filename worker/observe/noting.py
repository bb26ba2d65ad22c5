"""What is counted when something is committed: called after the commit, never before.

So a transaction that was rolled back counts nothing, and one that another process committed is
counted there.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from topics.events import EventKind
from worker.core.lifecycle import CaseState
from worker.core.objectives import Clock
from worker.ledger.answers import Receipt
from worker.ledger.commands import Command, CommandKind, Issued, NewCommand
from worker.ledger.endings import Ended
from worker.observe.counted import Metrics

Times = Mapping[UUID, datetime | None]
"""The time of each case's event; None where time asked, nobody."""


def accepted(metrics: Metrics, events: Iterable[tuple[EventKind, datetime]], now: datetime) -> None:
    """Events became cases. What time asks for has no clock."""
    moments = []
    for kind, moment in events:
        metrics.accepted_events.labels(kind.value).inc()
        if kind is not EventKind.RETENTION_EXPIRED:
            moments.append(moment)
    metrics.clock(Clock.ACCEPTED, moments, now)


def issued(metrics: Metrics, new: Iterable[NewCommand]) -> None:
    """Commands were written."""
    for one in new:
        metrics.issued_commands.labels(one.store, one.lane.value).inc()
        metrics.issued_people.labels(one.store, one.lane.value).inc(len(one.case_ids))


def issued_again(metrics: Metrics, again: Iterable[Issued]) -> None:
    """Commands for one person each were written: something failed for them in a larger one."""
    for one in again:
        metrics.issued_commands.labels(one.store, one.lane.value).inc()
        metrics.issued_people.labels(one.store, one.lane.value).inc()


def planned(metrics: Metrics, ids: Iterable[UUID], times: Times, now: datetime) -> None:
    """Every store knows what to do for these cases."""
    metrics.clock(Clock.PLANNED, _of(ids, times), now)


def taken(metrics: Metrics, command: Command) -> None:
    """An attempt at a command was noted."""
    labels = command.store, command.lane.value
    metrics.attempts.labels(*labels).inc()
    metrics.command_batch.observe(labels, (len(command.case_ids),))


def judged(
    metrics: Metrics, store: str, failed: Collection[UUID], refused: Collection[UUID]
) -> None:
    """Some tasks of an attempt failed: refused by the store, or done and found again."""
    metrics.refused_tasks.labels(store).inc(len(refused))
    found_again = sum(1 for case_id in failed if case_id not in refused)
    metrics.verification_failures.labels(store).inc(found_again)


def settled(
    metrics: Metrics,
    command: Command,
    receipts: Sequence[Receipt],
    times: Times,
    now: datetime,
    seconds: float,
) -> None:
    """A command was settled; whatever it asked to erase was re-read."""
    labels = command.store, command.lane.value
    ids = [case_id for receipt in receipts for case_id in receipt.case_ids]
    metrics.settled_commands.labels(*labels).inc()
    metrics.settled_people.labels(*labels).inc(len(ids))
    metrics.command_seconds.observe(labels, (seconds,))
    if command.kind is CommandKind.ERASE:
        metrics.clock(Clock.ERASED, _of(ids, times), now, store=command.store)


def ended(metrics: Metrics, cases: Iterable[Ended], now: datetime) -> None:
    """Cases ended. The clock is of those that closed; a consent given had nothing to be done."""
    moments = [
        one.asked_at
        for one in cases
        if one.asked_at is not None
        and one.state == CaseState.CLOSED.value
        and one.kind != EventKind.CONSENT_GIVEN.value
    ]
    metrics.clock(Clock.CLOSED, moments, now)


def _of(ids: Iterable[UUID], times: Times) -> list[datetime]:
    return [moment for case_id in ids if (moment := times.get(case_id)) is not None]
