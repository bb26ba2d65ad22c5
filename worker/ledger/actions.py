"""Questions about what operators did: who, when, why, from where. Only ever added to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import select

from worker.ledger.database import Connection
from worker.ledger.operating_tables import operator_actions
from worker.ledger.statements import add_rows


class Origin(StrEnum):
    """From where somebody decided."""

    CLI = "cli"
    PAGE = "page"


class Did(StrEnum):
    """What an operator can do."""

    RETRIED = "retried"
    CASE_RESUMED = "case-resumed"
    CASE_REJECTED = "case-rejected"
    DEADLINE_EXTENDED = "deadline-extended"
    HOLD_PLACED = "hold-placed"
    HOLD_RELEASED = "hold-released"
    SWEEP_ASKED = "sweep-asked"
    SWEEP_PAUSED = "sweep-paused"
    SWEEP_RESUMED = "sweep-resumed"
    SWEEP_CANCELLED = "sweep-cancelled"
    SWEEP_APPROVED = "sweep-approved"
    FLOOD_APPROVED = "flood-approved"
    STORE_PAUSED = "store-paused"
    STORE_DRAINED = "store-drained"
    STORE_RESUMED = "store-resumed"
    LOSS_RECOVERED = "loss-recovered"


@dataclass(frozen=True, slots=True)
class Who:
    """Who decides, why, and from where."""

    by: str
    reason: str | None
    origin: Origin


@dataclass(frozen=True, slots=True)
class Action:
    """One thing that an operator did. ``target`` is as ``case:ID``, ``store:crm``, ``sweep:7``."""

    id: int
    at: datetime
    by: str
    origin: Origin
    what: Did
    target: str
    reason: str | None


async def note(connection: Connection, now: datetime, who: Who, what: Did, *targets: str) -> None:
    """Write what somebody does to each of some targets, in the transaction that does it."""
    columns = ("at", "by", "origin", "what", "target", "reason")
    rows = [(now, who.by, who.origin.value, what.value, one, who.reason) for one in targets]
    await add_rows(connection, operator_actions, columns, rows)


async def listed(
    connection: Connection, *, targets: Sequence[str] = (), limit: int = 100
) -> list[Action]:
    """What operators did, the newest first: to some targets, or to all."""
    query = select(*(operator_actions.c[name] for name in Action.__slots__))
    if targets:
        query = query.where(operator_actions.c.target.in_(list(targets)))
    rows = await connection.execute(query.order_by(operator_actions.c.id.desc()).limit(limit))
    return [
        Action(row.id, row.at, row.by, Origin(row.origin), Did(row.what), row.target, row.reason)
        for row in rows
    ]
