"""Alembic's entry: migrate over the connection that :mod:`worker.ledger.upgrade` hands in."""

from __future__ import annotations

from alembic import context

from worker.ledger.observing_tables import metadata

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    # SQLite cannot alter a table in place: alembic copies it instead.
    render_as_batch=connection.dialect.name == "sqlite",
)
with context.begin_transaction():
    context.run_migrations()
