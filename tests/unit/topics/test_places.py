"""What is committed with a place, and what it says when it is read again."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from aiokafka import TopicPartition
from aiokafka.structs import OffsetAndMetadata
from hypothesis import given
from hypothesis import strategies as st

from topics.places import Mark, Marks, Replaced, mark_of

AT, OTHER = TopicPartition("requests", 0), TopicPartition("requests", 1)


@given(
    st.lists(st.integers(0, 2**41), min_size=1, max_size=20),
    st.data(),
)
def test_a_place_tells_of_the_message_before_it(written: list[int], data: st.DataObject) -> None:
    """Whatever was committed in between, and of its own partition alone."""
    marks = Marks()
    places = sorted(data.draw(st.sets(st.integers(1, len(written)))))
    for offset, timestamp in enumerate(written):
        marks.read(AT, offset, timestamp)
        marks.read(OTHER, offset, timestamp + 1)
    for place in [one for one in places for _ in range(2)]:  # the same may be committed again
        assert mark_of(marks.place(AT, place)) == Mark(place - 1, written[place - 1])


def test_one_thread_reads_and_another_commits() -> None:
    """As Faust does: neither disturbs the other, however often they take turns."""
    marks, many = Marks(), 20_000

    def read_all() -> None:
        for at in range(many):
            marks.read(AT, at, at)

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(1) as other:
            reading = other.submit(read_all)
            while not reading.done():
                marks.place(AT, 1)
            reading.result()
    finally:
        sys.setswitchinterval(before)
    assert mark_of(marks.place(AT, many)) == Mark(many - 1, many - 1)


def test_a_place_after_nothing_has_no_mark() -> None:
    """The beginning, and a place behind messages that somebody else has read."""
    marks = Marks()
    marks.read(AT, 5, 1)
    for place in (0, 5, 7):
        assert marks.place(AT, place) == OffsetAndMetadata(place, "")
        assert mark_of(marks.place(AT, place)) is None


def test_another_message_where_one_was_read_is_refused() -> None:
    """The same one again is not: brokers give twice what nobody has committed."""
    marks = Marks()
    marks.read(AT, 2, 1_000)
    marks.read(AT, 2, 1_000)
    marks.place(AT, 3)
    with pytest.raises(Replaced, match="start the worker again"):
        marks.read(AT, 2, 1_001)
