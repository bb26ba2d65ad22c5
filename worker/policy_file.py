"""Reading a policy file: YAML with line numbers, every mistake told with where and what to write.

YAML is read by the 1.2 core rules, and narrower where people trip: ``country: NO`` is Norway and
not "false", ``version: 2026-11-01`` is a label and not a date, and every key is text, so that
``null: running`` means what it says. Keys that stand twice, aliases and merges are
refused: a policy is read by people, and what they read must be what counts.
"""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, get_args

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from worker.core.holes import holes
from worker.core.policy import Policy
from worker.core.references import Place
from worker.core.wording import near

MAX_BYTES: Final = 1024 * 1024
_MAX_DEPTH: Final = 32
_WHOLE_NUMBER: Final = re.compile(r"-?(0|[1-9][0-9]{0,17})", re.ASCII)
_PLAIN: Final[dict[str, object]] = {"true": True, "false": False, "null": None, "~": None, "": None}


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing wrong with a policy file; ``line`` counts from 1.

    ``level`` is ``error`` or ``warning``; ``write`` are lines that could stand in the file.
    """

    line: int
    what: str
    level: str = "error"
    write: str = ""


class PolicyError(Exception):
    """The file cannot be used. The worker keeps the policy it has, or does not start."""

    def __init__(self, file: str, problems: Iterable[Problem]) -> None:
        self.file = file
        self.problems = tuple(sorted(set(problems)))
        super().__init__("\n".join(f"{file}:{p.line}: {p.what}" for p in self.problems))


def load(path: Path) -> Policy:
    """Read and check a policy file; the policy knows the file's digest (SHA-256).

    Raises PolicyError with every mistake found, OSError when the file cannot be read.
    """
    return parse(path.read_bytes(), str(path))


def review(path: Path) -> tuple[Policy, list[Problem]]:
    """Read a policy file as :func:`load` does, and find the holes in it as well."""
    content = path.read_bytes()
    reader = _Reader()
    policy = _parsed(reader, content, str(path))
    return policy, sorted(Problem(reader.line(h.place), str(h)) for h in holes(policy))


def places(path: Path) -> Callable[[Place], int]:
    """Return what tells the line of a place of a policy file that can be read."""
    reader = _Reader()
    reader.read(path.read_bytes(), str(path))
    return reader.line


def load_whole(path: Path) -> Policy:
    """Read a policy file for work: one with a hole is refused like one with a mistake."""
    policy, found = review(path)
    if found:
        raise PolicyError(str(path), found)
    return policy


def parse(content: bytes, file: str) -> Policy:
    """Check the content of a policy file; ``file`` is the name to use in messages."""
    return _parsed(_Reader(), content, file)


def _parsed(reader: _Reader, content: bytes, file: str) -> Policy:
    data = reader.read(content, file)
    try:
        policy = Policy.model_validate(data)
    except ValidationError as error:
        reader.problems += [
            Problem(reader.line(entry["loc"]), _words(entry))
            for entry in error.errors(include_url=False)
        ]
        reader.problems += _zones(reader, data)
        raise PolicyError(file, reader.problems) from None
    if problems := [*reader.problems, *_zones(reader, data)]:
        raise PolicyError(file, problems)
    return policy.read_from(content)


class _Reader:
    """Turns the document's nodes into plain values and remembers the line of each place."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self._lines: dict[Place, int] = {(): 1}
        self._seen: set[int] = set()

    def read(self, content: bytes, file: str) -> object:
        """Return the document's plain value. Raises PolicyError when it is no YAML at all."""
        if len(content) > MAX_BYTES:
            raise PolicyError(file, [Problem(1, f"a policy has at most {MAX_BYTES} bytes")])
        try:
            node = YAML(typ="safe", pure=True).compose(content.decode("utf-8-sig"))
        except UnicodeDecodeError as error:
            line = content.count(b"\n", 0, error.start) + 1
            raise PolicyError(file, [Problem(line, "not UTF-8; save the file as UTF-8")]) from None
        except MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            what = " ".join(filter(None, (error.context, error.problem)))
            problem = Problem(mark.line + 1 if mark else 1, f"not YAML: {what}")
            raise PolicyError(file, [problem]) from None
        except (YAMLError, RecursionError):
            raise PolicyError(file, [Problem(1, "not YAML that can be read")]) from None
        return {} if node is None else self._value(node, ())

    def line(self, place: Place) -> int:
        """Return the line of a place, or of the nearest thing around it that is in the file."""
        while place not in self._lines:
            place = place[:-1]
        return self._lines[place]

    def _value(self, node: Node, place: Place) -> object:
        line = node.start_mark.line + 1
        self._lines.setdefault(place, line)
        if id(node) in self._seen:
            self.problems.append(Problem(line, "an alias (*name): write the value out"))
            return None
        self._seen.add(id(node))
        if len(place) > _MAX_DEPTH:
            self.problems.append(Problem(line, "nested too deep"))
            return None
        if isinstance(node, MappingNode):
            return self._mapping(node, place)
        if isinstance(node, SequenceNode):
            return [self._value(inner, (*place, at)) for at, inner in enumerate(node.value)]
        return self._scalar(node, line) if isinstance(node, ScalarNode) else None

    def _scalar(self, node: ScalarNode, line: int) -> object:
        written = str(node.value)
        if not str(node.tag).startswith("tag:yaml.org,2002:"):
            self.problems.append(Problem(line, f"no tags here; write the value without {node.tag}"))
        elif node.style is None:
            if _WHOLE_NUMBER.fullmatch(written):
                return int(written)
            return _PLAIN.get(written, written)
        return written

    def _mapping(self, node: MappingNode, place: Place) -> dict[str, object]:
        read: dict[str, object] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            key = key_node.value
            if not isinstance(key, str):
                self.problems.append(Problem(line, "a key is a plain word"))
            elif key == "<<":
                self.problems.append(Problem(line, "a merge (<<): write the keys out"))
            elif key in read:
                first = self._lines[(*place, key)]
                what = f"'{key}' stands twice (first in line {first}); only one can count"
                self.problems.append(Problem(line, what))
            else:
                self._lines[(*place, key)] = line
                read[key] = self._value(value_node, (*place, key))
        return read


