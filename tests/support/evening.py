"""A made-up evening at Nordlys: the newsletter is away, a sweep asks, somebody must decide.

It makes the pictures of the README; nobody on it exists.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from math import exp
from typing import Any
from uuid import UUID, uuid4

from connectors.faults import HINTS
from tests.support.driving import accept, settle
from tests.support.every_state import insert, look_away
from tests.support.nordlys import Person, erasure
from tests.support.world import World, id_of
from topics.events import EventKind
from worker import operate
from worker.context import Context
from worker.core.lifecycle import CaseState, SweepState
from worker.ledger import tables
from worker.ledger.database import Connection
from worker.ledger.observing_tables import samples
from worker.ledger.samples import minute_of
from worker.ledger.sweep_tables import sweeps

BY = "Kari Nordmann"
MOST = {"crm": 410, "billing": 655, "newsletter": 1240}
"""The most people that waited for each store within the day."""


async def evening(world: World, context: Context) -> UUID:
    """Let it be evening; return a case with a story."""
    told = await _story(world, context)
    now = context.now()
    async with context.ledger.begin() as connection:
        batch = await insert(
            connection, tables.batches, created_at=now, key_id="first", stores_left=[],
            policy=context.policy.version, stopped_at=now, planned_at=now, due_at=now,
        )  # fmt: skip
        await _cases(connection, batch, now)
        await _waiting(connection, batch, context.policy.version, now)
        await _sweeps(connection, context.policy.version, now)
        await _day(connection, now)
        await insert(
            connection, tables.holds, by=BY, reason="a claim is being settled",
            review_on=now.date() + timedelta(days=40), placed_at=now,
        )  # fmt: skip
    await look_away(context, f"unavailable: {HINTS['unavailable']}")
    return told


async def _story(world: World, context: Context) -> UUID:
    """Two customers share an address; the right one is named, and the law keeps some of her."""
    today = context.day()
    person = Person(
        contract_ended=None, subscriptions=1, invoices=[today - timedelta(days=15)],
        slips=[today - timedelta(days=15)], contacts=[date(2019, 5, 2)], surveys=1,
    )  # fmt: skip
    other = Person(subscriptions=0)
    await world.stores.add(person, other)
    await world.stores.run(
        "crm",
        f"UPDATE crm.customer SET email = '{person.email}'"
        f" WHERE customer_no = '{other.customer_no}'",
    )
    began = context.now() - timedelta(hours=3)
    request = erasure(
        person, source="/webshop", event_id="order-desk-7041", channel="contact-form", time=began
    )
    await accept(_at(context, began + timedelta(seconds=2)), request)
    await operate.resume(
        _at(context, began + timedelta(minutes=41)), id_of(request), {"crm": [person.customer_no]},
        by=BY, reason="asked by telephone which account is meant",
    )  # fmt: skip
    await settle(_at(context, began + timedelta(minutes=42)))
    return id_of(request)


def _at(context: Context, moment: datetime) -> Context:
    """The same parts at another moment."""
    return replace(context, now=lambda: moment)


async def _cases(connection: Connection, batch: int, now: datetime) -> None:
    ambiguous = {"why": "ambiguous-identity", "store": "crm", "people": 2, "by": ["email"]}
    standing: list[tuple[CaseState, Any, int]] = [(CaseState.PARKED, ambiguous, 2)]
    standing += [(CaseState.HELD, {"why": "hold", "hold": 1}, 1), (CaseState.OPEN, None, 1317)]
    for state, reason, count in standing:
        for number in range(count):
            used = (number * 37 % 97) ** 2 // 520  # Most are young, as where all goes well.
            asked = now - timedelta(days=used, hours=1)
            await insert(
                connection, tables.cases, id=uuid4(), batch_id=batch, source="/webshop",
                event_id=f"{state}-{number}", kind=EventKind.CONSENT_WITHDRAWN.value,
                purposes=["newsletter"], event_time=asked, received_at=asked,
                asked_on=asked.date(), due_on=asked.date() + timedelta(days=30), state=state.value,
                reason=reason,
            )  # fmt: skip


async def _waiting(connection: Connection, batch: int, policy: str, now: datetime) -> None:
    common = {
        "batch_id": batch, "kind": "erase", "shape": [], "policy": policy, "key_id": "first",
        "due_at": now, "attempts": 1, "attempted_at": now,
    }  # fmt: skip
    waits = (("newsletter", 1240, 11), ("crm", 41, 0), ("billing", 36, 0))
    for store, people, minutes in waits:
        for begin in range(0, people, 500):
            await insert(
                connection, tables.commands, store=store, state="open", payload=b"\0",
                created_at=now - timedelta(minutes=minutes, seconds=4 if store == "crm" else 9),
                case_ids=[uuid4() for _ in range(min(500, people - begin))], **common,
            )  # fmt: skip
    for store, people in (("crm", 2360), ("billing", 2290)):
        for ago, part in ((31, people - 900), (70, 900)):
            settled = await insert(
                connection, tables.commands, store=store, state="settled", payload=None,
                created_at=now - timedelta(seconds=ago), settled_at=now - timedelta(seconds=20),
                case_ids=[uuid4() for _ in range(part)], **common,
            )  # fmt: skip
            await insert(
                connection, tables.answers, batch_id=batch, command_id=settled, created_at=now,
                published_at=now,
            )  # fmt: skip
    letter = {**common, "attempts": 3}
    for fault in ("constraint", "trigger"):
        await insert(
            connection, tables.commands, store="billing", state="dead", payload=b"\0",
            fault=f"{fault}: {HINTS[fault]}", created_at=now, case_ids=[uuid4()], **letter,
        )  # fmt: skip


async def _sweeps(connection: Connection, policy: str, now: datetime) -> None:
    asks = {"why": "brake", "would": 9710, "of": 41_200, "limit": 2060, "usual": 180}
    working = {"started_at": now, "counts": {"invoice.buyer_name": {"erased": 18_240}}}
    for store, state, more in (
        ("crm", SweepState.RUNNING, working),
        ("billing", SweepState.BRAKED, {"counts": {}, "reason": asks}),
    ):
        await insert(
            connection, sweeps, store=store, policy=policy, as_of=now.date(), cutoffs={},
            trigger="schedule", source="erasure-worker/schedule", event_id=store,
            state=state.value, asked_at=now - timedelta(minutes=26), due_at=now, key_id="first",
            estimate={"rows": {"invoice": 32_579}, "people": 9710}, **more,
        )  # fmt: skip


async def _day(connection: Connection, now: datetime) -> None:
    """A quiet night, a busy noon, and the newsletter away twice."""
    last = minute_of(now)
    rows = []
    for store, most in MOST.items():
        for ago in range(24 * 60):
            away = store == "newsletter" and (ago < 11 or 480 < ago < 530)
            noon = exp(-(((ago - 560) / 110) ** 2)) + 0.3 * exp(-(((ago - 260) / 60) ** 2))
            lag = most if away and ago < 11 else int(most * (0.9 if away else 0.7) * noon)
            at = last - timedelta(minutes=ago)
            rows.append({"at": at, "store": store, "lag": lag, "dead": 0, "away": int(away)})
    await connection.execute(samples.insert(), rows)
