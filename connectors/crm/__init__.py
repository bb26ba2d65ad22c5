"""Customer databases: the stores that know a person by several names."""

from __future__ import annotations

from connectors.crm.connector import CrmConnector

__all__ = ["CrmConnector"]
