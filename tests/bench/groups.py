"""Bench (f): eight field groups in four tables, three grounds each, against statements by hand.

The connector of a store erases and re-reads batches of people, and asyncpg without a layer
above it does the same by the statements below: what the policy of ``groups.yaml`` says, written
down once more by somebody who knows the tables. Both take turns on people who are alike, one
connection each; both tell for each person and group what went, what is left over, and what each
ground keeps, how much of it, and from which date to which. That they tell the same is checked.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, Final

import asyncpg
import uvloop

from connectors.base import Connector, Effects, Remainders, Work
from connectors.mapping import Cutoffs
from connectors.registry import connect
from tests.bench.report import Row
from tests.bench.world import World
from worker.policy_file import load

BAR: Final = 0.75
STORE: Final = "groups"
Told = Callable[[], "Counter[str]"]
"""Adds up what was told, which takes no part in the race."""

BATCH: Final = 480
"""People at a time: near the 500 of a command, and such that every batch is like the next."""

_POLICY: Final = Path(__file__).with_name("groups.yaml")
_WARM: Final = 4
_TABLES: Final = """
    CREATE TABLE customer (
        customer_no text PRIMARY KEY, name text, email text, contract_ended_on date
    );
    CREATE TABLE delivery (
        delivery_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        customer_no text NOT NULL REFERENCES customer,
        address text, phone text, delivered_on date
    );
    CREATE INDEX delivery_customer ON delivery (customer_no);
    CREATE TABLE invoice (
        invoice_no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        customer_no text NOT NULL REFERENCES customer,
        buyer text, note text, issued_on date
    );
    CREATE INDEX invoice_customer ON invoice (customer_no);
    CREATE TABLE contact_log (
        contact_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        customer_no text NOT NULL REFERENCES customer,
        message text, recording text, contacted_on date
    );
    CREATE INDEX contact_log_customer ON contact_log (customer_no);
"""
# Of ten people three have a running contract, three one whose claims have not lapsed; of two one
# has a delivery, of three one an invoice, and each one a call, that something still keeps.
_PEOPLE: Final = """
    INSERT INTO customer
    SELECT 'C' || n, 'Name ' || n, 'p' || n || '@example.no',
           CASE WHEN n % 10 < 3 THEN NULL
                WHEN n % 10 < 6 THEN current_date - 550
                ELSE current_date - 3000 END
    FROM generate_series(0, $1::int - 1) AS n
"""
_ROWS: Final = (
    """
    INSERT INTO delivery (customer_no, address, phone, delivered_on)
    SELECT 'C' || n, 'Street ' || n, '+47 ' || n,
           current_date - CASE WHEN i = 1 AND n % 2 = 0 THEN 1095 ELSE 3650 END
    FROM generate_series(0, $1::int - 1) AS n, generate_series(1, 2) AS i
    """,
    """
    INSERT INTO invoice (customer_no, buyer, note, issued_on)
    SELECT 'C' || n, 'Name ' || n, 'Left at the door',
           current_date - CASE WHEN i = 1 AND n % 3 = 0 THEN 1640 ELSE 3650 END
    FROM generate_series(0, $1::int - 1) AS n, generate_series(1, 2) AS i
    """,
    """
    INSERT INTO contact_log (customer_no, message, recording, contacted_on)
    SELECT 'C' || n, 'asked for an offer', 'tape ' || n,
           current_date - CASE WHEN i = 1 AND n % 5 = 0 THEN 365 ELSE 3650 END
    FROM generate_series(0, $1::int - 1) AS n, generate_series(1, 2) AS i
    """,
)

# Anti-joins to the children where rows go, single looks into their indexes where rows are counted:
# each is the form that PostgreSQL plans best there.
_DELETE: Final = """
    WITH gone AS (
        DELETE FROM {table} AS t
        WHERE customer_no = ANY($1::text[]) AND {first} AND {second}{childless}
        RETURNING customer_no AS k
    )
    SELECT k, count(*) FROM gone GROUP BY k
"""
_UPDATE: Final = """
    WITH changed AS (
        UPDATE {table} AS t
        SET {a} = CASE WHEN {first} THEN NULL ELSE {a} END,
            {b} = CASE WHEN {second} THEN NULL ELSE {b} END
        WHERE customer_no = ANY($1::text[])
          AND ({first} AND {a} IS NOT NULL OR {second} AND {b} IS NOT NULL)
        RETURNING customer_no AS k, old.{a} IS NOT NULL AND {first} AS a,
                  old.{b} IS NOT NULL AND {second} AS b
    )
    SELECT k, count(*) FILTER (WHERE a), count(*) FILTER (WHERE b) FROM changed GROUP BY k
