"""What the garbage collector is told of what stays."""

from __future__ import annotations

import gc


def collect_seldom() -> None:
    """Let it look less often, from the start on: a program that is loaded stays.

    Measured: a tenth of the time that loading takes.
    """
    gc.set_threshold(10_000, 20, 20)


def leave_what_stays() -> None:
    """Keep it off what lives as long as the process (measured: a tenth of its time)."""
    gc.collect()
    gc.freeze()
    collect_seldom()
