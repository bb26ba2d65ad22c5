"""Questions about answers and receipts: what was settled, and whether upstream was told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Text, bindparam, cast, func, insert, select, update

from worker.ledger.database import Connection
from worker.ledger.statements import Hot
from worker.ledger.tables import answers, batches, commands, receipts


@dataclass(frozen=True, slots=True)
class Answer:
    """One settled transaction. ``command_id`` is None when it was no command that settled."""

    id: int
    batch_id: int
    command_id: int | None
    policy: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of some cases in one store, all alike; as stored and as published."""

    case_ids: Sequence[UUID]
    store: str
    outcomes: Sequence[Mapping[str, Any]]
    settled_at: datetime
    policy: str | None
    """The version that it was decided under."""


async def open_answer(
    connection: Connection, batch_id: int, command_id: int | None, now: datetime
) -> int:
    """Write an answer, unpublished, and give back its id.

    The schema refuses a second one of a command: a command settles once.
    """
    ((answer_id,),) = await _OPEN.rows(connection, batch=batch_id, command=command_id, now=now)
    return int(answer_id)


async def add_receipts(connection: Connection, answer_id: int, written: Sequence[Receipt]) -> None:
    """Write an answer's receipts, all at once. Only verified outcomes get here."""
    if written:
        await connection.execute(
            insert(receipts),
            [
                {
                    "answer_id": answer_id,
                    "store": receipt.store,
                    "number": number,
                    "case_ids": receipt.case_ids,
                    "outcomes": receipt.outcomes,
                    "verified": True,
                }
                for number, receipt in enumerate(written, start=1)
            ],
        )


async def read(connection: Connection, answer_id: int) -> Answer | None:
    """One answer, with the policy version it was decided under."""
    row = (
        await connection.execute(
            select(
                answers.c.id,
                answers.c.batch_id,
                answers.c.command_id,
                answers.c.created_at,
                *_POLICY,
            )
            .join(batches, batches.c.id == answers.c.batch_id)
            .outerjoin(commands, commands.c.id == answers.c.command_id)
            .where(answers.c.id == answer_id)
        )
    ).one_or_none()
    if row is None:
        return None
    policy = row.command_policy or row.batch_policy
    return Answer(row.id, row.batch_id, row.command_id, policy, row.created_at)


async def of_command(connection: Connection, command_id: int) -> int | None:
    """The answer of a settled command that is still unpublished, if there is one."""
    return (
        await connection.execute(
            select(answers.c.id).where(
                answers.c.command_id == command_id, answers.c.published_at.is_(None)
            )
        )
    ).scalar_one_or_none()


async def receipts_of(connection: Connection, answer_id: int) -> list[Receipt]:
    """The receipts one answer carries."""
    return await _receipts(connection, receipts.c.answer_id == answer_id)


async def receipts_of_case(connection: Connection, case_id: UUID) -> list[Receipt]:
    """All receipts of a case, oldest first; each may name others beside it."""
    if connection.dialect.name == "postgresql":
        names_it: ColumnElement[bool] = receipts.c.case_ids.bool_op("@>")([case_id])
    else:
        # No index reaches into a list here; searching its text is quick all the same.
        names_it = func.instr(cast(receipts.c.case_ids, Text), case_id.hex) > 0
    return await _receipts(connection, names_it)


async def cases_by_store(connection: Connection, batch_id: int) -> dict[str, set[UUID]]:
    """For each store the cases of the batch that have a receipt without a command (absent)."""
    rows = await connection.execute(
        select(receipts.c.store, receipts.c.case_ids)
        .join(answers, answers.c.id == receipts.c.answer_id)
        .where(answers.c.batch_id == batch_id, answers.c.command_id.is_(None))
    )
    found: dict[str, set[UUID]] = {}
    for row in rows:
        found.setdefault(row.store, set()).update(row.case_ids)
    return found


async def published(connection: Connection, answer_id: int, now: datetime) -> None:
    """Note that upstream was told."""
    await _PUBLISHED.rows(connection, answer=answer_id, now=now)


async def unpublished(connection: Connection, before: datetime, limit: int) -> list[int]:
    """Answers written before a time that nobody has published, oldest first."""
    rows = await connection.execute(
        select(answers.c.id)
        .where(answers.c.published_at.is_(None), answers.c.created_at <= before)
        .order_by(answers.c.created_at)
        .limit(limit)
    )
    return list(rows.scalars())


async def _receipts(connection: Connection, condition: Any) -> list[Receipt]:
    rows = await connection.execute(
        select(
            receipts.c.case_ids,
            receipts.c.store,
            receipts.c.outcomes,
            answers.c.created_at,
            *_POLICY,
        )
        .join(answers, answers.c.id == receipts.c.answer_id)
        .join(batches, batches.c.id == answers.c.batch_id)
        .outerjoin(commands, commands.c.id == answers.c.command_id)
        .where(condition)
        .order_by(answers.c.id, receipts.c.store, receipts.c.number)
    )
    return [
        Receipt(
            row.case_ids,
            row.store,
            row.outcomes,
            row.created_at,
            row.command_policy or row.batch_policy,
        )
        for row in rows
    ]


_POLICY = (commands.c.policy.label("command_policy"), batches.c.policy.label("batch_policy"))
_OPEN = Hot(
    lambda _: (
        insert(answers)
        .values(
            batch_id=bindparam("batch"),
            command_id=bindparam("command"),
            created_at=bindparam("now"),
        )
        .returning(answers.c.id)
    )
)
_PUBLISHED = Hot(
    lambda _: (
        update(answers)
        .where(answers.c.id == bindparam("answer"))
        .values(published_at=bindparam("now"))
        .returning(answers.c.id)
    )
)
