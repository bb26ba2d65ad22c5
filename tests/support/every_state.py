"""A ledger in which everything that the page can show stands once, written by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid4

import sqlalchemy as sa

from connectors.faults import HINTS
from topics.events import EventKind
from worker.context import Context
from worker.core.lifecycle import SWEEP_ENDED, CaseState, SweepState
from worker.ledger import actions, brakes, store_states, tables
from worker.ledger.actions import Did, Origin, Who
from worker.ledger.batches import Lane
from worker.ledger.database import Connection
from worker.ledger.store_states import StoreState
from worker.ledger.sweep_tables import sweeps

SAID: Final = "æøå"
"""What people wrote: of no language."""
CASES: Final[Sequence[tuple[CaseState, Mapping[str, Any] | None]]] = (
    (CaseState.OPEN, None),
    (CaseState.PARKED, {"why": "ambiguous-identity", "store": "crm", "people": 2, "by": ["email"]}),
    (CaseState.PARKED, {"why": "chosen-key-not-found", "store": "crm", "people": 0, "by": []}),
    (CaseState.HELD, {"why": "hold", "hold": 1}),
    (CaseState.HELD, {"why": "restriction"}),
    (CaseState.CLOSED, {"why": "cannot-restrict", "stores": ["crm"]}),
    (CaseState.SUPERSEDED, {"why": "newer-consent"}),
    (CaseState.SUPERSEDED, {"why": "newer-restriction"}),
    (
        CaseState.REJECTED,
        {"why": "ambiguous-identity", "store": "crm", "people": 2, "by": ["email", "customer_id"],
         "rejected_by": SAID, "rejected_because": SAID},
    ),
)  # fmt: skip
BRAKE: Final = {"why": "brake", "would": 900, "of": 1000, "limit": 100, "because": "share"}
SWEEPS: Final[Sequence[tuple[SweepState, Mapping[str, Any] | None]]] = (
    (SweepState.WAITING, {"why": "hours", "until": "2031-01-01T22:00:00Z"}),
    (SweepState.WAITING, {"why": "resumed", "by": SAID}),
    (SweepState.WAITING, {"why": "store-paused"}),
    (SweepState.WAITING, {"why": "worker-stopped"}),
    (SweepState.BRAKED, {**BRAKE, "usual": None}),
    (SweepState.BRAKED, {**BRAKE, "usual": 12}),
    (SweepState.RUNNING, None),
    (SweepState.PAUSED, {"why": "paused", "by": SAID, "because": SAID}),
    (SweepState.CANCELLING, {"why": "cancelled", "by": SAID, "because": SAID}),
    (SweepState.DONE, None),
    (SweepState.CANCELLED, {"why": "cancelled", "by": SAID, "because": SAID}),
    (SweepState.FAILED, {"why": "rule-not-in-policy"}),
    (SweepState.FAILED, {"why": "not-gone", "rows": 3, "apart": {"not-gone": 2}}),
)
OUTCOMES: Final[Sequence[Mapping[str, Any]]] = (
    {"group": "customer.name", "result": "erased", "rows": 2},
    {"group": "customer.phone", "result": "erased", "rows": None, "interrupted": True},
    {"group": "customer.fax", "result": "anonymised", "rows": 1},
    {"group": "customer.notes", "result": "absent", "rows": 0},
    {"group": "customer.a", "result": "retained", "rows": 0, "until": "2032-01-01",
     "grounds": ["bookkeeping"]},
    {"group": "customer.b", "result": "retained", "rows": 4, "grounds": ["contract", "no-such"]},
    {"group": "customer.c", "result": "retained", "rows": 0, "why": "unknown-anchor"},
    {"group": "customer.d", "result": "restricted", "rows": 1},
    {"group": "customer.e", "result": "lifted", "rows": 1},
    {"group": "customer.f", "result": "refused", "rows": 0, "why": "cannot-restrict"},
)  # fmt: skip
FAULTS: Final = (
    *(f"{code}: {hint} (P0001)" for code, hint in HINTS.items()),
    "mapping: crm.customer has no column fax: correct the policy",
    "not-gone: rows of customer are still there after they were erased",
    "time-zone: the store does not know the zone Europe/Oslo",
    "bad-document: a document in customer is no JSON",
    "other-store-away: crm may know who has withdrawn; it is waited for",
    "kept-without-ground",
    "policy-changed",
)
"""What the ledger notes of commands that failed: a code, perhaps with a hint."""


async def fill(context: Context) -> list[UUID]:
    """Write all of it; return the cases."""
    now = context.now()
    async with context.ledger.begin() as connection:
        batch = await insert(
            connection, tables.batches, created_at=now, key_id="first", stores_left=["billing"],
            policy=context.policy.version, stopped_at=now - timedelta(hours=2), due_at=now,
        )  # fmt: skip
        answer = await insert(connection, tables.answers, batch_id=batch, created_at=now)
        ids = [
            await _case(connection, batch, answer, number, state, reason, now)
            for number, (state, reason) in enumerate(CASES)
        ]
        await _commands(connection, batch, ids, context.policy.version, now)
        await _sweeps(connection, context.policy.version, now)
        for review in (now.date(), now.date() + timedelta(days=40)):
            await insert(
                connection, tables.holds, by=SAID, reason=SAID, review_on=review, placed_at=now
            )
        targets = (f"case:{ids[0]}", "command:1", "hold:1", "sweep:1", "store:crm")
        for what in Did:
            who = Who(SAID, SAID, Origin.PAGE if what is Did.RETRIED else Origin.CLI)
            await actions.note(connection, now, who, what, *targets)
        await brakes.note(connection, "crm", {**BRAKE, "usual": 12}, now)
    return ids


async def look_away(context: Context, fault: str, *, store: str = "newsletter") -> None:
    """Let a worker say that a store is away by this fault, and that it serves the others."""
    code, _, hint = fault.partition(": ")
    now = context.now()
    later = now + timedelta(seconds=20)
    states = [
        StoreState(
            name, lane, "tests:1", "away" if name == store else "serving",
            code if name == store else None, hint if name == store and hint else None,
            now - timedelta(minutes=7), later if name == store else None, now,
        )
        for name in context.connectors
        for lane in Lane
    ]  # fmt: skip
    async with context.ledger.begin() as connection:
        await store_states.write(connection, "tests:1", states)


async def _case(
    connection: Connection,
    batch: int,
    answer: int,
    number: int,
    state: CaseState,
    reason: Mapping[str, Any] | None,
    now: datetime,
) -> UUID:
    standing = state in (CaseState.OPEN, CaseState.PARKED, CaseState.HELD)
    case_id = uuid4()
    await insert(
        connection, tables.cases, id=case_id, batch_id=batch, source="/1", event_id=str(number),
        kind=list(EventKind)[number % len(EventKind)].value, purposes=["newsletter"],
        channel="newsletter", event_time=now - timedelta(hours=3),
        received_at=now - timedelta(hours=3), due_on=now.date() + timedelta(days=number - 1),
        state=state.value, reason=reason, asked_on=now.date(),
        closed_at=None if standing else now, answer_id=None if standing else answer,
    )  # fmt: skip
    return case_id


async def _commands(
    connection: Connection, batch: int, ids: Sequence[UUID], policy: str, now: datetime
) -> None:
    """For the first case a dead letter for each fault; for another all outcomes."""
    common = {
        "batch_id": batch, "kind": "erase", "shape": [], "policy": policy, "payload": b"\0",
        "key_id": "first", "created_at": now, "due_at": now, "attempts": 3,
        "attempted_at": now - timedelta(hours=2),
    }  # fmt: skip
    for fault in FAULTS:
        for state in ("dead", "open"):
            await insert(
                connection, tables.commands, store="crm", case_ids=[ids[0]], state=state,
                fault=fault, **common,
            )  # fmt: skip
    closed = ids[5]
    settled = await insert(
        connection, tables.commands, store="crm", case_ids=[closed], state="settled", fault=None,
        settled_at=now - timedelta(hours=2), **{**common, "payload": None},
    )  # fmt: skip
    answer = await insert(
        connection, tables.answers, batch_id=batch, command_id=settled, created_at=now
    )
    for store, outcomes in (
        ("crm", OUTCOMES),
        ("newsletter", [{"group": "*", "result": "absent", "rows": 0}]),
    ):
        await insert(
            connection, tables.receipts, answer_id=answer, store=store, number=1,
            case_ids=[closed], outcomes=outcomes, verified=True,
        )  # fmt: skip
    for days in (-1, 12):
        await insert(
            connection, tables.obligations, command_id=settled, store="crm",
            look_on=now.date() + timedelta(days=days), case_ids=[closed], payload=b"\0",
            key_id="first", created_at=now,
        )  # fmt: skip


async def _sweeps(connection: Connection, policy: str, now: datetime) -> None:
    triggers = ("operator", "schedule", "event")
    for number, (state, reason) in enumerate(SWEEPS):
        approved = {"approved_by": SAID, "approved_because": SAID, "approved_at": now}
        await insert(
            connection, sweeps, store="billing", table="invoice" if number % 2 else None,
            ground="bookkeeping" if number % 3 else None, policy=policy, as_of=now.date(),
            cutoffs={}, trigger=triggers[number % 3], source="/1", event_id=str(number),
            state=state.value, reason=reason, asked_at=now, due_at=now, key_id="first",
            ended_at=now if state in SWEEP_ENDED else None, counts={},
            estimate={"rows": {"invoice": 10}, "people": 3} if number % 2 else None,
            **(approved if state is SweepState.RUNNING else {}),
            **({"proof": {"rows": 0}} if state is SweepState.DONE else {}),
        )  # fmt: skip


async def insert(connection: Connection, into: sa.Table, /, **values: Any) -> Any:
    """Write one row; return its key."""
    written = await connection.execute(
        sa.insert(into).values(**values).returning(*into.primary_key.columns)
    )
    return written.one()[0]
