"""The same club on MariaDB, and the best of pt-archiver's method, written by hand.

By hand: read the numbers of the next members to go, so many and in the order of the primary key;
delete between the first and the last of them, visits before members; commit; go on after the last.
It counts, re-reads and proves nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import Any, Final

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine

from tests.bench.club import CUTOFF
from tests.support.databases import Server, mariadb_server

CHUNKS: Final = (1_000, 5_000, 25_000)
"""Rows of a chunk that are tried by hand; the best of them counts."""

_LIKE_OTHERS: Final = (
    # As a server is set up that is meant to hold something: what the bench's PostgreSQL has, too.
    "SET GLOBAL innodb_buffer_pool_size = 536870912",
    "SET GLOBAL innodb_log_file_size = 1073741824",
    "SET GLOBAL innodb_flush_log_at_trx_commit = 1",
)
_TABLES: Final = (
    "DROP TABLE IF EXISTS visit",
    "DROP TABLE IF EXISTS member",
    "CREATE TABLE member (member_no bigint PRIMARY KEY, name varchar(200), email varchar(200),"
    " left_on date, INDEX member_left (left_on))",
    "CREATE TABLE visit (visit_id bigint PRIMARY KEY, member_no bigint NOT NULL, visited_on date,"
    " note varchar(200), FOREIGN KEY visit_member (member_no) REFERENCES member (member_no))",
)
_FILL: Final = (
    "INSERT INTO member SELECT seq, concat('Name ', seq), concat('member', seq, '@example.no'),"
    " CASE WHEN mod(seq * 7919, 10) < 3 THEN DATE '2015-06-01' END FROM seq_1_to_{members}",
    "INSERT INTO visit SELECT seq, seq, DATE '2014-06-01',"
    " concat('asked for a locker near the door ', seq) FROM seq_1_to_{members}",
    "ANALYZE TABLE member, visit",
)
_NEXT: Final = (
    "SELECT member_no FROM member FORCE INDEX (PRIMARY)"
    " WHERE left_on <= %s AND member_no > %s ORDER BY member_no LIMIT %s"
)
_BETWEEN: Final = (
    "DELETE v FROM visit AS v JOIN member AS m ON v.member_no = m.member_no"
    " WHERE m.member_no BETWEEN %s AND %s AND m.left_on <= %s",
    "DELETE FROM member WHERE member_no BETWEEN %s AND %s AND left_on <= %s",
)


@contextmanager
def server() -> Iterator[Server | None]:
    """A MariaDB for the bench; None where none is installed and none is named."""
    try:
        started = mariadb_server()
        running = started.__enter__()
    except pytest.skip.Exception:
        yield None
        return
    try:
        yield running
    finally:
        started.__exit__(None, None, None)


async def prepare(server: Server) -> str:
    """Create a database; its URL."""
    engine = create_async_engine(server.url, isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        for statement in _LIKE_OTHERS:
            await connection.exec_driver_sql(statement)
    await engine.dispose()
    return (await server.create()).text


async def fill(url: str, members: int) -> None:
    """Make the tables anew with so many members."""
    engine = create_async_engine(url, isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        for statement in (*_TABLES, *_FILL):
            await connection.exec_driver_sql(statement.format(members=members))
    await engine.dispose()


async def by_hand(url: str, size: int) -> float:
    """Delete whoever left, so many in each transaction; the seconds it took."""
    engine = create_async_engine(url)
    async with engine.connect() as connection:
        own: Any = (await connection.get_raw_connection()).driver_connection
        start = perf_counter()
        async with own.cursor() as cursor:
            last = 0
            while True:
                await cursor.execute(_NEXT, (CUTOFF, last, size))
                found = await cursor.fetchall()
                if not found:
                    break
                first, last = found[0][0], found[-1][0]
                for statement in _BETWEEN:
                    await cursor.execute(statement, (first, last, CUTOFF))
                await own.commit()
        seconds = perf_counter() - start
    await engine.dispose()
    return seconds


async def left(url: str) -> int:
    """How many members are still there who left."""
    engine = create_async_engine(url)
    async with engine.connect() as connection:
        gone = sa.text("SELECT count(*) FROM member WHERE left_on IS NOT NULL")
        found = int((await connection.execute(gone)).scalar_one())
    await engine.dispose()
    return found