def _zones(reader: _Reader, data: object) -> list[Problem]:
    """Check the time zones, which needs the machine's list of zones."""
    schedules = _at(data, "retention", "schedules")
    places: list[Place] = [
        ("time_zone",),
        *(
            ("retention", "schedules", name, "time_zone")
            for name in (schedules if isinstance(schedules, dict) else ())
        ),
    ]
    problems = []
    for place in places:
        name = _at(data, *place)
        if isinstance(name, str) and not _is_zone(name):
            known = zoneinfo.available_timezones()
            what = f"no time zone is called '{name}'{near(name, known)}"
            problems.append(Problem(reader.line(place), what))
    return problems


def _at(data: object, *place: str | int) -> object:
    """Return what stands at a place of plain data; None: nothing does."""
    for part in place:
        data = data.get(part) if isinstance(data, dict) else None
    return data


def _is_zone(name: str) -> bool:
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


_NEEDS: Final = {
    "string_type": "needs text; put it between quotes",
    "bool_type": "needs true or false",
    "tuple_type": "needs a list: [one, two]",
    "model_type": "needs keys with values",
    "mapping_type": "needs keys with values",
}


def _words(entry: Any) -> str:
    """Put one entry of pydantic's error into words, with a suggestion where there is one."""
    place, kind, given = entry["loc"], entry["type"], entry["input"]
    name = place[-1] if place else "the file"
    if kind == "policy":
        return str(entry["msg"])
    if kind == "missing":
        return f"'{name}' is missing{_of(place)}"
    if kind == "extra_forbidden":
        return f"unknown key '{name}'{near(str(name), _keys(place[:-1]))}"
    if kind in ("literal_error", "enum") and isinstance(given, str):
        known = re.findall(r"'([^']*)'", entry["ctx"]["expected"])
        return f"'{given}' is no value of '{_key(place)}'{near(given, known)}"
    if name == "[key]":
        return f"'{given}' cannot be a name here: {_small(entry['msg'])}"
    if kind in _NEEDS:
        return f"'{name}' {_NEEDS[kind]}"
    if kind == "too_short":
        return f"'{name}' is empty; it needs at least one entry"
    return f"'{name}': {_small(entry['msg'])}"


def _small(message: str) -> str:
    return message[:1].lower() + message[1:]


def _of(place: Place) -> str:
    return f" in '{place[-2]}'" if len(place) > 1 else ""


def _key(place: Place) -> str:
    """Return the last key on the way to a place."""
    return next((part for part in reversed(place) if isinstance(part, str)), "the file")


def _keys(place: Place) -> set[str]:
    """Return the keys that the policy knows at a place, by walking the models' annotations."""
    annotations: list[Any] = [Policy]
    for part in place:
        annotations = [inner for known in annotations for inner in _inside(known, str(part))]
    return {
        field.alias or name
        for known in annotations
        if isinstance(known, type) and issubclass(known, BaseModel)
        for name, field in known.model_fields.items()
    }


def _inside(annotation: Any, part: str) -> list[Any]:
    """Return what stands under ``part`` in a value of this annotation: models or mappings."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        for name, field in annotation.model_fields.items():
            if part in (name, field.alias):
                return _parts(field.annotation)
        return []
    arguments = get_args(annotation)
    return _parts(arguments[1]) if len(arguments) == 2 else []


def _parts(annotation: Any) -> list[Any]:
    """Return the models and mappings of an annotation, looking into unions and Annotated."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    arguments = get_args(annotation)
    if getattr(annotation, "__metadata__", None):
        return _parts(arguments[0])
    if len(arguments) == 2 and arguments[1] is not type(None):
        return [annotation]
    return [inner for argument in arguments for inner in _parts(argument)]
