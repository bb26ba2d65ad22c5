"""Nothing that can stand in a message raises anything but a rejection."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.unit.topics.making import PATIENT, VOCABULARY, accept, data, event, message
from topics.events import Event
from topics.rejections import Rejected
from topics.strict_json import MAX_DEPTH, BadJson, parse
from topics.writing import rejection

HEADER_NAMES = st.one_of(
    st.sampled_from(
        [
            "content-type",
            "ce_id",
            "ce_source",
            "ce_type",
            "ce_time",
            "ce_specversion",
            "ce_",
            "CE_X",
        ]
    ),
    st.text(max_size=8),
)
HEADER_VALUES = st.one_of(
    st.none(),
    st.binary(max_size=20),
    st.sampled_from(
        [
            b"application/cloudevents+json",
            b"application/json",
            b"1.0",
            b"privacy.consent.withdrawn.v1",
            b"2026-03-10T09:00:00Z",
        ]
    ),
)
HEADERS = st.lists(st.tuples(HEADER_NAMES, HEADER_VALUES), max_size=8).map(tuple)
JSON = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(st.characters(), max_size=8),
        st.text(st.characters(categories=["Cs", "Cc"]), max_size=3),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)
ATTRIBUTES = st.sampled_from(
    [*event(), "datacontenttype", "dataschema", "subject", "data_base64", "extension"]
)
MEMBERS = st.sampled_from(["subject", "purposes", "channel", "requested_at", "email"])


def survives(value: bytes | None, headers: Any) -> None:
    """Reading it gives an event of known words, or a rejection that can be published."""
    one = message(value, headers)
    result: Event | Rejected
    try:
        result = accept(one)
    except Rejected as rejected:
        result = rejected
    if isinstance(result, Rejected):
        key, told = rejection(result, one)
        assert json.loads(told or b"")["reason"] == result.reason
        assert (key is None) is (result.source is None or result.id is None)
    else:
        assert result.time.tzinfo is not None
        assert set(result.subject.plain()) <= set(VOCABULARY.identifiers)
        assert set(result.purposes) <= VOCABULARY.purposes


@PATIENT
@given(st.one_of(st.none(), st.binary(max_size=200)), HEADERS)
@example(b'"' + b'\\"' * 30_000, ())
@example(b"[]" * 30_000, ())
@example(b'{"\\ud800": "\\u0000"}', ())
def test_any_bytes_with_any_headers(value: bytes | None, headers: Any) -> None:
    """Arbitrary bytes, in whatever mode the headers claim."""
    survives(value, headers)


@PATIENT
@given(JSON, HEADERS)
def test_any_json_with_any_headers(value: object, headers: Any) -> None:
    """Arbitrary JSON, with lone surrogates, NaN and all."""
    survives(json.dumps(value).encode("utf-8", "surrogatepass"), headers)


@PATIENT
@given(st.dictionaries(ATTRIBUTES, JSON, max_size=3))
def test_an_event_with_any_attribute_spoilt(changes: dict[str, Any]) -> None:
    """A good event of which some attributes are arbitrary JSON."""
    survives(json.dumps({**event(), **changes}).encode(), ())


@PATIENT
@given(st.dictionaries(MEMBERS, JSON, min_size=1, max_size=3))
def test_an_event_with_any_data_spoilt(changes: dict[str, Any]) -> None:
    """A good event of which some members of data are arbitrary JSON."""
    survives(json.dumps(event(data={**data(), **changes})).encode(), ())


@PATIENT
@given(
    st.dictionaries(st.sampled_from([*VOCABULARY.identifiers, "x"]), JSON | st.text(), min_size=1)
)
def test_an_event_about_anybody(subject: dict[str, Any]) -> None:
    """A good event about a subject whose identifiers are arbitrary."""
    survives(json.dumps(event(data=data(subject=subject))).encode(), ())


@PATIENT
@given(st.integers(0, 60))
def test_depth_is_measured_outside_strings_only(depth: int) -> None:
    """A value is too deep exactly when it is, whatever brackets its strings hold."""
    inner: object = '[{"' * 40
    for _ in range(depth):
        inner = [inner]
    raw = json.dumps(inner).encode()
    if depth <= MAX_DEPTH:
        assert parse(raw) == inner
    else:
        with pytest.raises(BadJson) as caught:
            parse(raw)
        assert caught.value.reason == "too-deep"
