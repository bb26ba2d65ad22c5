"""Questions about commands: one row for what up to 500 cases ask of one store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import bindparam, insert, select, update

from connectors.mapping import Shape
from worker.ledger import pauses
from worker.ledger.batches import Lane
from worker.ledger.database import Connection
from worker.ledger.statements import Hot, among
from worker.ledger.tables import commands


class CommandKind(StrEnum):
    """What a command asks of a store."""

    ERASE = "erase"
    RESTRICT = "restrict"
    """To write, or to lift, a restriction: whichever is wanted of each case when it is done."""


@dataclass(frozen=True, slots=True)
class NewCommand:
    """A command to be written. ``payload`` holds the sealed keys, one entry a case."""

    store: str
    shape: Shape
    policy: str
    case_ids: tuple[UUID, ...]
    payload: bytes
    key_id: str
    attempts: int = 0
    """One when an earlier command may have had part of the effect: a repeat is honest about it."""
    kind: CommandKind = CommandKind.ERASE
    lane: Lane = Lane.PEOPLE


class Issued(NamedTuple):
    """A command that is to be published: its id, and on which topic."""

    store: str
    id: int
    lane: Lane = Lane.PEOPLE


@dataclass(frozen=True, slots=True)
class Command:
    """A command as the connector worker takes it.

    ``attempts`` counts the one that now begins; ``failures`` those before it that certainly
    rolled back. More attempts than failures before this one: an attempt was never finished.
    """

    id: int
    batch_id: int
    store: str
    kind: CommandKind
    shape: Shape
    policy: str
    case_ids: tuple[UUID, ...]
    payload: bytes | None
    key_id: str
    state: str
    attempts: int
    failures: int
    lane: Lane

    @property
    def interrupted(self) -> bool:
        """Whether an earlier attempt may have had its effect without anyone noting it."""
        return self.attempts - 1 > self.failures


@dataclass(frozen=True, slots=True)
class CommandLine:
    """A command as an operator sees it."""

    id: int
    batch_id: int
    store: str
    shape: Shape
    policy: str
    case_ids: tuple[UUID, ...]
    state: str
    attempts: int
    fault: str | None
    created_at: datetime
    published_at: datetime | None
    attempted_at: datetime | None
    settled_at: datetime | None


async def issue(
    connection: Connection,
    batch_id: int,
    new: Sequence[NewCommand],
    *,
    now: datetime,
    due_at: datetime,
) -> list[Issued]:
    """Write commands, open and unpublished. Returns them as issued, in the order given."""
    issued = []
    for command in new:
        result = await connection.execute(
            insert(commands)
            .values(
                batch_id=batch_id,
                store=command.store,
                kind=command.kind.value,
                shape=list(command.shape),
                policy=command.policy,
                case_ids=command.case_ids,
                payload=command.payload,
                key_id=command.key_id,
                attempts=command.attempts,
                lane=command.lane.value,
                state="open",
                created_at=now,
                due_at=due_at,
            )
            .returning(commands.c.id)
        )
        issued.append(Issued(command.store, int(result.scalar_one()), command.lane))
    return issued


async def take(
    connection: Connection, command_id: int, *, now: datetime, due_at: datetime
) -> Command | None:
    """Note the attempt, before any effect, and read the command.

    None: it is not open, or its store rests (see :func:`rests`).
    ``due_at`` is when redrive may suppose that this attempt died.
    """
    taken = await _TAKE.rows(connection, command=command_id, now=now, due=due_at)
    return command_of(taken[0]) if taken else None


async def rests(connection: Connection, command_id: int) -> bool:
    """Whether a command is open and cannot be taken, because an operator lets its store rest."""
    found = await connection.execute(
        select(commands.c.id).where(
            commands.c.id == command_id,
            commands.c.state == "open",
            pauses.rests(commands.c.store, also_draining=False),
        )
    )
    return found.one_or_none() is not None


async def failed(connection: Connection, command_id: int, fault: str, *, due_at: datetime) -> None:
    """Note that this attempt rolled back for certain; the command stays open until ``due_at``."""
    await connection.execute(
        update(commands)
        .where(commands.c.id == command_id, commands.c.state == "open")
        .values(failures=commands.c.failures + 1, fault=fault, due_at=due_at)
    )


async def settle(connection: Connection, command: Command, now: datetime) -> bool:
    """Settle an open command and drop its keys.

    False: somebody settled it before, or began another attempt beside this one, whose effect this
    one did not count; only an attempt that knows of others (``interrupted``) may settle then.
    """
    # Attempts only grow: an attempt that knows of others may settle whatever their number is.
    at_most = 2**31 - 1 if command.interrupted else command.attempts
    settled = await _SETTLE.rows(connection, command=command.id, now=now, at_most=at_most)
    return len(settled) == 1


async def bury(connection: Connection, command_id: int, fault: str, *, rolled_back: bool) -> bool:
    """Make an open command a dead letter: it keeps its keys and waits for an operator.

    ``rolled_back`` says that this attempt certainly changed nothing in the store.
    """
    result = await connection.execute(
        update(commands)
        .where(commands.c.id == command_id, commands.c.state == "open")
        .values(state="dead", fault=fault, failures=commands.c.failures + int(rolled_back))
    )
    return result.rowcount == 1


async def revive(connection: Connection, ids: Sequence[int], *, due_at: datetime) -> list[Issued]:
    """Open dead letters again. Returns those that were dead."""
    rows = await connection.execute(
        update(commands)
        .where(among(connection, commands.c.id, list(ids)), commands.c.state == "dead")
        .values(state="open", due_at=due_at, drives=0)
        .returning(commands.c.store, commands.c.id, commands.c.lane)
    )
    return [Issued(row.store, row.id, Lane(row.lane)) for row in rows]


async def published(
    connection: Connection, ids: Sequence[int], *, now: datetime, due_at: datetime
) -> None:
    """Note that the ids of these commands were published; redrive waits until ``due_at``."""
    await connection.execute(
        update(commands)
        .where(among(connection, commands.c.id, list(ids)))
        .values(published_at=now, due_at=due_at)
    )


async def due(connection: Connection, now: datetime, limit: int) -> list[tuple[Issued, int]]:
    """Open commands that nobody has moved in time, and the times driven, oldest first.

    Those of a store that rests are not: one copy of them lies on the topic, and that is enough.
    """
    rows = await connection.execute(
        select(commands.c.id, commands.c.store, commands.c.lane, commands.c.drives)
        .where(
            commands.c.state == "open",
            commands.c.due_at <= now,
            ~pauses.rests(commands.c.store, also_draining=True),
        )
        .order_by(commands.c.due_at)
        .limit(limit)
    )
    return [(Issued(row.store, row.id, Lane(row.lane)), row.drives) for row in rows]


async def driven(connection: Connection, command_id: int, due_at: datetime) -> None:
    """Note that redrive published a command once more, and when to look again."""
    await connection.execute(
        update(commands)
        .where(commands.c.id == command_id, commands.c.state == "open")
        .values(drives=commands.c.drives + 1, due_at=due_at)
    )


async def listed(
    connection: Connection,
    *,
    batch_id: int | None = None,
    state: str | None = None,
    limit: int = 1000,
) -> list[CommandLine]:
    """Commands as an operator sees them, oldest first."""
    query = select(*(commands.c[name] for name in CommandLine.__slots__)).limit(limit)
    if batch_id is not None:
        query = query.where(commands.c.batch_id == batch_id)
    if state is not None:
        query = query.where(commands.c.state == state)
    rows = await connection.execute(query.order_by(commands.c.id))
    return [_line(row) for row in rows]


def _line(row: Any) -> CommandLine:
    return CommandLine(**_lists(row._asdict()))


def _lists(fields: dict[str, Any]) -> dict[str, Any]:
    if "kind" in fields:
        fields["kind"] = CommandKind(fields["kind"])
        fields["lane"] = Lane(fields["lane"])
    return {**fields, "shape": tuple(fields["shape"]), "case_ids": tuple(fields["case_ids"])}


def command_of(row: Sequence[Any]) -> Command:
    """A row of the columns that :class:`Command` names, as a command."""
    return Command(**_lists(dict(zip(Command.__slots__, row, strict=True))))


_TAKE = Hot(
    lambda _: (
        update(commands)
        .where(
            commands.c.id == bindparam("command"),
            commands.c.state == "open",
            ~pauses.rests(commands.c.store, also_draining=False),
        )
        .values(
            attempts=commands.c.attempts + 1,
            attempted_at=bindparam("now"),
            due_at=bindparam("due"),
        )
        .returning(*(commands.c[name] for name in Command.__slots__))
    )
)
_SETTLE = Hot(
    lambda _: (
        update(commands)
        .where(
            commands.c.id == bindparam("command"),
            commands.c.state == "open",
            commands.c.attempts <= bindparam("at_most"),
        )
        .values(state="settled", settled_at=bindparam("now"), payload=None)
        .returning(commands.c.id)
    )
)
