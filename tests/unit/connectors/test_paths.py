"""Paths into JSON documents: what they name, and what they leave alone."""

from __future__ import annotations

import json
from typing import Any

import pytest

from connectors.sql.paths import Document, NotJson, parse


def without(path: str, content: Any) -> Any:
    """The document without what a path names."""
    document = Document(json.dumps(content))
    document.rewrite(parse(path), None)
    assert not document.holds(parse(path), None)
    return json.loads(document.text())


@pytest.mark.parametrize(
    ("path", "content", "rest"),
    [
        ("a", {"a": 1, "b": 2}, {"b": 2}),
        ("a.b", {"a": {"b": 1, "c": 2}, "b": 3}, {"a": {"c": 2}, "b": 3}),
        ("a[].b", {"a": [{"b": 1}, {"c": 2}, 3]}, {"a": [{}, {"c": 2}, 3]}),
        ("a.b", {"a": [{"b": 1}, [{"b": 2}]]}, {"a": [{}, [{}]]}),
        ("a[]", {"a": ["x", "y"], "b": ["z"]}, {"a": [], "b": ["z"]}),
        ("a[]", {"a": "x"}, {}),
        ("[].a", [{"a": 1}, {"b": 2}], [{}, {"b": 2}]),
        ("**.a", {"a": 1, "b": [{"a": 2, "c": {"a": 3}}]}, {"b": [{"c": {}}]}),
        ("**.a.b", {"x": {"a": {"b": 1}}, "b": 2}, {"x": {"a": {}}, "b": 2}),
        ("**.tags[]", {"x": [{"tags": [1, 2]}], "tags": [3]}, {"x": [{"tags": []}], "tags": []}),
        ('"a.b".c', {"a.b": {"c": 1}, "a": {"b": {"c": 2}}}, {"a.b": {}, "a": {"b": {"c": 2}}}),
        ("a", [], []),
        ("a", "a", "a"),
        ("a", None, None),
        ("a", {"a": None}, {"a": None}),
    ],
)
def test_a_path_names_just_this(path: str, content: Any, rest: Any) -> None:
    """Exactly what the path names is taken out, at every place where it is."""
    assert without(path, content) == rest


def test_an_overwrite_is_put_where_something_was() -> None:
    """The overwrite stands wherever a value stood, and nowhere else; a number is not its text."""
    document = Document('{"a": [{"b": "7"}, {"c": 1}, {"b": null}]}')
    assert document.holds(parse("a.b"), 7)
    document.rewrite(parse("a.b"), 7)
    assert document.text() == '{"a":[{"b":7},{"c":1},{"b":null}]}'
    assert not document.holds(parse("a.b"), 7)


def test_numbers_keep_their_digits() -> None:
    """Numbers too long or too fine for a float come back as they were written."""
    text = '{"a":1.10,"b":12345678901234567890.123456789,"c":1e400,"d":-0.0,"e":"ø\\n"}'
    document = Document(text)
    document.rewrite(parse("x"), None)
    assert document.text() == text


def test_what_is_no_json() -> None:
    """A text that is no document is said to be none."""
    with pytest.raises(NotJson):
        Document("{'a': 1}")


@pytest.mark.parametrize("path", ["", ".", "a.", ".a", "a..b", "a[", "a[0]", "**", "a.**", "**[]"])
def test_paths_that_mean_nothing(path: str) -> None:
    """A path that cannot be read is refused with the path in the message."""
    with pytest.raises(ValueError, match="path"):
        parse(path)
