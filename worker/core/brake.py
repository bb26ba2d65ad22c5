"""The mass-erasure brake: when so much would be erased that somebody must look first (rule 10).

It asks for a sweep as for a day's events, by the same numbers of the policy's ``retention.brake``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol


class Limits(Protocol):
    """What the policy declares: a share of a store's people, a multiple of the usual, a floor."""

    @property
    def share(self) -> float:
        """Of a store's people: above 0, at most 1."""
        ...

    @property
    def times_usual(self) -> int:
        """How many times the usual."""
        ...

    @property
    def people(self) -> int:
        """It never asks for so few."""
        ...


Asks = Mapping[str, Any]
"""Why somebody must look, for the ledger: words and counts.

How many people (``would``) of how many (``of``) would lose data, how many are ``usual`` (None where
nothing like it was done before), the ``limit`` that was passed and what it comes from
(``because``: ``share`` or ``usual``).
"""


def asks(would: int, of: int, usual: float | None, limits: Limits) -> Asks | None:
    """Decide whether erasing for ``would`` of the ``of`` people of a store must be asked for.

    It must when they are more than the declared share, or more than so many times the usual, and
    in either case more than the floor. Of both the lower limit is told.
    """
    found = {"share": max(limits.people, int(limits.share * of))}
    if usual is not None:
        found["usual"] = max(limits.people, int(limits.times_usual * usual))
    because = min(found, key=lambda name: found[name])
    if would <= found[because]:
        return None
    limit = found[because]
    return {"would": would, "of": of, "usual": usual, "limit": limit, "because": because}


def words(brake: Asks) -> str:
    """Tell an operator why it asks."""
    would, of, limit = brake["would"], brake["of"], brake["limit"]
    share = f" ({would / of:.1%})" if of else ""
    told = f"would erase data of {would:,} of {of:,} people{share}; it asks above {limit:,}"
    if brake["usual"] is None:
        return f"{told}, and nothing like it was done before"
    return f"{told}, and {brake['usual']:,.0f} are usual"
