"""Questions about who is sought by cases that time asks for: they are found by pseudonym.

Such a case records nothing about consents, and yet a hold, a consent or a restriction of its
subject must find it on its way. Its pseudonyms are forgotten when it ends.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select

from worker.core.lifecycle import CaseState
from worker.ledger.database import Connection
from worker.ledger.statements import add_rows, among
from worker.ledger.tables import cases, sought_pseudonyms


async def note(connection: Connection, pseudonyms: Mapping[UUID, Collection[bytes]]) -> None:
    """Note under which pseudonyms cases know their subjects, instead of what was noted before."""
    await forget(connection, pseudonyms)
    await add_rows(
        connection,
        sought_pseudonyms,
        ("pseudonym", "case_id"),
        [(p, case_id) for case_id, own in pseudonyms.items() for p in sorted(own)],
    )


async def forget(connection: Connection, case_ids: Collection[UUID]) -> None:
    """Forget the subjects of cases."""
    if case_ids:
        its = among(connection, sought_pseudonyms.c.case_id, list(case_ids))
        await connection.execute(delete(sought_pseudonyms).where(its))


async def standing(
    connection: Connection,
    pseudonyms: Collection[bytes],
    *,
    waiting_for: Mapping[str, Any] | None = None,
) -> dict[int, set[UUID]]:
    """Open cases about these pseudonyms, by batch; and those held for this reason, if any."""
    if not pseudonyms:
        return {}
    theirs = select(sought_pseudonyms.c.case_id).where(
        among(connection, sought_pseudonyms.c.pseudonym, list(pseudonyms))
    )
    rows = await connection.execute(
        select(cases.c.batch_id, cases.c.id, cases.c.state, cases.c.reason).where(
            cases.c.id.in_(theirs),
            cases.c.state.in_([CaseState.OPEN.value, CaseState.HELD.value]),
        )
    )
    found: dict[int, set[UUID]] = {}
    for row in rows:
        if row.state == CaseState.OPEN.value or row.reason == waiting_for:
            found.setdefault(row.batch_id, set()).add(row.id)
    return found
