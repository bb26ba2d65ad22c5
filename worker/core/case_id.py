"""The id of a case, made of the event's source and id (CloudEvents 1.0: together unique)."""

from __future__ import annotations

import hashlib
from uuid import UUID


def case_id(source: str, event_id: str) -> UUID:
    """The same event always has the same case, so a repeated event meets its own row.

    A version 8 UUID (RFC 9562, section 5.8) of SHA-256: upstream can compute it as well.
    """
    raw = source.encode()
    digest = bytearray(
        hashlib.sha256(len(raw).to_bytes(4, "big") + raw + event_id.encode()).digest()[:16]
    )
    digest[6] = (digest[6] & 0x0F) | 0x80
    digest[8] = (digest[8] & 0x3F) | 0x80
    return UUID(bytes=bytes(digest))
