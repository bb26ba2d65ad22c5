"""What a store has to bear beside the sweep, as its database shows it."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy import Row
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from connectors.faults import Refused
from connectors.sql.errors import translate
from connectors.sweeping import Pressure

# Only clients count: the database's own workers (autovacuum) are no load of others. What others
# are doing a login sees only with pg_read_all_stats; who waits for a lock, every login does.
_POSTGRESQL = sa.text(
    "SELECT"
    " (SELECT count(*) FROM pg_catalog.pg_stat_activity WHERE backend_type = 'client backend'"
    "  AND state = 'active' AND pid <> pg_catalog.pg_backend_pid()"
    "  AND application_name <> pg_catalog.current_setting('application_name')),"
    " (SELECT count(DISTINCT a.pid) FROM pg_catalog.pg_locks l"
    "  JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid WHERE NOT l.granted"
    "  AND a.application_name <> pg_catalog.current_setting('application_name')),"
    " (SELECT max(extract(epoch FROM replay_lag)) FROM pg_catalog.pg_stat_replication),"
    # Of a client that is hidden from the login no more is seen than that it is there.
    " (SELECT count(*) FROM pg_catalog.pg_stat_activity WHERE pid <> pg_catalog.pg_backend_pid()"
    "  AND datid IS NOT NULL AND usesysid IS NOT NULL"
    "  AND application_name <> pg_catalog.current_setting('application_name')"
    "  AND (backend_type IS NULL OR (backend_type = 'client backend'"
    "   AND state_change > pg_catalog.clock_timestamp() - interval '1 second')))"
)
# A primary does not know how far its replicas are; what waits for a row of ours it does know.
_MARIADB = sa.text(
    "SELECT"
    " (SELECT count(*) FROM information_schema.processlist WHERE command = 'Query'"
    "  AND id <> connection_id()),"
    " (SELECT count(*) FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'),"
    " NULL, 0"
)
# The same in numbers of the whole server, which a login sees without the privilege PROCESS.
_MARIADB_STATUS = sa.text(
    "SELECT"
    " (SELECT variable_value - 1 FROM information_schema.global_status"
    "  WHERE variable_name = 'THREADS_RUNNING'),"
    " (SELECT variable_value FROM information_schema.global_status"
    "  WHERE variable_name = 'INNODB_ROW_LOCK_CURRENT_WAITS'),"
    " NULL, 0"
)


async def read(connection: AsyncConnection) -> Pressure:
    """Ask once. SQLite has one writer at a time, and shows nothing of the others."""
    match connection.dialect.name:
        case "postgresql":
            return _pressure((await connection.execute(_POSTGRESQL)).one())
        case "sqlite":
            return Pressure(0, 0, None)
        case _:
            return _pressure(await _mariadb(connection))


async def _mariadb(connection: AsyncConnection) -> Row[Any]:
    try:
        return (await connection.execute(_MARIADB)).one()
    except DBAPIError as error:
        if not isinstance(translate(error), Refused):
            raise
    return (await connection.execute(_MARIADB_STATUS)).one()


def _pressure(row: Row[Any]) -> Pressure:
    busy, waiting, lag, about = tuple(row)
    return Pressure(int(busy), int(waiting), None if lag is None else float(lag), int(about))
