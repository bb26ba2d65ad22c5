"""Choices among values that each example has of its own, without a strategy for each.

To build a strategy and have it checked costs far more than to draw from it: half of the time of a
drawn test went there. What is chosen here shrinks to the first of the values.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import cache
from typing import TypeVar

from hypothesis import strategies as st

T = TypeVar("T")


@cache
def number(least: int, most: int) -> st.SearchStrategy[int]:
    """A whole number, both ends included."""
    return st.integers(least, most)


@cache
def rarely(one_in: int) -> st.SearchStrategy[bool]:
    """True once in so many; shrinks to False."""
    return number(0, one_in - 1).map(lambda n: n == one_in - 1)


def choose(draw: st.DrawFn, values: Sequence[T]) -> T:
    """One of the values, each as likely."""
    return values[draw(number(0, len(values) - 1))]


def shuffled(draw: st.DrawFn, values: Collection[T], most: int | None = None) -> list[T]:
    """The values in any order; at most so many of them."""
    left = list(values)
    count = len(left) if most is None else min(most, len(left))
    return [left.pop(draw(number(0, len(left) - 1))) for _ in range(count)]
