"""Rows for tests of the ledger, right in every column until a test changes one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from worker.core.lifecycle import CaseState
from worker.ledger import batches, cases, commands
from worker.ledger.commands import NewCommand
from worker.ledger.database import Connection

NOW = datetime(2026, 3, 10, 12, 0, 0, 123456, tzinfo=UTC)
LATER = NOW + timedelta(minutes=5)
STORES = ("billing", "crm")


async def a_batch(connection: Connection, **change: Any) -> int:
    """A batch that waits to be planned for two stores."""
    values: dict[str, Any] = {
        "payload": b"sealed", "key_id": "k1", "stores_left": STORES, "now": NOW, "due_at": NOW,
    }  # fmt: skip
    return await batches.open_batch(connection, **{**values, **change})


def case_row(batch_id: int, **change: Any) -> dict[str, Any]:
    """A row of the table of cases, by column."""
    case_id = uuid4()
    return {
        "id": case_id,
        "batch_id": batch_id,
        "source": "/tests",
        "event_id": str(case_id),
        "kind": "privacy.erasure.requested.v1",
        "purposes": ["newsletter"],
        "channel": None,
        "event_time": NOW,
        "received_at": NOW,
        "due_on": date(2026, 4, 10),
        "state": "open",
        "reason": None,
        "closed_at": None,
        "answer_id": None,
        **change,
    }


async def some_cases(
    connection: Connection, batch_id: int, count: int = 1, **change: Any
) -> list[UUID]:
    """Open cases of a batch."""
    rows = [case_row(batch_id, **change) for _ in range(count)]
    await cases.accept(connection, rows)
    return [row["id"] for row in rows]


async def a_command(
    connection: Connection,
    batch_id: int,
    case_ids: Sequence[UUID],
    *,
    store: str = "crm",
    due_at: datetime = NOW,
    attempts: int = 0,
) -> int:
    """An open command for these cases."""
    new = NewCommand(store, ("a", "b"), "v1", tuple(case_ids), b"sealed", "k1", attempts)
    (issued,) = await commands.issue(connection, batch_id, [new], now=NOW, due_at=due_at)
    return issued.id


async def state_of(connection: Connection, case_id: UUID) -> CaseState:
    """The state of a case that exists."""
    case = await cases.read(connection, case_id)
    assert case is not None
    return case.state
