"""The set-wise SQL engine: a mapping becomes statements, built once, for a batch of people each."""

from __future__ import annotations

from connectors.sql.connector import SqlConnector

__all__ = ["SqlConnector"]
