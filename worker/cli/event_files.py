"""Events in a file: found with their lines, checked against the policy, made into messages.

A file holds one event, a JSON array of events, or one event a line; each event in the JSON format
of CloudEvents. Either every event of it is good, or nothing of it is published.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import orjson

from topics.events import Vocabulary
from topics.publishing import Mode, Publication, event_to_message
from topics.reading import Message, read
from topics.rejections import Rejected

SHOWN = 20
"""Problems told at the most: whoever has more of them has one mistake many times."""


class BadEvents(Exception):
    """The file cannot be published as it is. The text has a line for each problem, no content."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One value of the file, and the line on which it begins (from 1)."""

    line: int
    value: object


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with the value that begins on a line."""

    line: int
    what: str


def messages(
    content: bytes, name: str, vocabulary: Vocabulary, mode: Mode, now: datetime
) -> list[Publication]:
    """Turn a file's content into messages, each checked as intake will check it.

    ``name`` is what to call the file in errors. Raises BadEvents with every problem found.
    """
    found: list[Publication] = []
    problems: list[Problem] = []
    for one in _entries(content):
        made = one if isinstance(one, Problem) else _message(one, vocabulary, mode, now)
        if isinstance(made, Problem):
            problems.append(made)
        else:
            found.append(made)
    if problems:
        raise BadEvents(_told(name, problems))
    if not found:
        raise BadEvents(f"{name}: there is no event in it")
    return found


def _message(
    entry: Entry, vocabulary: Vocabulary, mode: Mode, now: datetime
) -> Publication | Problem:
    if not isinstance(entry.value, dict):
        return Problem(entry.line, 'not an object: an event is {"id": ..., "source": ..., ...}')
    try:
        made = event_to_message(entry.value, mode)
        read(Message(made.topic, 0, 0, made.key, made.value, made.headers), vocabulary, now)
    except Rejected as rejected:
        return Problem(entry.line, str(rejected))
    return made


def _entries(content: bytes) -> Iterator[Entry | Problem]:
    """The values of a file in order; a line that is no JSON is a problem of its own."""
    content = content.removeprefix(b"\xef\xbb\xbf")  # Some editors mark UTF-8 in this way.
    try:
        whole = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        lines = [(at, line) for at, line in enumerate(content.splitlines(), 1) if line.strip()]
        if len(lines) < 2 or content.lstrip().startswith(b"["):
            if lines:
                yield Problem(error.lineno, f"not JSON (column {error.colno})")
            return
        yield from map(_line, lines)
        return
    if isinstance(whole, list):
        places = _places(content.decode())
        for value, line in zip(whole, places, strict=True):
            yield Entry(line, value)
    else:
        yield Entry(1 + content[: len(content) - len(content.lstrip())].count(b"\n"), whole)


def _line(numbered: tuple[int, bytes]) -> Entry | Problem:
    at, line = numbered
    try:
        return Entry(at, orjson.loads(line))
    except orjson.JSONDecodeError as error:
        return Problem(at, f"not JSON (column {error.colno}): one event a line, or a JSON array")


def _places(text: str) -> Iterator[int]:
    """The line on which each element of a JSON array begins; the array is known to be sound."""
    decoder = json.JSONDecoder()
    at = text.index("[") + 1
    line, counted = 1, 0
    while True:
        while text[at] in " \t\r\n,":
            at += 1
        if text[at] == "]":
            return
        line += text.count("\n", counted, at)
        counted = at
        yield line
        _, at = decoder.raw_decode(text, at)


def _told(name: str, problems: Sequence[Problem]) -> str:
    lines = [f"{name}:{problem.line}: {problem.what}" for problem in problems[:SHOWN]]
    if len(problems) > SHOWN:
        lines.append(f"... and {len(problems) - SHOWN:,} more")
    return "\n".join([*lines, "nothing was published; correct the file and publish it again"])
