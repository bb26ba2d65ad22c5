"""Whether a sweep has come to its end: what is left past its ground, and of whom it must be.

The count of rows takes every consent for given. Of people whom the store would not let go more is
known, so they are looked at once more, each by what still lives for them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from connectors.mapping import Cutoffs, Key, Shape
from worker.context import Context
from worker.core.outcomes import NOT_GONE
from worker.sweeping.left import count_left
from worker.sweeping.people import AMBIGUOUS, HELD, RESTRICTED, shapes
from worker.sweeping.work import Chunk

STAYS: Final = frozenset({HELD, RESTRICTED, AMBIGUOUS})
"""Reasons to leave somebody out with which a sweep is done all the same."""


@dataclass(frozen=True, slots=True)
class Left:
    """What a count found. ``others``: rows that nobody who was set apart explains."""

    rows: int
    others: int
    of: int
    """People of the store."""
    left_out: Mapping[str, int]
    """People who must be left alone, by why."""
    apart: Mapping[str, int]
    """People of whom something is left that should have gone, by why."""

    @property
    def reason(self) -> Mapping[str, Any] | None:
        """Why the sweep cannot be done; None when nothing is left."""
        if not self.rows and not self.apart:
            return None
        kept = {"left_out": self.left_out} if self.left_out else {}
        return {"why": NOT_GONE, "rows": self.rows, "apart": self.apart, **kept}

    def proof(self, now: datetime) -> Mapping[str, Any] | None:
        """What proves that the sweep is done; None when it is not."""
        if self.reason is not None:
            return None
        return {"rows": 0, "of": self.of, "left_out": self.left_out, "counted_at": now}


async def look(
    context: Context,
    work: Chunk,
    store: str,
    tables: Sequence[str],
    cutoffs: Cutoffs,
    left_out: Mapping[Key, str],
) -> Left:
    """Count what is left in some tables of a store; ``left_out`` are people and why.

    Raises what a connector may, and LedgerAway.
    """
    connector = context.connectors[store]
    stays = [key for key, why in left_out.items() if why in STAYS]
    apart = [key for key, why in left_out.items() if why not in STAYS]
    rows, of = await count_left(connector, tables, cutoffs, stays)
    others = rows
    if rows and apart:
        others, _ = await count_left(connector, tables, cutoffs, list(left_out))
    kept = await _kept(context, work, store, tables, apart) if apart else set()
    return Left(
        rows,
        others,
        of,
        Counter(left_out[key] for key in stays),
        Counter(left_out[key] for key in apart if key in kept),
    )


async def _kept(
    context: Context, work: Chunk, store: str, tables: Sequence[str], people: Sequence[Key]
) -> set[Key]:
    """Those of some people who still have something that should have gone."""
    by_shape, _ = await shapes(context, store, people)
    known = {key for keys in by_shape.values() for key in keys}
    rest = [key for key in people if key not in known]
    every: dict[Shape, Sequence[Key]] = {**by_shape, work.whole: rest}
    return await work.unfinished(every, tables)
