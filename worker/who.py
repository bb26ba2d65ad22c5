"""Who decides, and why, as it is kept in the ledger: in words, and without anybody's address."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

LIMIT: Final = 500
"""Characters of a name or a reason."""


class Unfit(StrEnum):
    """Why words are not kept."""

    LENGTH = "length"
    """There is nothing in them, or too much."""
    ADDRESS = "address"
    """There is an address in them."""


class UnfitWords(ValueError):
    """A name or a reason that is not kept. Its text never holds it."""

    def __init__(self, why: Unfit) -> None:
        super().__init__(why.value)
        self.why = why


def in_words(given: str) -> str:
    """A name or a reason as it is kept. Raises UnfitWords."""
    words = given.strip()
    if not words or len(words) > LIMIT:
        raise UnfitWords(Unfit.LENGTH)
    if "@" in words:
        raise UnfitWords(Unfit.ADDRESS)
    return words
