"""Looking for marks of people, in the clear or in a code that anybody could undo or repeat."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from urllib.parse import quote

from tests.support.nordlys import Person

_HASHES = ("md5", "sha1", "sha256", "sha512")


class Scanner:
    """Finds marks of people in bytes.

    A mark is found in any case, as hexadecimal, as base64 wherever it begins, URL-encoded, and as
    a plain hash of a whole identifier: a hash that needs no key is no secret (DESIGN, Words).
    """

    def __init__(self, people: Iterable[Person]) -> None:
        self._needles: dict[bytes, str] = {}
        for person in people:
            for mark in (*person.marks, str(person.number)):
                self._add(mark)
            for identifier in (person.email, person.customer_no, person.phone, person.name):
                self._hash(identifier)

    def find(self, data: bytes) -> set[str]:
        """How the marks found are written there: plain, hexadecimal, base64, a hash."""
        low = data.lower()
        return {how for needle, how in self._needles.items() if needle in low or needle in data}

    def _add(self, mark: str) -> None:
        raw = mark.encode()
        self._needles[raw] = "plain"
        self._needles[raw.hex().encode()] = "hexadecimal"
        self._needles[quote(mark).lower().encode()] = "plain"
        for written in (raw, raw.upper()):
            for shift in range(3):
                # What stands before changes the first signs, what follows the last ones.
                code = base64.b64encode(b"\0" * shift + written)
                self._needles[code[4 if shift else 0 : len(code) - 4]] = "base64"

    def _hash(self, identifier: str) -> None:
        for name in _HASHES:
            digest = hashlib.new(name, identifier.encode(), usedforsecurity=False)
            self._needles[digest.hexdigest().encode()] = name
            self._needles[digest.digest()] = name
            self._needles[base64.b64encode(digest.digest()).rstrip(b"=")] = name
