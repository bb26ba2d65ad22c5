"""Finding English in what is shown to somebody who reads Norwegian."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from string import Formatter
from typing import Final

from connectors.faults import HINTS
from worker.observe.web.telling import words_of

SILENT: Final = frozenset({"script", "style", "code", "title"})
"""Elements whose text is no sentence of ours: commands are the same in every language."""
VOID: Final = frozenset({"br", "hr", "img", "input", "link", "meta", "rect", "polyline"})
TELLING: Final = frozenset(
    {"again", "and", "are", "been", "before", "does", "it", "not", "nothing", "of", "only", "than"}
    | {"that", "the", "there", "they", "this", "until", "was", "which", "while", "with"}
)
"""Words that stand in nearly every English sentence and in no Norwegian one."""


class _Shown(HTMLParser):
    """Collects the texts of a page, one for each text node, and those of its attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._open: list[tuple[str, bool]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        quiet = tag in SILENT or (given.get("lang") == "en" and tag != "html")
        self.texts += [str(given[one]) for one in ("aria-label", "title", "alt") if one in given]
        if tag not in VOID:
            self._open.append((tag, quiet))

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self._open.pop()[0] == tag

    def handle_data(self, data: str) -> None:
        if data.strip() and not any(quiet for _, quiet in self._open):
            self.texts.append(" ".join(data.split()))


def shown(page: str) -> list[str]:
    """Return the texts that somebody reads, but for what is marked as English or as a command."""
    parser = _Shown()
    parser.feed(page)
    return parser.texts


def english(page: str) -> Iterator[str]:
    """Tell each text of a page that is English: our own words, a known hint, or any sentence."""
    for text in shown(page):
        words = set(re.findall(r"(?<![\w-])[a-z]+(?![\w-])", text.lower()))
        if words & TELLING or any(pattern.search(text) for pattern in _PATTERNS):
            yield text


def _pattern(text: str) -> re.Pattern[str] | None:
    """How an English text looks when it is filled: a sentence anywhere, a word or two alone."""
    parts = [re.escape(literal) for literal, _, _, _ in Formatter().parse(text)]
    words = re.findall(r"[A-Za-z]{2,}", "".join(parts))
    if not words:
        return None
    filled = ".+?".join(parts) + (".*" if text.endswith("}") else "")
    return re.compile(filled if len(words) > 3 else rf"^{filled}$")


def _patterns() -> Iterator[re.Pattern[str]]:
    norwegian = words_of("nb").texts
    same = set(norwegian.values())
    for text in (*words_of("en").texts.values(), *HINTS.values()):
        if text not in same and (pattern := _pattern(text)):
            yield pattern


_PATTERNS: Final = tuple(_patterns())