"""
_VERIFY: Final = """
    SELECT customer_no,
           count(*) FILTER (WHERE {first} AND ({a} IS NOT NULL OR {second}{alone})),
           count(*) FILTER (WHERE {second} AND ({b} IS NOT NULL OR {first}{alone})),
           count(*) FILTER (WHERE {day} IS NULL){kept}
    FROM {table} AS t WHERE customer_no = ANY($1::text[])
    GROUP BY customer_no
"""
_KEPT: Final = """,
           count(*) FILTER (WHERE {day} IS NULL OR {day} > {cutoff}),
           max({day}) FILTER (WHERE {day} > {cutoff}), min({day}) FILTER (WHERE {day} > {cutoff})"""


@dataclass(frozen=True, slots=True)
class Table:
    """One table as the hand sees it: two groups, the date that decides, and what keeps each."""

    name: str
    groups: tuple[str, str]
    day: str
    keeps: tuple[tuple[str, ...], tuple[str, ...]]
    children: tuple[str, ...] = ()

    @property
    def grounds(self) -> tuple[str, ...]:
        """The grounds with a date, each once: the statements' binds after the keys."""
        return tuple(dict.fromkeys([*self.keeps[0], *self.keeps[1]]))

    def delete(self) -> str:
        """The statement that deletes what goes, and counts by person."""
        return _DELETE.format(**self._parts())

    def update(self) -> str:
        """The statement that empties what is over in the rows that stay, and counts by person."""
        return _UPDATE.format(**self._parts())

    def verify(self) -> str:
        """The statement that reads again."""
        kept = "".join(_KEPT.format(day=self.day, cutoff=self._bind(g)) for g in self.grounds)
        return _VERIFY.format(**self._parts(), kept=kept)

    def _parts(self) -> dict[str, str]:
        hanging = [
            f"FROM {child} AS c WHERE c.customer_no = t.customer_no" for child in self.children
        ]
        childless = "".join(f" AND NOT EXISTS (SELECT {below})" for below in hanging)
        alone = "".join(f" AND (SELECT true {below} LIMIT 1) IS NULL" for below in hanging)
        first, second = (self._over(grounds) for grounds in self.keeps)
        (a, b), table = self.groups, self.name
        parts = {"table": table, "a": a, "b": b, "day": self.day, "first": first, "second": second}
        return {**parts, "childless": childless, "alone": alone}

    def _over(self, grounds: Sequence[str]) -> str:
        return (
            "(" + (" AND ".join(f"{self.day} <= {self._bind(g)}" for g in grounds) or "true") + ")"
        )

    def _bind(self, ground: str) -> str:
        return f"${self.grounds.index(ground) + 2}::date"


BY_HAND: Final = (
    Table("contact_log", ("message", "recording"), "contacted_on", (("guarantee",), ())),
    Table(
        "invoice",
        ("buyer", "note"),
        "issued_on",
        (("bookkeeping", "secondary-material"), ("secondary-material", "guarantee")),
    ),
    Table(
        "delivery",
        ("address", "phone"),
        "delivered_on",
        (("guarantee", "secondary-material"), ("guarantee",)),
    ),
    Table(
        "customer",
        ("name", "email"),
        "contract_ended_on",
        (("customer-contract", "claims"), ("customer-contract", "claims")),
        ("contact_log", "invoice", "delivery"),
    ),
)


class ByHand:
    """The statements by hand, prepared on one connection."""

    def __init__(self, connection: asyncpg.Connection, cutoffs: Cutoffs) -> None:
        self._connection = connection
        self._cutoffs = cutoffs
        self._prepared: list[tuple[str, Any, Any, Any, list[date]]] = []

    async def prepare(self) -> None:
        """Let the server read every statement once."""
        for table in BY_HAND:
            delete = await self._connection.prepare(table.delete())
            update = await self._connection.prepare(table.update())
            verify = await self._connection.prepare(table.verify())
            days = [self._cutoffs[ground] for ground in table.grounds]
            self._prepared.append((table.name, delete, update, verify, days))

    async def run(self, keys: Sequence[str]) -> Told:
        """Erase in one transaction, and read again."""
        went: dict[str, dict[str, int]] = {}
        emptied: dict[str, dict[str, tuple[int, int]]] = {}
        there: dict[str, dict[str, tuple[Any, ...]]] = {}
        async with self._connection.transaction():
            for name, delete, update, _, days in self._prepared:
                for k, rows in await delete.fetch(keys, *days):
                    went.setdefault(k, {})[name] = rows
                for k, a, b in await update.fetch(keys, *days):
                    emptied.setdefault(k, {})[name] = (a, b)
        for name, _, _, verify, days in self._prepared:
            for k, *numbers in await verify.fetch(keys, *days):
                there.setdefault(k, {})[name] = tuple(numbers)
        return partial(_sums_by_hand, went, emptied, there)


