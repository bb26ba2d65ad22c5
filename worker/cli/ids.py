"""Ids as they are typed on a command line."""

from __future__ import annotations

from uuid import UUID

from worker.cli.exits import Unusable


def parse_id(text: str) -> UUID:
    """A case's id as it was typed."""
    try:
        return UUID(text)
    except ValueError:
        raise Unusable(
            "that is no id of a case (list them with: erasure cases) and no command "
            "(see: erasure case --help)"
        ) from None
