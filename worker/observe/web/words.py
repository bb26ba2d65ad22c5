"""The page's words in English and Norwegian, by key; both for each, which a test checks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isinf
from typing import Final

LANGUAGES: Final = {"en": "English", "nb": "Norsk"}
_UNITS: Final = ((86_400, "days"), (3_600, "hours"), (60, "minutes"), (1, "seconds"))


@dataclass(frozen=True, slots=True)
class Words:
    """The words of one language."""

    language: str
    texts: Mapping[str, str]

    def __call__(self, key: str, **values: object) -> str:
        """Return the words of a key. Raises KeyError for one that nobody has written."""
        return self.texts[key].format_map(values) if values else self.texts[key]

    def known(self, prefix: str, key: object) -> str:
        """Return the words of ``prefix.key``; the key itself where nobody has written any."""
        return self.texts.get(f"{prefix}.{key}", str(key))

    def duration(self, seconds: float) -> str:
        """Say a time in its largest unit; an infinite one is for ever."""
        if isinf(seconds):
            return self.texts["for-ever"]
        for size, name in _UNITS:
            if seconds >= size:
                count = int(seconds // size)
                return self.texts[f"{name}.one" if count == 1 else name].format(count=count)
        return self.texts["seconds"].format(count=0)
