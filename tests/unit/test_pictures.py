"""What the README shows is there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PICTURES = ROOT / "docs" / "pictures"
LIMIT = 150_000
"""Bytes of a picture, as where it is made (``tests/browser/test_pictures.py``)."""


def test_every_picture_of_the_readme_is_there() -> None:
    """Each is a small PNG with words for who cannot see it, and none lies about unused."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = re.findall(r"!\[([^\]]*)\]\(([^)]+)\)", readme)
    assert len(shown) >= 3
    for words, path in shown:
        content = (ROOT / path).read_bytes()
        assert content.startswith(b"\x89PNG\r\n"), path
        assert len(content) < LIMIT, path
        assert len(words) > 10, path
    assert {ROOT / path for _, path in shown} == set(PICTURES.iterdir())
