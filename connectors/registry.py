"""The kinds of stores that a policy may name, and how a connector to one is made."""

from __future__ import annotations

from connectors.base import Connector
from connectors.billing import BillingConnector
from connectors.crm import CrmConnector
from connectors.faults import Misfit
from connectors.mapping import StoreMapping
from connectors.newsletter import NewsletterConnector
from connectors.seen import SeenTable
from connectors.sql import SqlConnector
from connectors.sql import survey as sql_survey

_CONNECTORS: dict[str, type[SqlConnector]] = {
    "billing": BillingConnector,
    "crm": CrmConnector,
    "newsletter": NewsletterConnector,
    "sql": SqlConnector,
}

KINDS: tuple[str, ...] = tuple(sorted(_CONNECTORS))
"""What a policy may write as a store's kind. ``sql`` is a store with nothing particular."""


async def survey(url: str, schema: str | None) -> tuple[SeenTable, ...]:
    """Describe the tables of a running store that no policy knows yet.

    Raises the faults of :mod:`connectors.faults`; none of them shows the URL.
    """
    return await sql_survey.survey(url, schema)


def connect(
    kind: str,
    mapping: StoreMapping,
    url: str,
    *,
    pool_size: int = 4,
    statement_timeout: float = 30.0,
) -> Connector:
    """Make the connector of a store. Connects to nothing yet.

    ``url`` is an SQLAlchemy URL, ``statement_timeout`` is in seconds. Raises ``Misfit`` for a kind
    that is not in :data:`KINDS` and for a URL of no supported database.
    """
    connector = _CONNECTORS.get(kind)
    if connector is None:
        raise Misfit("unknown-kind", f"a store's kind is one of {', '.join(KINDS)}")
    return connector(mapping, url, pool_size=pool_size, statement_timeout=statement_timeout)
