"""The program written by hand that the worker is measured against.

It erases, re-reads and writes receipts, and does nothing else: no command is taken or settled, no
case closed, nobody told. What it does it does as well as we know how: uvloop, asyncpg without a
layer above it, prepared statements with array binds, batches of 500, two in flight in each store,
one statement a store that deletes children and parents and counts them by person, receipts by
COPY: a row a person and store, whose case and answer the database checks.

``python -m tests.bench.handwritten`` reads its order (JSON) from standard input and writes what it
measured to standard output.
"""

from __future__ import annotations

import asyncio
import os
import resource
import sys
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

import asyncpg
import orjson
import uvloop

IN_FLIGHT: Final = 2

_ERASE: Final = """
    WITH child AS (DELETE FROM {child} WHERE {link} = ANY($1::{type}[]){old} RETURNING {link} AS k),
         parent AS (DELETE FROM {parent} WHERE {key} = ANY($1::{type}[]){over} RETURNING {key} AS k)
    SELECT k, sum(children)::int, sum(parents)::int
    FROM (SELECT k, 1 AS children, 0 AS parents FROM child
          UNION ALL SELECT k, 0, 1 FROM parent) AS gone
    GROUP BY k
"""
_VERIFY: Final = """
    SELECT k, count(*)
    FROM (SELECT {link} AS k FROM {child} WHERE {link} = ANY($1::{type}[])
          UNION ALL SELECT {key} FROM {parent} WHERE {key} = ANY($1::{type}[])) AS left_over
    GROUP BY k
"""
_TABLES: Final[dict[str, dict[str, str]]] = {
    "crm": {
        "parent": "customer",
        "key": "customer_no",
        "over": " AND contract_ended_on <= $2",
        "child": "contact_log",
        "link": "customer_no",
        "old": "",
        "type": "text",
    },
    "newsletter": {
        "parent": "subscriber",
        "key": "id",
        "over": "",
        "child": "subscription_event",
        "link": "subscriber_id",
        "old": "",
        "type": "bigint",
    },
    "billing": {
        "parent": "account",
        "key": "account_no",
        "over": " AND closed_on <= $2",
        "child": "invoice",
        "link": "account_no",
        "old": " AND issued_on <= $3",
        "type": "bigint",
    },
}
_GROUPS: Final = {
    "crm": ("contact_log.message", "customer.name+email"),
    "newsletter": ("subscription_event.sent_to", "subscriber.email+name"),
    "billing": ("invoice.buyer_name+buyer_address", "account.bank_account"),
}
_RECEIPT: Final = ("answer_id", "case_id", "store", "outcomes", "verified")


@dataclass(frozen=True, slots=True)
class Piece:
    """Up to 500 people of one store, and the ledger's answer that their receipts belong to."""

    answer_id: int
    case_ids: Sequence[UUID]
    keys: Sequence[Any]


@dataclass(frozen=True, slots=True)
class Flow:
    """One connection to a store and one to the ledger: a batch is in flight on them."""

    store: str
    ledger: asyncpg.Connection
    erase: Any
    verify: Any
    cutoffs: tuple[date, ...]

    async def carry_out(self, piece: Piece) -> None:
        """Erase, re-read and write the receipts of one batch."""
        counted = {
            row[0]: (row[1], row[2]) for row in await self.erase.fetch(piece.keys, *self.cutoffs)
        }
        if await self.verify.fetch(piece.keys):
            raise RuntimeError(f"{self.store}: something was left over")
        await self.ledger.copy_records_to_table(
            "receipts_by_hand",
            records=[
                (piece.answer_id, case_id, self.store, _outcomes(self.store, counted.get(k)), True)
                for case_id, k in zip(piece.case_ids, piece.keys, strict=True)
            ],
            columns=_RECEIPT,
        )


@lru_cache(maxsize=1024)
def _outcomes(store: str, counted: tuple[int, int] | None) -> str:
    rows = counted or (0, 0)
    return orjson.dumps(
        [
            {"group": group, "result": "erased" if number else "absent", "rows": number}
            for group, number in zip(_GROUPS[store], rows, strict=True)
        ]
    ).decode()


async def _flow(store: str, url: str, ledger: str) -> Flow:
    connection = await asyncpg.connect(url)
    tables = _TABLES[store]
    today = date.today()
    contract, books = today, date(today.year - 6, 12, 31)
    cutoffs = {"crm": (contract,), "newsletter": (), "billing": (contract, books)}[store]
    return Flow(
        store,
        await asyncpg.connect(ledger),
        await connection.prepare(_ERASE.format(**tables)),
        await connection.prepare(_VERIFY.format(**tables)),
        cutoffs,
    )


async def _drain(flow: Flow, pieces: deque[Piece]) -> None:
    while pieces:
        await flow.carry_out(pieces.popleft())


async def _all(flows: Sequence[Flow], pieces: dict[str, deque[Piece]]) -> None:
    async with asyncio.TaskGroup() as group:
        for flow in flows:
            group.create_task(_drain(flow, pieces[flow.store]))


async def main(order: dict[str, Any]) -> dict[str, float]:
    """Work the order off: ``warm`` batches that do not count, then the rest, measured."""
    stores: dict[str, str] = order["stores"]
    flows = [
        await _flow(store, url, order["ledger"])
        for store, url in stores.items()
        for _ in range(IN_FLIGHT)
    ]
    pieces = {
        store: [
            Piece(batch["answers"][store], [UUID(c) for c in batch["cases"]], batch["keys"][store])
            for batch in order["batches"]
        ]
        for store in stores
    }
    warm = order["warm"]
    await _all(flows, {store: deque(own[:warm]) for store, own in pieces.items()})
    cpu, began = _cpu(), time.perf_counter()
    await _all(flows, {store: deque(own[warm:]) for store, own in pieces.items()})
    seconds = time.perf_counter() - began
    return {"seconds": seconds, "cpu": _cpu() - cpu}


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    answer = uvloop.run(main(orjson.loads(sys.stdin.buffer.read())))
    os.write(1, orjson.dumps(answer) + b"\n")
