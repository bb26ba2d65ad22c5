"""Billing in an SQL database. What is particular: accounting material has a statutory period."""

from __future__ import annotations

from collections.abc import Sequence

from connectors.base import Finding
from connectors.sql import SqlConnector


class BillingConnector(SqlConnector):
    """A store that must keep what bookkeeping law asks for, and no longer."""

    def demands(self) -> Sequence[Finding]:
        """Ask for a ground with an anchor: books without a period are a hole in the policy."""
        uses = [use for group in self.mapping.groups() for use in group.grounds]
        if any(use.anchor is not None and not use.revocable for use in uses):
            return ()
        return (
            Finding(
                "error",
                f"no field of the billing store {self.mapping.store} rests on a ground with an "
                "anchor: its books would be erased before the law allows, or never",
                "declare the statutory ground and the date column from which its period runs",
            ),
        )
