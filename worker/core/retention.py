"""When sweeps run, how gently, and when they stop and ask: what a policy file says of it.

All of it is optional. Nothing here decides what is erased: that is what the grounds do.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final

from cronsim import CronSim, CronSimError
from pydantic import AfterValidator, BeforeValidator, Field, StrictInt, StrictStr

from worker.core.grounds import Declared, Name, flaw

MINUTES_OF_A_DAY: Final = 24 * 60
_HOURS: Final = re.compile(
    r"([01]\d|2[0-3]):([0-5]\d)-(?:([01]\d|2[0-3]):([0-5]\d)|24:00)", re.ASCII
)
_SHARE: Final = re.compile(r"(\d{1,3}(?:\.\d{1,4})?) ?%", re.ASCII)


@dataclass(frozen=True, slots=True)
class Hours:
    """A part of every day, in minutes after midnight by the local clock; the end is not in it.

    With an end before its begin it passes midnight.
    """

    begin: int
    end: int

    def __contains__(self, minute: int) -> bool:
        """Tell whether a minute of the day, 0 to 1439, lies in it."""
        if self.begin < self.end:
            return self.begin <= minute < self.end
        return minute >= self.begin or minute < self.end

    def __str__(self) -> str:
        """Write it as the policy does: ``22:00-06:00``."""
        return "-".join(f"{at // 60:02}:{at % 60:02}" for at in (self.begin, self.end))


def works(minute: int, quiet: tuple[Hours, ...], hours: tuple[Hours, ...]) -> bool:
    """Tell whether a sweep may work in a minute of the day; without ``hours`` in all not quiet."""
    if any(minute in closed for closed in quiet):
        return False
    return not hours or any(minute in opened for opened in hours)


def _hours(written: object) -> object:
    if isinstance(written, Hours):
        return written
    if not isinstance(written, str) or not (found := _HOURS.fullmatch(written)):
        raise flaw(f"'{written}' are no hours of a day; write for example \"22:00-06:00\"")
    begin = int(found[1]) * 60 + int(found[2])
    end = MINUTES_OF_A_DAY if found[3] is None else int(found[3]) * 60 + int(found[4])
    if begin == end:
        raise flaw(f"'{written}' begins when it ends; for the whole day write \"00:00-24:00\"")
    return Hours(begin, end)


PartOfDay = Annotated[Hours, BeforeValidator(_hours)]


def _cron(written: str) -> str:
    """Accept what :mod:`cronsim` reads as Debian's cron does, without its seconds."""
    how = (
        "; write minute, hour, day of the month, month and day of the week, "
        'such as "30 2 * * *" for half past two every night'
    )
    if len(written.split()) != 5:
        raise flaw(f"'{written}' is no cron expression of five fields{how}")
    try:
        next(CronSim(written, datetime(2000, 1, 1)))
    except CronSimError as error:
        wrong = str(error).removeprefix("Bad ")
        raise flaw(f"'{written}' is no cron expression: its {wrong} is wrong{how}") from None
    except StopIteration:
        raise flaw(f"'{written}' names a day that never comes{how}") from None
    return written


def _named_once(stores: tuple[str, ...]) -> tuple[str, ...]:
    if not stores:
        raise flaw("name a store, or leave stores: out, which means all of them")
    for store in stores:
        if stores.count(store) > 1:
            raise flaw(f"'{store}' stands twice: a run sweeps each store once; take one out")
    return stores


class ScheduleRule(Declared):
    """When the stores are swept: one after the other, in this order."""

    cron: Annotated[StrictStr, AfterValidator(_cron)]
    time_zone: StrictStr | None = None
    """IANA name; the policy's zone by default."""
    stores: Annotated[tuple[str, ...], AfterValidator(_named_once)] = ()
    """Empty: all, in the policy's order."""


def _share(written: object) -> object:
    if isinstance(written, float):
        return written
    found = _SHARE.fullmatch(written) if isinstance(written, str) else None
    if found is None or not 0 < float(found[1]) <= 100:
        raise flaw(f"'{written}' is no share of people; write above 0% to 100%, such as \"5%\"")
    return float(found[1]) / 100


class BrakeRule(Declared):
    """When a sweep, or a day's events, would erase so much that somebody must look first."""

    share: Annotated[float, BeforeValidator(_share)] = 0.05
    """Of a store's people: above 0, at most 1."""
    times_usual: Annotated[StrictInt, Field(ge=2)] = 3
    people: Annotated[StrictInt, Field(ge=0)] = 100
    """It never asks for fewer."""


class RetentionRule(Declared):
    """What a policy says of its sweeps as a whole."""

    schedules: Mapping[Name, ScheduleRule] = Field(default_factory=dict)
    quiet_hours: tuple[PartOfDay, ...] = ()
    """When no sweep works, by the clock of the policy's time zone."""
    brake: BrakeRule = BrakeRule()


class SweepRule(Declared):
    """How gently a store is swept."""

    rows_per_second: Annotated[StrictInt, Field(ge=1)] | None = None
    hours: tuple[PartOfDay, ...] = ()
    """When its sweeps may work, by the clock of the policy's time zone; always by default."""
