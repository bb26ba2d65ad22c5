"""Newsletter databases: subscriptions, known by an e-mail address."""

from __future__ import annotations

from connectors.newsletter.connector import NewsletterConnector

__all__ = ["NewsletterConnector"]
