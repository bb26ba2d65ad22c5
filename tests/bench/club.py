"""The store of the bench of sweeps: a club's members and their visits, and deletes by hand.

Three of ten members left long ago; each has one visit, in a child table. By hand is one DELETE a
table, in one transaction: it counts, re-reads and proves nothing.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from time import perf_counter
from typing import Final

import asyncpg

STORE: Final = "club"
LEDGER: Final = "sweeps_ledger"
POLICY: Final = Path(__file__).with_name("sweeps.yaml")
CUTOFF: Final = date(2020, 1, 1)
"""Any day between that on which they left and the cut-off of a sweep."""
LEFT: Final = 3
"""Of ten members in a row, so many left."""

_TABLES: Final = """
    DROP TABLE IF EXISTS visit, member;
    CREATE TABLE member (member_no bigint PRIMARY KEY, name text, email text, left_on date);
    CREATE INDEX member_left ON member (left_on);
    CREATE TABLE visit (
        visit_id bigint PRIMARY KEY,
        member_no bigint NOT NULL REFERENCES member,
        visited_on date, note text
    );
    CREATE INDEX visit_member ON visit (member_no);
"""
_FILL: Final = (
    "INSERT INTO member SELECT n, 'Name ' || n, 'member' || n || '@example.no',"
    " CASE WHEN n * 7919::bigint % 10 < 3 THEN DATE '2015-06-01' END"
    " FROM generate_series(1, $1::int) AS n",
    "INSERT INTO visit SELECT n, n, DATE '2014-06-01', 'asked for a locker near the door ' || n"
    " FROM generate_series(1, $1::int) AS n",
)
_BY_HAND: Final = (
    "DELETE FROM visit AS v USING member AS m WHERE v.member_no = m.member_no AND m.left_on <= $1",
    "DELETE FROM member WHERE left_on <= $1",
)


async def fill(url: str, members: int) -> None:
    """Make the tables anew with so many members, and let the disk rest."""
    connection = await asyncpg.connect(url)
    await connection.execute(_TABLES)
    for statement in _FILL:
        await connection.execute(statement, members)
    await connection.execute("VACUUM ANALYZE")
    await connection.execute("CHECKPOINT")
    await connection.close()


async def by_hand(url: str) -> float:
    """Delete whoever left in one transaction; the seconds it took."""
    connection = await asyncpg.connect(url)
    start = perf_counter()
    async with connection.transaction():
        for statement in _BY_HAND:
            await connection.execute(statement, CUTOFF)
    seconds = perf_counter() - start
    await connection.close()
    return seconds
