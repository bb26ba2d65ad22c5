"""What a store has to bear beside the sweep, as its database shows it."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from connectors.sweeping import Pressure

# Only clients of the same database count: its own workers (autovacuum) are no load of others.
_POSTGRESQL = sa.text(
    "SELECT"
    " (SELECT count(*) FROM pg_catalog.pg_stat_activity WHERE backend_type = 'client backend'"
    "  AND state = 'active' AND pid <> pg_catalog.pg_backend_pid()"
    "  AND application_name <> pg_catalog.current_setting('application_name')),"
    " (SELECT count(*) FROM pg_catalog.pg_stat_activity WHERE wait_event_type = 'Lock'"
    "  AND application_name <> pg_catalog.current_setting('application_name')),"
    " (SELECT max(extract(epoch FROM replay_lag)) FROM pg_catalog.pg_stat_replication)"
)
# A primary does not know how far its replicas are; what waits for a row of ours it does know.
_MARIADB = sa.text(
    "SELECT"
    " (SELECT count(*) FROM information_schema.processlist WHERE command = 'Query'"
    "  AND id <> connection_id()),"
    " (SELECT count(*) FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'),"
    " NULL"
)


async def read(connection: AsyncConnection) -> Pressure:
    """Ask once. SQLite has one writer at a time, and shows nothing of the others."""
    match connection.dialect.name:
        case "postgresql":
            question = _POSTGRESQL
        case "sqlite":
            return Pressure(0, 0, None)
        case _:
            question = _MARIADB
    busy, waiting, lag = (await connection.execute(question)).one()
    return Pressure(int(busy), int(waiting), None if lag is None else float(lag))
