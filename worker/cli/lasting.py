"""How long something is or will be, for people."""

from __future__ import annotations

from math import inf
from typing import Final

from worker.core.wording import counted

_UNITS: Final = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


def lasting(seconds: float | None) -> str:
    """``3 d 4 h``, ``12 min``, ``8 s``: the two largest units. Nothing for None.

    What never ends is ``never``.
    """
    if seconds is None:
        return ""
    if seconds == inf:
        return "never"
    left = int(seconds)
    for at, (size, unit) in enumerate(_UNITS):
        if left >= size or size == 1:
            whole, rest = divmod(left, size)
            below = rest // _UNITS[at + 1][0] if at + 1 < len(_UNITS) else 0
            more = f" {below} {_UNITS[at + 1][1]}" if below else ""
            return f"{whole} {unit}{more}"
    return "0 s"


def working_days(left: int) -> str:
    """``3 working days left``; a negative number is how many ago the deadline was."""
    if left < 0:
        return f"{counted(-left, 'working day')} late"
    return f"{counted(left, 'working day')} left"
