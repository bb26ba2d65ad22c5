"""JSON from outside, read without trust: shallow, in UTF-8, and with text that is text."""

from __future__ import annotations

import json
import re
from typing import Final

import orjson

from topics.rejections import Reason

MAX_DEPTH: Final = 32
"""Objects and lists within each other at the most, the outermost counted as one."""

# A whole string (or an unfinished one to the end), or one bracket. Possessive: linear in time.
_TOKENS = re.compile(rb'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)|[\[{]|[\]}]', re.DOTALL)


class BadJson(Exception):
    """Bytes that are not JSON we take. ``readable`` is what could be read of them all the same."""

    def __init__(self, reason: Reason, detail: str, readable: object = None) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail
        self.readable = readable


def parse(raw: bytes) -> object:
    """The JSON value in ``raw``.

    Raises BadJson (``not-json``, ``too-deep``, ``bad-text``), whose text holds nothing of it.
    """
    try:
        value: object = orjson.loads(raw)
    except orjson.JSONDecodeError:
        pass
    else:
        # orjson takes no lone surrogate and no raw NUL; few brackets cannot be nested deep.
        if b"\\u0000" in raw and has_bad_text(value):
            raise BadJson(Reason.BAD_TEXT, "a string holds NUL", value)
        if raw.count(b"{") + raw.count(b"[") > MAX_DEPTH and _too_deep(raw):
            raise BadJson(Reason.TOO_DEEP, f"nested more than {MAX_DEPTH} deep", value)
        return value
    raise _why(raw)


def is_text(value: str) -> bool:
    """Whether a string is free of NUL and of lone surrogates."""
    if value.isascii():
        return "\x00" not in value
    return "\x00" not in value and not any("\ud800" <= char <= "\udfff" for char in value)


def has_bad_text(value: object) -> bool:
    """Whether any string in a JSON value, names of members included, is not text."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            if not is_text(item):
                return True
        elif isinstance(item, dict):
            waiting.extend(item.keys())
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)
    return False


def _too_deep(raw: bytes) -> bool:
    depth = 0
    for token in _TOKENS.finditer(raw):
        first = raw[token.start()]
        if first in b"[{":
            depth += 1
            if depth > MAX_DEPTH:
                return True
        elif first in b"]}":
            depth -= 1
    return False


def _why(raw: bytes) -> BadJson:
    """What is wrong with bytes that orjson refused, by a reader that forgives more."""
    if _too_deep(raw):
        return BadJson(Reason.TOO_DEEP, f"nested more than {MAX_DEPTH} deep")
    value: object = None
    try:
        # Depth is known to be small, so this cannot exhaust the stack.
        value = json.loads(raw.decode("utf-8", "surrogatepass"), strict=False)
    except (ValueError, RecursionError):
        return BadJson(Reason.NOT_JSON, "not JSON in UTF-8")
    if has_bad_text(value):
        return BadJson(Reason.BAD_TEXT, "a string holds NUL or a lone surrogate", value)
    return BadJson(Reason.NOT_JSON, "not JSON as RFC 8259 has it (control character, NaN ...)")
