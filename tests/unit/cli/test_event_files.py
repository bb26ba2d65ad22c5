"""Files of events: found in every layout with their lines, refused whole when one is bad."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from topics.events import Vocabulary
from topics.publishing import Publication
from worker.cli.event_files import SHOWN, BadEvents, messages

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
VOCABULARY = Vocabulary({"email": "email"}, frozenset({"newsletter"}), "NO", {}, "UTC")


def event(number: int, email: str = "kari@example.no") -> dict[str, object]:
    """A good event."""
    return {
        "id": str(number),
        "source": "/shop",
        "type": "privacy.erasure.requested.v1",
        "time": "2026-03-10T11:00:00Z",
        "data": {"subject": {"email": email}},
    }


def read(content: str | bytes) -> list[Publication]:
    """The messages of a file's content."""
    raw = content.encode() if isinstance(content, str) else content
    return messages(raw, "events.json", VOCABULARY, "structured", NOW)


@pytest.mark.parametrize("indent", [None, 2], ids=["compact", "indented"])
def test_every_layout_gives_the_same(indent: int | None) -> None:
    """An array and one event a line mean the same; one event alone may be written over lines."""
    events = [event(number) for number in range(3)]
    lines = read("\n".join(json.dumps(one) for one in events))
    assert read(json.dumps(events, indent=indent)) == lines
    assert [message.key for message in lines] == [b"/shop|0", b"/shop|1", b"/shop|2"]
    assert read(b"\xef\xbb\xbf" + json.dumps(events[0], indent=indent).encode()) == lines[:1]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (f"{json.dumps(event(1))}\n\n[1]\n", ":3: not an object"),
        (f"{json.dumps(event(1))}\n{{bad\n", ":2: not JSON (column 2)"),
        (f"[\n{json.dumps(event(1))},\n\n  7]", ":4: not an object"),
        (json.dumps([event(1), event(2, "kari")], indent=1), ":13: bad-identifier"),
        ("\n\n  " + json.dumps(event(1, "kari")), ":3: bad-identifier"),
        ("[1, 2", ":1: not JSON"),
        ("NaN", ":1: not JSON"),
        ("", "there is no event"),
        ("[]", "there is no event"),
        (b"\xff\xfe", ":1: not JSON"),
    ],
)
def test_what_is_bad_is_told_with_its_line(content: str | bytes, told: str) -> None:
    """Each problem names the line on which its event begins, and nothing of what stands there."""
    with pytest.raises(BadEvents) as caught:
        read(content)
    assert told in str(caught.value)
    assert "kari" not in str(caught.value)


def test_many_problems_are_counted() -> None:
    """A file that is wrong throughout gives a readable answer."""
    with pytest.raises(BadEvents) as caught:
        read("\n".join(["7"] * (SHOWN + 1000)))
    assert len(str(caught.value).splitlines()) == SHOWN + 2
    assert "1,000 more" in str(caught.value)


def test_a_whole_event_is_checked_and_not_only_its_envelope() -> None:
    """What intake would reject is refused here: a future time, a type nobody acts on."""
    for changed in ({"time": "2027-01-01T00:00:00Z"}, {"type": "privacy.retention.begun.v1"}):
        with pytest.raises(BadEvents, match=r":1: (future-time|unsupported-type)"):
            read(json.dumps(event(1) | changed))


@given(st.binary(max_size=200))
def test_any_bytes_are_events_or_bad_events(content: bytes) -> None:
    """Whatever is in a file, it is read or refused in words; nothing else is raised."""
    with suppress(BadEvents):
        assert read(content)


@given(st.lists(st.text(max_size=5), min_size=1, max_size=5), st.sampled_from([None, 0, 3]))
def test_the_lines_of_an_array_are_those_of_its_elements(
    values: list[str], indent: int | None
) -> None:
    """In an array of anything, each element is blamed on the line on which it stands."""
    with pytest.raises(BadEvents) as caught:
        read(json.dumps(values, indent=indent))
    lines = [line.split(":")[1] for line in str(caught.value).splitlines()[:-1]]
    wanted = [1] * len(values) if indent is None else range(2, len(values) + 2)
    assert lines == [str(line) for line in wanted]
