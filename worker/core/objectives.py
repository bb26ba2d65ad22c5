"""How soon the company wants each step of an erasure: the policy's ``objectives:``.

The law gives a month (:mod:`worker.core.deadline`); an objective is what "without undue delay"
(GDPR art. 17(1)) means here. Missing one erases nothing sooner or later: it is shown, and alarms.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated, Final

from pydantic import BeforeValidator

from worker.core.grounds import Declared, flaw

_WRITTEN: Final = re.compile(r"([1-9]\d{0,4}) ?(s|min|h|d)", re.ASCII)
_SECONDS: Final = {"s": 1, "min": 60, "h": 3600, "d": 86400}
_LONGEST: Final = 92 * 86400


class Clock(StrEnum):
    """The five clocks. Each runs from the event's own time."""

    ACCEPTED = "accepted"
    """Until the event's case is in the ledger."""
    STOPPED = "stopped"
    """Until everybody was told to stop collecting."""
    PLANNED = "planned"
    """Until every store knows what it has to do."""
    ERASED = "erased"
    """Until a store has erased and was re-read; each store has its own."""
    CLOSED = "closed"
    """Until every store has an outcome."""


def _seconds(written: object) -> object:
    if isinstance(written, int) and not isinstance(written, bool) and 0 < written <= _LONGEST:
        return written
    found = _WRITTEN.fullmatch(written) if isinstance(written, str) else None
    seconds = int(found[1]) * _SECONDS[found[2]] if found else 0
    if not 0 < seconds <= _LONGEST:
        raise flaw(
            f"'{written}' is no objective; write for example 30s, 10min, 6h or 7d, at most 92d"
        )
    return seconds


Seconds = Annotated[int, BeforeValidator(_seconds)]


class Objectives(Declared):
    """Seconds from the event, by clock."""

    accepted: Seconds = 60
    stopped: Seconds = 60
    planned: Seconds = 3600
    erased: Seconds = 86400
    closed: Seconds = 7 * 86400

    def of(self, clock: Clock) -> int:
        """The objective of a clock, in seconds."""
        return {
            Clock.ACCEPTED: self.accepted,
            Clock.STOPPED: self.stopped,
            Clock.PLANNED: self.planned,
            Clock.ERASED: self.erased,
            Clock.CLOSED: self.closed,
        }[clock]
