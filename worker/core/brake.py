"""The mass-erasure brake: when so much would be erased that somebody must look first (rule 10).

It asks for a sweep as for a day's events, by the same numbers of the policy's ``retention.brake``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
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


@dataclass(frozen=True, slots=True)
class Brake:
    """Why somebody must look: how many people would lose data, of how many, what is usual.

    ``limit`` is the number that was passed, ``because`` is ``share`` or ``usual``. ``usual`` is
    None where nothing has been erased before.
    """

    would: int
    of: int
    usual: float | None
    limit: int
    because: str

    @property
    def plain(self) -> Mapping[str, Any]:
        """For the ledger: words and counts."""
        return {"brake": asdict(self)}


def asks(would: int, of: int, usual: float | None, limits: Limits) -> Brake | None:
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
    return Brake(would, of, usual, found[because], because)


def words(brake: Mapping[str, Any]) -> str:
    """Tell in words what :attr:`Brake.plain` holds under ``brake``."""
    would, of, limit = brake["would"], brake["of"], brake["limit"]
    share = f" ({would / of:.1%})" if of else ""
    told = f"would erase data of {would:,} of {of:,} people{share}; it asks above {limit:,}"
    if brake["usual"] is None:
        return f"{told}, and nothing like it was done before"
    return f"{told}, and {brake['usual']:,.0f} are usual"
