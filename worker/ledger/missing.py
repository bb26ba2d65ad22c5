"""The question about dates that are missing in a store, for which somebody must look (rule 5)."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import ColumnElement, Text, cast, select

from worker.core.outcomes import UNKNOWN_ANCHOR
from worker.ledger.database import Connection
from worker.ledger.tables import receipts


async def dates(connection: Connection, limit: int) -> Mapping[UUID, tuple[str, ...]]:
    """Cases of which something is kept because its date is unknown, newest first, and where.

    Each with the field groups, as ``store/group``. What a later case about the same event found
    put right is told all the same: a receipt says what was so then.
    """
    if connection.dialect.name == "postgresql":
        names_it: ColumnElement[bool] = receipts.c.outcomes.bool_op("@>")([{"why": UNKNOWN_ANCHOR}])
    else:
        names_it = cast(receipts.c.outcomes, Text).contains(f'"{UNKNOWN_ANCHOR}"')
    rows = await connection.execute(
        select(receipts.c.case_ids, receipts.c.store, receipts.c.outcomes)
        .where(names_it)
        .order_by(receipts.c.answer_id.desc(), receipts.c.store, receipts.c.number)
        .limit(limit)
    )
    found: dict[UUID, tuple[str, ...]] = {}
    for row in rows:
        groups = tuple(
            f"{row.store}/{outcome['group']}"
            for outcome in row.outcomes
            if outcome.get("why") == UNKNOWN_ANCHOR
        )
        for case_id in row.case_ids:
            if len(found) < limit or case_id in found:
                found[case_id] = (*found.get(case_id, ()), *groups)
    return found
