"""The ledger's schema and its questions, on PostgreSQL and on SQLite."""
