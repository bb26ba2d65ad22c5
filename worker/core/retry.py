"""How long to wait before trying again: capped exponential backoff with jitter."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Backoff:
    """Waits that double from ``base`` up to ``cap``, both in seconds."""

    base: float = 0.5
    cap: float = 60.0

    def delay(self, attempt: int, random: float) -> float:
        """Return the seconds to wait after the ``attempt``-th failure in a row (from 1).

        ``random``, from 0 up to 1, is drawn by the caller. The wait lies in the upper half of the
        step: never nothing, and workers that failed together do not come back together.
        """
        # Thirty doublings are beyond any cap; the float would overflow long after.
        step = min(self.cap, self.base * 2.0 ** min(max(attempt - 1, 0), 30))
        return step * (0.5 + 0.5 * random)
