"""Fields inside a JSON document: found, taken out or overwritten by their path.

A path names members from the top, with dots between: ``address.street``. ``name[]`` means each
element of an array, ``**`` any depth, and a name with a dot in it stands in double quotes. A name
looks into arrays on its way by itself: an address that became a list of addresses is not missed.
Nothing is put where nothing was, and an empty member (null) counts as nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, Final

ANY_DEPTH: Final = "**"
EACH: Final = "[]"
Path = tuple[str, ...]
"""Member names, each with ``=`` before it, and :data:`EACH` and :data:`ANY_DEPTH` as they are."""

_STEP: Final = re.compile(r'(?:"([^"]+)"|([^".\[\]*]+)|(\*\*))?((?:\[\])*)')


class NotJson(ValueError):
    """A text is no JSON document."""


def parse(path: str) -> Path:
    """Read a path. Raises ``ValueError`` that says what is wrong with it."""
    steps: list[str] = []
    at = 0
    while at <= len(path):
        match = _STEP.match(path, at)
        if match is None or match.end() == at:
            raise ValueError(f"the path {path} cannot be read at character {at + 1}")
        quoted, bare, deep, each = match.groups()
        steps += [f"={name}" for name in (quoted, bare) if name] + ([ANY_DEPTH] if deep else [])
        steps += [EACH] * (len(each) // 2)
        at = match.end() + 1
        if match.end() < len(path) and path[match.end()] != ".":
            raise ValueError(f"the path {path} cannot be read at character {at}")
    if any(a == ANY_DEPTH and not b.startswith("=") for a, b in pairwise((*steps, ""))):
        raise ValueError(f"in the path {path} a member's name must follow **, as in **.email")
    return tuple(steps)


class Document:
    """One JSON document. Numbers keep their digits, and no member hides behind its namesake."""

    __slots__ = ("_twice", "_whole")

    def __init__(self, text: str) -> None:
        """Read it. Raises ``NotJson``."""
        self._twice = False
        try:
            content = json.loads(text, parse_float=_Number, object_pairs_hook=self._members)
        except (ValueError, RecursionError):
            raise NotJson from None
        self._whole: list[Any] = [content]

    def holds(self, path: Path, overwrite: str | int | None) -> bool:
        """Whether a field is there with something else than its overwrite."""
        return self._twice or any(
            overwrite is None or not _is(holder[at], overwrite)
            for holder, at in _places(self._whole, 0, path)
        )

    def rewrite(self, path: Path, overwrite: str | int | None) -> None:
        """Take a field out, or put its overwrite there, wherever it is."""
        found = {(id(holder), at): holder for holder, at in _places(self._whole, 0, path)}
        for (_, at), holder in reversed(found.items()):
            if overwrite is None:
                del holder[at]
            else:
                holder[at] = overwrite

    def text(self) -> str:
        """Return the document as JSON."""
        return "".join(_written(self._whole[0] if self._whole else None))

    def _members(self, pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
        """Note a member that stands twice in the text: only the last would be seen."""
        members = dict(pairs)
        self._twice = self._twice or len(members) < len(pairs)
        return members


class _Number(str):
    """The digits of a number as they were written."""

    __slots__ = ()


def _is(value: Any, overwrite: str | int) -> bool:
    return type(value) is type(overwrite) and bool(value == overwrite)


def _places(holder: Any, at: Any, path: Path) -> Iterator[tuple[Any, Any]]:
    """Each object or array that holds the field, with its member's name or position.

    ``holder[at]`` is where the path begins. In an array, the positions come in order.
    """
    value = holder[at]
    if set(path) <= {EACH} and not (path and isinstance(value, list)):
        if value is not None:
            yield holder, at
        return
    step, rest = path[0], path[1:]
    if step == ANY_DEPTH:
        if not isinstance(value, list):
            yield from _places(holder, at, rest)
        inside = value if isinstance(value, dict) else range(_length(value))
        for inner in inside:
            yield from _places(value, inner, path)
    elif isinstance(value, list):
        for inner in range(len(value)):
            yield from _places(value, inner, rest if step == EACH else path)
    elif isinstance(value, dict) and step[1:] in value:
        yield from _places(value, step[1:], rest)


def _length(value: Any) -> int:
    return len(value) if isinstance(value, list) else 0


def _written(value: Any) -> Iterator[str]:
    """Write JSON as the standard library does, but each number as it was read."""
    if isinstance(value, _Number):
        yield str(value)
    elif isinstance(value, dict):
        yield "{"
        for number, (name, inner) in enumerate(value.items()):
            yield ("," if number else "") + json.dumps(name, ensure_ascii=False) + ":"
            yield from _written(inner)
        yield "}"
    elif isinstance(value, list):
        yield "["
        for number, inner in enumerate(value):
            yield "," if number else ""
            yield from _written(inner)
        yield "]"
    else:
        yield json.dumps(value, ensure_ascii=False)
