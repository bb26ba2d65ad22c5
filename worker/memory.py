"""What the garbage collector is told of a process that stays."""

from __future__ import annotations

import gc


def leave_what_stays() -> None:
    """Keep the collector off what lives as long as the process (measured: a tenth of its time)."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)
