"""Newest wins among requests to restrict processing and their liftings (rule 6, GDPR art. 18)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from topics.events import RESTRICTING, Event, EventKind
from worker.core.lifecycle import CaseState
from worker.ledger import batches, endings, restrictions
from worker.ledger.database import Connection
from worker.ledger.endings import Ended
from worker.ledger.restrictions import Wish, newest


class _New(Protocol):
    @property
    def id(self) -> UUID: ...
    @property
    def event(self) -> Event: ...
    @property
    def pseudonyms(self) -> tuple[bytes, ...]: ...


OVERTAKEN: Mapping[str, str] = {"why": "newer-restriction"}
"""Why a case ended: something newer was said about the same person's restriction."""

Wishes = Mapping[bytes, Sequence[Wish]]


async def merged(connection: Connection, fresh: Sequence[_New]) -> Wishes:
    """What is on record of the pseudonyms of new cases about restrictions, and what these add."""
    said: dict[bytes, list[Wish]] = {}
    for new in fresh:
        if new.event.kind in RESTRICTING:
            for pseudonym in new.pseudonyms:
                said.setdefault(pseudonym, []).append(Wish(asks(new.event.kind), new.event.time))
    for pseudonym, before in (await restrictions.wishes(connection, said)).items():
        said[pseudonym] += before
    return said


def asks(kind: EventKind) -> bool:
    """Whether an event of a kind asks for a restriction; otherwise it lifts one."""
    return kind is EventKind.RESTRICTION_REQUESTED


def is_overtaken(new: _New, wishes: Wishes) -> bool:
    """Whether an event comes too late: something newer says the opposite."""
    if new.event.kind not in RESTRICTING:
        return False
    last = newest(wish for pseudonym in new.pseudonyms for wish in wishes.get(pseudonym, ()))
    return last is not None and last.restricted is not asks(new.event.kind)


async def standing_against(connection: Connection, wishes: Wishes) -> dict[int, set[UUID]]:
    """Find the standing cases, by batch, that ask the opposite of what was said last."""
    found: dict[int, set[UUID]] = {}
    if not wishes:
        return found
    standing = await restrictions.standing(connection, wishes.keys())
    wanted = await restrictions.wanted(connection, standing.keys())
    for case_id, case in standing.items():
        if wanted.get(case_id) is not asks(case.kind):
            found.setdefault(case.batch_id, set()).add(case_id)
    return found


async def end_overtaken(
    connection: Connection,
    overtaken: Mapping[int, set[UUID]],
    answer_id: int,
    now: datetime,
) -> list[Ended]:
    """End standing cases that ask the opposite of what was said last."""
    ended: list[Ended] = []
    for batch_id, ids in sorted(overtaken.items()):
        await batches.hold(connection, batch_id)
        ended += await endings.end(
            connection,
            ids,
            state=CaseState.SUPERSEDED,
            answer_id=answer_id,
            now=now,
            reason=OVERTAKEN,
        )
        await batches.finish(connection, batch_id, now)
    return ended


async def record(connection: Connection, fresh: Sequence[_New]) -> None:
    """Write what new cases say about restrictions; the cases are there already."""
    await restrictions.record(
        connection,
        [
            (pseudonym, new.id, asks(new.event.kind), new.event.time)
            for new in fresh
            if new.event.kind in RESTRICTING
            for pseudonym in dict.fromkeys(new.pseudonyms)
        ],
    )
