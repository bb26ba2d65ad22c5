"""The brake asks above the share, above the usual, and never below the floor."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from worker.core.brake import asks, words
from worker.core.retention import BrakeRule

limits = st.builds(
    BrakeRule.model_construct,
    share=st.floats(0.001, 1),
    times_usual=st.integers(2, 10),
    people=st.integers(0, 500),
)
counts = st.integers(0, 100_000)
usual = st.none() | st.floats(0, 50_000)


@given(would=counts, of=counts, usual=usual, rule=limits)
def test_it_never_asks_for_few(would: int, of: int, usual: float | None, rule: BrakeRule) -> None:
    """Whatever it asks about are more people than the floor, and more than the limit it names."""
    brake = asks(would, of, usual, rule)
    if would <= rule.people:
        assert brake is None
    if brake is not None:
        assert would > brake["limit"] >= rule.people


@given(would=counts, of=counts, usual=usual, rule=limits)
def test_it_asks_above_either_limit(
    would: int, of: int, usual: float | None, rule: BrakeRule
) -> None:
    """More than the floor and more than the share, or than so many times the usual."""
    above_share = would > rule.people and would > rule.share * of
    above_usual = usual is not None and would > rule.people and would > rule.times_usual * usual
    assert (asks(would, of, usual, rule) is not None) is (above_share or above_usual)


@given(would=counts, more=counts, of=counts, usual=usual, rule=limits)
def test_more_never_asks_less(
    would: int, more: int, of: int, usual: float | None, rule: BrakeRule
) -> None:
    """Where it asks for some it asks for more of them; a bigger store never makes it ask."""
    if asks(would, of, usual, rule) is not None:
        assert asks(would + more, of, usual, rule) is not None
    else:
        assert asks(would, of + more, usual, rule) is None


@given(would=counts, of=st.integers(1, 100_000), rule=limits)
def test_what_it_says_holds_its_numbers(would: int, of: int, rule: BrakeRule) -> None:
    """An operator reads how many, of how many, and above how many it asks."""
    brake = asks(would, of, None, rule)
    if brake is not None:
        said = words(brake)
        assert all(f"{n:,}" in said for n in (would, of, brake["limit"]))


def test_the_defaults() -> None:
    """Five in a hundred of 10,000, three times a usual 200, and a floor of a hundred."""
    rule = BrakeRule()
    assert asks(500, 10_000, None, rule) is None
    brake = asks(501, 10_000, None, rule)
    assert brake is not None
    assert (brake["limit"], brake["because"]) == (500, "share")
    usual = asks(301, 10_000, 100.0, rule)
    assert usual is not None
    assert (usual["limit"], usual["because"]) == (300, "usual")
    assert asks(100, 100, 1.0, rule) is None
