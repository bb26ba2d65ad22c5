"""Messages out, as key and value in bytes. :mod:`topics.messages` says what they hold.

Plain dicts and orjson: receipts are written by the thousand a second. Times must have a time zone;
a time without one is a mistake of ours and raises ValueError.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

import orjson

from topics.events import EventKind
from topics.moments import in_utc
from topics.reading import Message
from topics.rejections import Rejected

Outgoing = tuple[bytes | None, bytes | None]
"""Key and value of one message; a value of None is a tombstone."""

_PSEUDONYM_BYTES: Final = 32
_CASE_REASON: Final = ("why", "store", "stores")
"""What is told of why a case ended so: a code and where. Who decided, in which words, is not."""
_REASON: Final = ("why", "rows", "apart")
"""What is told of why a sweep was not done: who cancelled it, and in which words, is not."""


def command_key(command_id: int) -> bytes:
    """Key of a command's message."""
    return str(command_id).encode()


def command_message(command_id: int) -> bytes:
    """Value of a command's message: its id and nothing else."""
    return _bytes({"command": command_id})


def command(command_id: int) -> Outgoing:
    """One command for the topic of its store."""
    return command_key(command_id), command_message(command_id)


def sweep(sweep_id: int) -> Outgoing:
    """One sweep for the topic of its store's sweeps: its id and nothing else."""
    return str(sweep_id).encode(), _bytes({"sweep": sweep_id})


def read_command(value: bytes) -> int:
    """The command's id in a message on a command topic, which only we write to.

    Raises ValueError when it is none: somebody else writes there. The message never holds it.
    """
    if (command_id := _id(value, "command")) is None:
        raise ValueError("not a command of ours: something else publishes on a command topic")
    return command_id


def read_sweep(value: bytes) -> int | None:
    """The sweep's id in a message on a sweeps' topic; None: it is no sweep's (but a command's)."""
    return _id(value, "sweep")


def _id(value: bytes, member: str) -> int | None:
    try:
        members = orjson.loads(value)
    except orjson.JSONDecodeError:
        members = None
    found = members.get(member) if isinstance(members, dict) else None
    return found if type(found) is int and found > 0 else None


def suppression_key(pseudonym: bytes) -> bytes:
    """Key of a suppression: the pseudonym in hexadecimal.

    Raises ValueError for anything that is not 32 bytes long, so that no plain identifier slips in.
    """
    if len(pseudonym) != _PSEUDONYM_BYTES:
        raise ValueError("a pseudonym is the 32 bytes of an HMAC-SHA256")
    return pseudonym.hex().encode()


def suppression(pseudonym: bytes, stopped: Mapping[str, datetime]) -> Outgoing:
    """The whole state of one pseudonym: each stopped purpose and since when.

    Nothing stopped gives a tombstone, so that compaction forgets the pseudonym.
    """
    key = suppression_key(pseudonym)
    if not stopped:
        return key, None
    since = {purpose: in_utc(moment) for purpose, moment in sorted(stopped.items())}
    return key, _bytes({"pseudonym": pseudonym.hex(), "stopped": since})


def receipts_key(answer: int, store: str) -> bytes:
    """Key of a batch of receipts."""
    return f"{answer}|{store}".encode()


def receipts(
    *,
    answer: int,
    command: int | None,
    store: str,
    policy: str | None,
    settled_at: datetime,
    cases: Iterable[tuple[UUID, Sequence[object]]],
    grounds: Mapping[str, object],
) -> Outgoing:
    """All cases that one transaction settled in one store: (case, outcomes), each re-read.

    ``grounds`` are the terms of the grounds that the outcomes name.
    """
    each = [{"case": str(case_id), "outcomes": outcomes} for case_id, outcomes in cases]
    members = {"answer": answer, "store": store, "cases": each, "verified": True}
    members |= {"settled_at": in_utc(settled_at), "policy": policy}
    if command is not None:
        members["command"] = command
    if grounds:
        members["grounds"] = grounds
    return receipts_key(answer, store), _bytes(members)


def event_key(source: str, event_id: str) -> bytes:
    """``source|id`` of an upstream event: the key by which upstream follows its own event.

    A key to find, not to take apart: both parts may hold a bar.
    """
    return f"{source}|{event_id}".encode()


def completion(
    *,
    source: str,
    event_id: str,
    kind: str,
    case_id: UUID,
    state: str,
    due_on: date,
    closed_at: datetime,
    reason: Mapping[str, Any] | None = None,
    impact: Mapping[str, int] | None = None,
    follows: UUID | None = None,
    stores: Mapping[str, Sequence[object]] | None = None,
) -> Outgoing:
    """An upstream event is done with: ``state`` is closed, superseded or rejected.

    ``reason`` is told by its code and its stores; nothing else of it leaves the ledger.
    """
    members: dict[str, object] = {
        "event": {"source": source, "id": event_id, "type": kind},
        "case": str(case_id),
        "state": state,
        "due_on": due_on,
        "closed_at": in_utc(closed_at),
    }
    if told := _only(reason, *_CASE_REASON):
        members["reason"] = told
    if impact:
        members["impact"] = impact
    if follows is not None:
        members["follows"] = str(follows)
    if stores is not None:
        members["stores"] = stores
    return event_key(source, event_id), _bytes(members)


def sweep_completion(
    *,
    source: str,
    event_id: str,
    sweep_id: int,
    state: str,
    store: str,
    table: str | None,
    ground: str | None,
    as_of: date,
    policy: str,
    ended_at: datetime,
    counts: Mapping[str, Mapping[str, int]],
    receipts: int,
    left_out: Mapping[str, int],
    proof: Mapping[str, object] | None = None,
    reason: Mapping[str, object] | None = None,
) -> Outgoing:
    """The sweep that a retention trigger asked for has ended: done, failed or cancelled.

    ``proof`` holds rows and counted_at, ``reason`` why, rows and apart; nothing else is told.
    """
    members: dict[str, object] = {
        "event": {"source": source, "id": event_id, "type": EventKind.RETENTION_EXPIRED},
        "sweep": sweep_id,
        "state": state,
        "store": store,
        "as_of": as_of,
        "policy": policy,
        "ended_at": in_utc(ended_at),
        "counts": counts,
        "receipts": receipts,
    }
    known = {"table": table, "ground": ground, "left_out": left_out}
    told = {"proof": _only(proof, "rows", "counted_at"), "reason": _only(reason, *_REASON)}
    members |= {name: value for name, value in (known | told).items() if value}
    return event_key(source, event_id), _bytes(members)


def rejection(rejected: Rejected, message: Message) -> Outgoing:
    """Why a message was not accepted and where it stands; nothing of what it holds."""
    known = rejected.source is not None and rejected.id is not None
    members = {
        "reason": rejected.reason,
        "detail": rejected.detail,
        "topic": message.topic,
        "partition": message.partition,
        "offset": message.offset,
        "source": rejected.source,
        "id": rejected.id,
    }
    key = event_key(str(rejected.source), str(rejected.id)) if known else None
    return key, _bytes(members)


def _only(said: Mapping[str, object] | None, *names: str) -> dict[str, object]:
    return {name: said[name] for name in names if name in said} if said else {}


def _bytes(members: Mapping[str, object]) -> bytes:
    return orjson.dumps(members, option=orjson.OPT_UTC_Z)
