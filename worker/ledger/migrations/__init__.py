"""The ledger's migrations, run by ``erasure ledger upgrade`` (alembic)."""
