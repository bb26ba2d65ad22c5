"""Which tables a trigger's code writes to: read from its statements, without running anything.

Quoted texts count as code, for code may be run from them; only comments are left out. So a table
may be found that is never written to, which a person can say in the policy; none is overlooked
but those whose names are put together, or in code that is called: that is told apart.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

DELETE: Final = "delete"
UPDATE: Final = "update"
INSERT: Final = "insert"

# MariaDB runs what stands in /*! … */.
_COMMENT: Final = re.compile(r"--[ \t][^\n]*|/\*(?!!).*?\*/", re.DOTALL)
_PART: Final = r'(?:"(?:[^"]|"")+"|`[^`]+`|\[[^\]]+\]|\w+)'
_NAME: Final = rf"(?P<name>{_PART}(?: ?\. ?{_PART})?)"
_WORDS: Final = r"(?:(?:LOW_PRIORITY|DELAYED|HIGH_PRIORITY|QUICK|IGNORE|ONLY|TABLE|OR \w+) )*"
_STATEMENTS: Final = (
    (DELETE, rf"\bDELETE {_WORDS}(?:(?!FROM\b){_PART} )?FROM {_WORDS}{_NAME}"),
    (DELETE, rf"\bTRUNCATE {_WORDS}{_NAME}"),
    (UPDATE, rf"\bUPDATE {_WORDS}{_NAME}(?=[^;]*? SET\b)(?<!UPDATE SET)"),
    (UPDATE, rf"\b(?:REPLACE|MERGE) INTO {_WORDS}{_NAME}"),
    (INSERT, rf"\bINSERT {_WORDS}INTO {_WORDS}{_NAME}"),
)
_READY: Final = tuple((verb, re.compile(text, re.IGNORECASE)) for verb, text in _STATEMENTS)
_UNREADABLE: Final = re.compile(r"\b(?:EXECUTE|PERFORM|CALL)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Write:
    """One statement of the code: what it does, to which table; the schema where it is named."""

    verb: str
    schema: str
    table: str


def writes(code: str) -> Iterator[Write]:
    """Find every statement that writes."""
    plain = _plain(code)
    for verb, statement in _READY:
        for found in statement.finditer(plain):
            *schema, table = (_bare(part) for part in re.findall(_PART, found["name"]))
            yield Write(verb, schema[0] if schema else "", table)


def unreadable(code: str) -> bool:
    """Whether the code runs something that is not in it, or not in one piece."""
    return bool(_UNREADABLE.search(_plain(code)))


def _plain(code: str) -> str:
    return " ".join(_COMMENT.sub(" ", code).split())


def _bare(name: str) -> str:
    return name[1:-1] if name[0] in '"`[' else name
