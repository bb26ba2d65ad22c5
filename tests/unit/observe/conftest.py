"""The ledgers of the ledger's own tests: empty, once on PostgreSQL and once on SQLite."""

from tests.unit.ledger.conftest import database, ledger

__all__ = ["database", "ledger"]
