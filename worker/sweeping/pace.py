"""How large the next chunk is and how long to rest before it: a sweep must not be felt.

No statement should take longer than a tenth of a second (it holds locks as long as it takes, and
PostgreSQL's vacuum cannot clear what it may still see). Chunks are small transactions of their own,
so that autovacuum, which a sweep leaves as it is, can clear the dead rows behind it meanwhile.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from connectors.sweeping import Pressure, Walk

TARGET: Final = 0.05
"""Seconds that a statement is to take; half of what it may."""
BESIDE_OTHERS: Final = 0.015
"""Seconds that it is to take where others are about: what they ask meanwhile is felt less."""
_KEYED: Final = (Walk.KEYS, Walk.PARENT_KEYS)
_PAGED: Final = (Walk.PAGES, Walk.PARENTS)
_SMALLEST: Final = dict.fromkeys(_PAGED, 1) | dict.fromkeys(_KEYED, 20)
_FIRST: Final = dict.fromkeys(_PAGED, 64) | dict.fromkeys(_KEYED, 1_000)
_LARGEST: Final = dict.fromkeys(_PAGED, 4_096) | dict.fromkeys(_KEYED, 50_000)
LAG_SECONDS: Final = 5.0
"""How far a replica may be behind before the sweep waits for it."""
_LONGEST_REST: Final = 5.0
NO_PRESSURE: Final = Pressure(0, 0, None)


@dataclass(slots=True)
class Pace:
    """The pace of one sweep in its store. ``rows_per_second``: the store's declared limit."""

    rows_per_second: int | None
    size: int = 0
    pressure: Pressure = NO_PRESSURE
    _by: Walk | None = None

    @property
    def unhindered(self) -> bool:
        """Whether nothing asks for a rest, neither others in the store nor its limit."""
        return self.rows_per_second is None and self.rest(1.0, 0) == 0.0

    def next_size(self, by: Walk) -> int:
        """Pages or rows that the next chunk is to cover."""
        if self._by is not by:
            # Under a limit it begins as small as can be: one large chunk would be far above it.
            self._by, self.size = by, (_SMALLEST if self.rows_per_second else _FIRST)[by]
        return self.size

    def took(self, by: Walk, slowest: float, rows: int) -> None:
        """Learn how many seconds a chunk's slowest statement took, and how many rows it erased.

        A chunk is no larger than the store's limit allows in the longest rest: who rests longer
        loses the lease meanwhile.
        """
        if by is Walk.PARTITION:
            return
        beside_others = self.pressure.busy or self.pressure.about
        target = BESIDE_OTHERS if beside_others else TARGET
        factor = min(2.0, max(0.25, target / max(slowest, 0.001)))
        if 1.0 < factor < 2.0:
            factor **= 0.5  # A quick one may have been luck.
        if self.rows_per_second and rows:
            factor = min(factor, self.rows_per_second * _LONGEST_REST / rows)
        self.size = min(_LARGEST[by], max(_SMALLEST[by], round(self.size * factor)))

    def rest(self, seconds: float, rows: int) -> float:
        """Seconds to rest after a chunk that took so long and erased so many rows.

        As long as the chunk for each client that is about in the store; longer while one waits for
        a lock or a replica is behind; and as long as the store's own limit asks.
        """
        others = max(self.pressure.busy, self.pressure.about)
        share = min(seconds * min(others, 4), _LONGEST_REST)
        if self.pressure.waiting:
            share = min(max(4 * seconds, 0.2), _LONGEST_REST)
        if (self.pressure.lag or 0.0) > LAG_SECONDS:
            share = _LONGEST_REST
        limit = rows / self.rows_per_second - seconds if self.rows_per_second else 0.0
        return max(share, limit, 0.0)
