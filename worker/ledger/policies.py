"""Questions about policies: which versions decided, and what each of them said."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from worker.ledger.database import Connection
from worker.ledger.statements import insert_if_new
from worker.ledger.tables import policies


@dataclass(frozen=True, slots=True)
class Version:
    """One version of the policy. ``digest`` is the SHA-256 of its file, in hexadecimal."""

    version: str
    digest: str
    taken_up_at: datetime


async def take_up(
    connection: Connection, version: str, digest: str, content: bytes, now: datetime
) -> str:
    """Note that a worker runs on a version; return the digest that the version is known by.

    The first to take a version up decides what it says: any other digest than one's own is
    another policy under the same name.
    """
    known = await _digest(connection, version)
    if known is not None:
        return known
    await connection.execute(
        insert_if_new(connection, policies).values(
            version=version, digest=digest, content=content, taken_up_at=now
        )
    )
    # Another worker may have taken it up at this moment: then what it wrote counts.
    return await _digest(connection, version) or digest


async def listed(connection: Connection) -> list[Version]:
    """Every version, the newest first."""
    rows = await connection.execute(
        select(policies.c.version, policies.c.digest, policies.c.taken_up_at).order_by(
            policies.c.taken_up_at.desc(), policies.c.version
        )
    )
    return [Version(*row) for row in rows]


async def content(connection: Connection, version: str) -> bytes | None:
    """The file of one version, to the letter; None when no worker ever ran on it."""
    found = await connection.execute(
        select(policies.c.content).where(policies.c.version == version)
    )
    return found.scalar_one_or_none()


async def _digest(connection: Connection, version: str) -> str | None:
    found = await connection.execute(select(policies.c.digest).where(policies.c.version == version))
    return found.scalar_one_or_none()
