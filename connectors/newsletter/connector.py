"""A newsletter in an SQL database. What is particular: an address may subscribe many times."""

from __future__ import annotations

from collections.abc import Sequence

from connectors.base import Finding
from connectors.sql import SqlConnector

EMAIL = "email"


class NewsletterConnector(SqlConnector):
    """A store whose people are addresses, with a row for each list they are on."""

    def demands(self) -> Sequence[Finding]:
        """Ask that an e-mail address leads here, without regard to case."""
        root = self.mapping.root
        emails = [identifier for identifier in root.identifiers if identifier.kind == EMAIL]
        if any(identifier.ignore_case for identifier in emails):
            return ()
        what = "is compared letter by letter" if emails else "is not declared"
        return (
            Finding(
                "error",
                f"the e-mail address in {root.name} of the newsletter {self.mapping.store} {what}: "
                "subscribers who withdraw would not be found",
                "declare an identifier of kind email that ignores case",
            ),
        )
