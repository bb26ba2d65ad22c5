"""Billing databases: books that the law wants kept for a time."""

from __future__ import annotations

from connectors.billing.connector import BillingConnector

__all__ = ["BillingConnector"]
