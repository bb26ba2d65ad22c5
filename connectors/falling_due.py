"""What a store answers when it is asked how much falls due, and when. No row leaves it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class Undue(StrEnum):
    """Why a row falls due on none of the days that were asked about, the weakest reason first."""

    LATER = "later"
    """Its last ground is over on a later day."""
    UNKNOWN = "unknown-anchor"
    """A date is missing in the store, and nothing else keeps it without one."""
    REVOCABLE = "until-revoked"
    """A consent or an interest without a date: until the person says so."""
    NO_END = "no-end-yet"
    """A period has not begun (a running contract), or a ground has no end of its own."""


@dataclass(frozen=True, slots=True)
class FallingDue:
    """How many rows of a field group, of how many people, fall due at one time.

    ``when`` counts the days that were asked about, from 0: the first of them on which no ground
    lives. ``people`` is None for rows that belong to several people.
    """

    group: str
    when: int | Undue
    rows: int
    people: int | None


@dataclass(frozen=True, slots=True)
class DueInOne:
    """Rows that are due by one of two field groups and not by the other, and their people."""

    due: str
    not_due: str
    rows: int
    people: int


@dataclass(frozen=True, slots=True)
class PastGroup:
    """What one field group has past its last ground.

    ``rows`` hold something of it; ``people`` is None for rows that belong to several people, and
    where nobody asked whose they are. ``oldest`` is the oldest of the rows' dates, of which each
    row's newest counts; None: no ground of the group runs from a date that the rows have.
    """

    group: str
    rows: int
    people: int | None
    oldest: date | None


@dataclass(frozen=True, slots=True)
class Past:
    """What some tables of a store have past its last ground; groups without any are left out.

    ``people`` counts whoever would lose something, each once, of the ``of`` people of the store.
    """

    groups: tuple[PastGroup, ...]
    people: int
    of: int

    @property
    def rows(self) -> int:
        """Rows in all; one counts for each of its field groups."""
        return sum(group.rows for group in self.groups)


class Whose(StrEnum):
    """How much is asked about whose the rows are that are counted: most of the work."""

    EACH = "each"
    """The people of each field group, and of all of them together."""
    TOGETHER = "together"
    """The people of all field groups together."""
    NOBODY = "nobody"
    """Rows alone."""


Counted = Callable[[str], None]
"""Told the name of each table that has been counted."""
