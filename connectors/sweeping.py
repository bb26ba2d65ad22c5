"""What a store must be able to do for a sweep: erase what is past its last ground, part by part.

A sweep decides nothing about a single person. It is given cut-offs, and every consent counts as
given unless the row itself says otherwise; people for whom more is known (a withdrawal, a hold) are
found here, and then left out or erased by their key.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, Protocol

from connectors.base import Effects
from connectors.mapping import Cutoffs, Key


class Walk(StrEnum):
    """In which order the parts of a table follow each other."""

    PAGES = "pages"
    """As they lie on disk: fast, and rows that are changed may move past it."""
    PARENTS = "parents"
    """By the pages of the table that it hangs on, whose dates decide: rows of which a parent is
    not past are not even read."""
    KEYS = "keys"
    """By the table's own key, which does not change."""
    PARENT_KEYS = "parent-keys"
    """By the key of the table that it hangs on, as by its pages where the store has none."""
    PARTITION = "partition"
    """Not walked: one partition as a whole, named by the part's end (schema and relation)."""


CHILDREN: Final = {Walk.PAGES: Walk.PARENTS, Walk.KEYS: Walk.PARENT_KEYS}
"""By what the rows are walked that hang on those of a table which is walked so."""


@dataclass(frozen=True, slots=True)
class Span:
    """A part of a table: from one position on, up to before another; None is the table's end."""

    table: str
    by: Walk
    after: Key | None
    upto: Key | None
    along: tuple[str, ...] = ()
    """Tables whose rows go before the rows of this part that they hang on."""

    @property
    def tables(self) -> tuple[str, ...]:
        """The tables of which this is a part, in the order in which their rows go."""
        return (*self.along, self.table)

    @property
    def each(self) -> tuple[Span, ...]:
        """The parts of one table that this is made of, in that order."""
        by = CHILDREN[self.by] if self.along else self.by
        children = (Span(name, by, self.after, self.upto) for name in self.along)
        return (*children, replace(self, along=()))

    def __repr__(self) -> str:
        """Mask the positions: a key may be personal data."""
        return f"Span(table={self.table!r}, by={self.by.value!r})"


@dataclass(frozen=True, slots=True)
class Pressure:
    """What a store has to bear beside the sweep: others' statements, those that wait for a lock.

    ``about``: other clients who did something within a second, or of whom that cannot be seen;
    they may come again at any moment. ``lag`` is how far the slowest replica is behind, in
    seconds; None: none is seen.
    """

    busy: int
    waiting: int
    lag: float | None
    about: int = 0


May = Callable[[Effects, float], Awaitable[bool]]
"""Asked whether this may be done, when it is done but not committed; it must not raise.

The number is how many seconds the slowest of the statements took.
"""


class Sweeping(Protocol):
    """The part of a connector that sweeps. Every method may be repeated without harm.

    ``without`` are people who are left out. Raises what a connector may.
    """

    async def patient(self) -> bool:
        """Whether a transaction can stay open while somebody is asked about it.

        So it can where one part is read while another is erased, and where the store itself ends
        the transaction of a client that has fallen asleep in it.
        """
        ...

    async def walk(self, table: str) -> Walk:
        """How a table is best walked; never by partitions."""
        ...

    async def span(
        self, table: str, by: Walk, after: Key | None, size: int, cutoffs: Cutoffs
    ) -> Span:
        """The next part of a table, of about ``size`` pages or rows; the last has no end.

        Where it can, it ends so that what is erased by these cut-offs in it and in the next part
        is in nobody's way.
        """
        ...

    async def due(self, span: Span, cutoffs: Cutoffs) -> Sequence[Key]:
        """The people who have something past its last ground in a part, each once."""
        ...

    async def doubtful(self, span: Span, cutoffs: Cutoffs) -> Sequence[Key]:
        """The people of whom only what they say themselves decides: a consent, an objection.

        Where the store copies what goes, everybody of whom anything goes is among them.
        """
        ...

    async def sweep(
        self, span: Span, cutoffs: Cutoffs, without: Sequence[Key], may: May | None = None
    ) -> Effects:
        """Erase, in one transaction, what is past its last ground in a part.

        ``may`` is asked before the commit; without its word all is rolled back and was nothing.
        """
        ...

    async def left(self, span: Span, cutoffs: Cutoffs, without: Sequence[Key]) -> int:
        """Read the part again: rows that should be gone or overwritten and are not."""
        ...

    async def partitions(self, table: str) -> Sequence[Span]:
        """The partitions of a table that may be dropped if all of them is past; mostly none."""
        ...

    async def whole(self, span: Span, cutoffs: Cutoffs) -> bool:
        """Whether a partition holds rows, each of them somebody's and past its last ground."""
        ...

    async def drop(self, span: Span, cutoffs: Cutoffs, people: Collection[Key]) -> Effects:
        """Drop a partition in one transaction that counts again, and takes the counts, before.

        Raises ``Refused`` when anything else stands in it than what is past of these ``people``,
        or anything depends on it; ``RetryLater`` when somebody is at work in it.
        """
        ...

    @property
    def knows_its_own(self) -> bool:
        """Whether :meth:`pressure` leaves out what this worker itself does in the store."""
        ...

    async def pressure(self) -> Pressure:
        """What the store has to bear just now."""
        ...
