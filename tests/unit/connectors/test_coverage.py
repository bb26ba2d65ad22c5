"""Whether filters over one relation mean every row, known without a row."""

from __future__ import annotations

from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.mapping import Filter
from connectors.sql.coverage import cover

VALUES = (None, 1, 2, 3, "x")
filters = st.lists(
    st.lists(
        st.builds(
            Filter,
            st.sampled_from(["a", "b"]),
            st.lists(st.sampled_from(VALUES[:3]), min_size=1, max_size=2).map(tuple),
            st.booleans(),
        ),
        max_size=2,
    ),
    min_size=1,
    max_size=4,
)


@settings(deadline=None)
@given(filters)
def test_it_agrees_with_every_row(conditions: list[list[Filter]]) -> None:
    """Filters cover all rows just when each row of two columns passes one, the unnamed included."""
    rows = [dict(zip("ab", row, strict=True)) for row in product(VALUES, repeat=2)]
    expected = all(
        any(
            all((row[one.column] in one.values) is not one.negated for one in every)
            for every in conditions
        )
        for row in rows
    )
    assert cover(conditions) is expected


def test_the_usual_pairs() -> None:
    """No filter covers all; a filter and its opposite do; two values do not."""
    assert cover([()])
    assert cover([(Filter("kind", ("x", None)),), (Filter("kind", ("x", None), negated=True),)])
    assert not cover([(Filter("kind", ("x",)),), (Filter("kind", ("y",)),)])


def test_too_much_to_know() -> None:
    """What would take too long to work out counts as not covered."""
    many = [(Filter(f"c{n}", tuple(range(9))), Filter(f"d{n}", (1,))) for n in range(9)]
    assert not cover([*many, *[(one[0],) for one in many]])
