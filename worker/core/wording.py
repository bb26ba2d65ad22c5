"""Small pieces of sentences: a count with its noun, the name that was probably meant."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def near(word: str, known: Iterable[str]) -> str:
    """Return what to append to an error about ``word``: the closest known name, or all of them."""
    names = {name.lower(): name for name in sorted(known)}
    if not names:
        return ""
    if close := get_close_matches(word.lower(), names, n=1):
        return f"; did you mean '{names[close[0]]}'?"
    return f"; known: {', '.join(names.values())}" if len(names) <= 30 else ""


def counted(number: int, noun: str) -> str:
    """``1 case``, ``1,200 cases``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
