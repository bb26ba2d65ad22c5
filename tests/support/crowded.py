"""Filling a ledger on PostgreSQL with very many rows at once, as a bad week leaves it."""

from __future__ import annotations

import sqlalchemy as sa

from worker.ledger.database import Ledger

_STATEMENTS = (
    """
    INSERT INTO batches
        (id, created_at, key_id, stores_left, policy, stopped_at, planned_at, due_at)
    VALUES (9000000, now(), 'first', '[]', 'v', now(), now(), now())
    """,
    """
    INSERT INTO cases (id, batch_id, source, event_id, kind, purposes, event_time, received_at,
                       due_on, state, reason)
    SELECT gen_random_uuid(), 9000000, '/tests/crowd', n::text, 'privacy.erasure.requested.v1',
           '[]', now(), now(), current_date + (n % 30)::int, 'parked',
           '{"why": "ambiguous-identity", "store": "crm", "people": 2, "by": ["email"]}'
    FROM generate_series(1, :rows) AS n
    """,
    """
    INSERT INTO commands (batch_id, store, kind, shape, policy, case_ids, payload, key_id, state,
                          attempts, fault, created_at, attempted_at, due_at)
    SELECT 9000000, 'crm', 'erase', '[]', 'v', ARRAY[gen_random_uuid()], '\\x00', 'first', 'dead',
           3, 'refused: a trigger forbids it', now(), now(), now()
    FROM generate_series(1, :rows)
    """,
)


async def crowd(ledger: Ledger, rows: int) -> None:
    """Add so many parked cases and so many dead letters."""
    async with ledger.begin() as connection:
        for statement in _STATEMENTS:
            given = {"rows": rows} if ":rows" in statement else {}
            await connection.execute(sa.text(statement), given)
    async with ledger.engine.connect() as plain:
        await (await plain.execution_options(isolation_level="AUTOCOMMIT")).execute(
            sa.text("ANALYZE cases, commands")
        )
