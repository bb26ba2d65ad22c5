"""A CRM in an SQL database. What is particular: it links the other stores."""

from __future__ import annotations

from collections.abc import Sequence

from connectors.base import Finding
from connectors.sql import SqlConnector


class CrmConnector(SqlConnector):
    """A store that leads from what a person gives (an e-mail address) to what others know."""

    def demands(self) -> Sequence[Finding]:
        """Ask for two kinds of strong identifiers: with one alone, nothing is linked."""
        root = self.mapping.root
        strong = {identifier.kind for identifier in root.identifiers if identifier.strong}
        if len(strong) > 1:
            return ()
        return (
            Finding(
                "error",
                f"{root.name} of the CRM {self.mapping.store} has {len(strong)} strong "
                "identifiers: it cannot lead from a person to the other stores",
                "declare at least two kinds as strong, such as customer_id and email",
            ),
        )