def _sums_by_hand(
    went: Mapping[str, Mapping[str, int]],
    emptied: Mapping[str, Mapping[str, tuple[int, int]]],
    there: Mapping[str, Mapping[str, tuple[Any, ...]]],
) -> Counter[str]:
    told: Counter[str] = Counter()
    for rows in went.values():
        told.update({f"{name} deleted": number for name, number in rows.items()})
    for groups in emptied.values():
        told.update({f"{name} overwritten": a + b for name, (a, b) in groups.items()})
    for found in there.values():
        for name, (a, b, *_) in found.items():
            told[f"{name} left"] += a + b
            told[f"{name} people"] += 1
    return told


class OurOwn:
    """The connector of the store."""

    def __init__(self, connector: Connector, cutoffs: Cutoffs) -> None:
        self._connector = connector
        self._cutoffs = cutoffs

    async def run(self, keys: Sequence[str]) -> Told:
        """Erase and re-read."""
        work = Work((), self._cutoffs, [(key,) for key in keys])
        effects = await self._connector.erase(work)
        return partial(_sums, effects, await self._connector.verify(work))


def _sums(effects: Effects, remainders: Remainders) -> Counter[str]:
    told: Counter[str] = Counter()
    for done in effects.values():
        for table in BY_HAND:
            both = [done.get(f"{table.name}.{column}") for column in table.groups]
            told[f"{table.name} deleted"] += next((d.deleted for d in both if d), 0)
            told[f"{table.name} overwritten"] += sum(d.overwritten for d in both if d)
    for found in remainders.values():
        for table in BY_HAND:
            there = [found.get(f"{table.name}.{column}") for column in table.groups]
            told[f"{table.name} left"] += sum(r.left for r in there if r)
            told[f"{table.name} people"] += any(there)
    return told


def measure(world: World, people: int, tell: Callable[[str], None]) -> Row:
    """Let both take turns on batches of people; the median of the ratios of each pair."""
    pairs = uvloop.run(_measure(world, people))
    ratios = sorted(theirs / ours for ours, theirs in pairs)
    middle = median(ratios)
    ours, theirs = (BATCH / median(seconds) for seconds in zip(*pairs, strict=True))
    tell(f"eight field groups: {ours:,.0f} people/s, by hand {theirs:,.0f}")
    return Row(
        (
            "(f) eight field groups, three grounds each, people/s",
            f"{ours:,.0f}",
            f"{theirs:,.0f}",
            f"{middle:.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})",
            f"at least {BAR}",
        ),
        middle >= BAR,
    )


async def _measure(world: World, people: int) -> list[tuple[float, float]]:
    policy = load(_POLICY)
    cutoffs = policy.cutoffs(STORE, date.today())
    world.postgres.create_database(STORE)
    batches = 2 * (_WARM + max(people // BATCH // 2, 5))
    connection = await asyncpg.connect(world.url(STORE))
    connector = connect("sql", policy.mapping(STORE), world.url(STORE))
    try:
        await _fill(connection, batches * BATCH)
        hand = ByHand(connection, cutoffs)
        await hand.prepare()
        both = (OurOwn(connector, cutoffs), hand)
        pairs = []
        for number in range(0, batches, 2):
            seconds, told = [0.0, 0.0], [Counter[str](), Counter[str]()]
            # Who begins changes, so that neither always meets what the other has warmed up.
            for which in (0, 1) if number % 4 else (1, 0):
                keys = [
                    f"C{n}" for n in range((number + which) * BATCH, (number + which + 1) * BATCH)
                ]
                began = time.perf_counter()
                answer = await both[which].run(keys)
                seconds[which] = time.perf_counter() - began
                told[which] = answer()
            if told[0] != told[1]:
                raise Different(f"the connector tells {told[0]}, the hand {told[1]}")
            pairs.append((seconds[0], seconds[1]))
    finally:
        await connector.close()
        await connection.close()
    return pairs[_WARM:]


class Different(Exception):
    """The two do not do the same, so their speeds mean nothing."""


async def _fill(connection: asyncpg.Connection, people: int) -> None:
    await connection.execute(_TABLES)
    for rows in (_PEOPLE, *_ROWS):
        await connection.execute(rows, people)
    await connection.execute("VACUUM ANALYZE")
    await connection.execute("CHECKPOINT")
