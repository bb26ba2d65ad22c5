"""Keeping identifiers unreadable: encryption of payloads, pseudonyms of identifiers.

Payloads: AES-256-GCM (NIST SP 800-38D) with a random 96-bit nonce, the id of the key beside it so
that keys can rotate, and the place it belongs to as associated data, so that a payload moved to
another row does not open. Pseudonyms: HMAC-SHA256 under a key of their own (DESIGN, Words). Both
are still personal data (GDPR art. 4(5)); neither is ever called anonymous.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Iterable, Mapping
from typing import Any

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32
NONCE_BYTES = 12
_BLOCK = 64
"""Bytes that SHA-256 takes at a time, to which HMAC fills up its key."""
_INNER, _OUTER = (bytes(byte ^ pad for byte in range(256)) for pad in (0x36, 0x5C))


class CannotOpen(Exception):
    """A payload cannot be read: its key is missing or it was altered. Tell the operator."""


class Sealer:
    """Encrypts and decrypts the ledger's payloads and makes pseudonyms.

    ``keys`` maps key ids to 32 bytes each; ``current`` names the one for new payloads, the others
    only open what is older.
    """

    def __init__(self, keys: Mapping[str, bytes], current: str, pseudonym_key: bytes) -> None:
        if current not in keys:
            raise ValueError(f"the current payload key {current!r} is not among the keys given")
        if any(len(key) != KEY_BYTES for key in (*keys.values(), pseudonym_key)):
            raise ValueError(f"every key must be {KEY_BYTES} bytes long")
        self.current = current
        self._keys = {key_id: AESGCM(key) for key_id, key in keys.items()}
        self._pseudonym_key = pseudonym_key

    @property
    def key_ids(self) -> frozenset[str]:
        """The keys that are at hand."""
        return frozenset(self._keys)

    def __repr__(self) -> str:
        """Show no key."""
        return f"Sealer(current={self.current!r})"

    def seal(self, content: Any, place: bytes) -> bytes:
        """Encrypt what JSON can say, bound to the place it belongs to."""
        nonce = os.urandom(NONCE_BYTES)
        sealed = self._keys[self.current].encrypt(nonce, orjson.dumps(content), place)
        return nonce + sealed

    def open(self, sealed: bytes, key_id: str, place: bytes) -> Any:
        """Decrypt. Raises :class:`CannotOpen` with what to do."""
        if key_id not in self._keys:
            raise CannotOpen(f"payload key {key_id!r} is missing: add it to ERASURE_PAYLOAD_KEYS")
        try:
            plain = self._keys[key_id].decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], place)
        except InvalidTag:
            raise CannotOpen(
                f"a payload does not open with key {key_id!r}: wrong key, or altered"
            ) from None
        return orjson.loads(plain)

    def pseudonym(self, kind: str, value: str) -> bytes:
        """HMAC-SHA256 of one normalised identifier, 32 bytes."""
        return hmac.digest(self._pseudonym_key, f"{kind}\0{value}".encode(), hashlib.sha256)

    def pseudonyms(self, kind: str, values: Iterable[bytes]) -> list[bytes]:
        """:meth:`pseudonym` of many of a kind, encoded: what they share is hashed only once."""
        # RFC 2104: one hash within another. Copying the two begun ones is much cheaper than the
        # same of an HMAC object, and a sweep makes one for everybody who loses something.
        key = self._pseudonym_key.ljust(_BLOCK, b"\0")
        within = hashlib.sha256(key.translate(_INNER) + f"{kind}\0".encode())
        around = hashlib.sha256(key.translate(_OUTER))
        found = []
        for value in values:
            inner, outer = within.copy(), around.copy()
            inner.update(value)
            outer.update(inner.digest())
            found.append(outer.digest())
        return found
