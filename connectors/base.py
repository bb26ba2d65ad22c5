"""The connector protocol: what a connector is given, what it must answer, what it may raise.

A connector serves one store. It is given root keys and a shape, never a decision to take: which
consents live is settled before (the shape), which anchors are over is a bind (the cut-offs), and
the rows' own dates are compared in the store, in the statement that erases.

Every method may raise the three faults of :mod:`connectors.faults` and nothing else. Every method
may be called again with the same arguments without harm.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from connectors.falling_due import Counted, DueInOne, FallingDue, Past, Whose
from connectors.mapping import Cutoffs, Key, Shape, StoreMapping
from connectors.seen import SeenColumn

if TYPE_CHECKING:
    from connectors.sweeping import Sweeping


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a connector can do. The worker asks for nothing else."""

    erase: bool
    anonymise: bool
    restrict: bool
    verify: bool
    batch_size: int
    """Keys at the most in one :class:`Work`."""


@dataclass(frozen=True, slots=True)
class Lookup:
    """One case's question: whose rows carry any of these identifiers?

    ``ref`` is the asker's own number for the case; ``identifiers`` are (kind, normalised value).
    """

    ref: int
    identifiers: tuple[tuple[str, str], ...]

    def __repr__(self) -> str:
        """Mask the identifiers: they are personal data."""
        return f"Lookup(ref={self.ref}, identifiers=<{len(self.identifiers)} masked>)"


@dataclass(frozen=True, slots=True)
class Match:
    """A root row found for a lookup, with the strong identifiers it carries."""

    ref: int
    key: Key
    identifiers: tuple[tuple[str, str], ...]

    def __repr__(self) -> str:
        """Mask key and identifiers: they are personal data."""
        return f"Match(ref={self.ref}, key=<masked>, identifiers=<{len(self.identifiers)} masked>)"


@dataclass(frozen=True, slots=True)
class Work:
    """The keys of tasks of one shape, and today's cut-offs."""

    shape: Shape
    cutoffs: Cutoffs
    keys: Sequence[Key]

    def __repr__(self) -> str:
        """Mask the keys: they are personal data."""
        return f"Work(shape={self.shape}, keys=<{len(self.keys)} masked>)"


@dataclass(frozen=True, slots=True)
class Done:
    """Rows of one field group that a call deleted or overwrote for one key."""

    deleted: int = 0
    overwritten: int = 0


@dataclass(frozen=True, slots=True)
class Kept:
    """One ground that keeps rows of a group: how many, their anchors, how many without one.

    ``latest`` is the newest anchor among the rows it keeps, ``earliest`` the oldest of which the
    period is not over; None when none of them has one (or the ground has none). ``nulls`` counts
    the rows whose anchor is null.
    """

    ground: str
    rows: int
    latest: date | None
    nulls: int
    earliest: date | None = None


@dataclass(frozen=True, slots=True)
class Remainder:
    """What a re-read found of one group for one key.

    ``left`` counts rows that should be gone or overwritten and are not: more than none means that
    the store did not do what it was told, and the task has failed (rule 3).
    """

    left: int
    kept: tuple[Kept, ...]


Effects = Mapping[Key, Mapping[str, Done]]
"""Per key and field group; what is not mentioned had no row to touch."""

Remainders = Mapping[Key, Mapping[str, Remainder]]
"""Per key and field group; what is not mentioned has no row in the store."""


@dataclass(frozen=True, slots=True)
class Fact:
    """What a row says about one ground of one field group.

    ``date`` is the anchor that counts, None when there is none; ``unknown`` says that a date is
    missing that would decide; ``stands`` is False where the store records that a consent does not.
    """

    group: str
    ground: str
    date: date | None
    unknown: bool
    stands: bool


@dataclass(frozen=True, slots=True)
class RowFacts:
    """What decides about one row: nothing of what it says about the person."""

    table: str
    root: Key
    facts: tuple[Fact, ...]

    def __repr__(self) -> str:
        """Mask the person's key."""
        return f"RowFacts(table={self.table!r}, root=<masked>, facts={self.facts!r})"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing there is to say about a store.

    ``level`` is ``error`` (the worker must not run on it), ``hole`` (the policy leaves something
    open there: ``erasure policy check --live`` refuses it) or ``warning``.
    """

    level: str
    what: str
    todo: str
    """What to do, or to write into the policy."""
    why: str = ""
    """Why it matters, where that does not go without saying."""
    at: tuple[str, ...] = ()
    """The way to what it is about, within the store's part of the policy."""
    unknown: SeenColumn | None = None
    """The column of the store that the policy does not know."""


Timed = Callable[[str, str, float], None]
"""Hears of a statement: ``people`` or ``sweeps``, ``read`` or ``write``, seconds."""


@dataclass(frozen=True, slots=True)
class PoolUse:
    """Connections of one pool: in use now, and at the most."""

    used: int
    size: int


@runtime_checkable
class Connector(Protocol):
    """One store, as the worker sees it."""

    @property
    def mapping(self) -> StoreMapping:
        """The store's tables and groups, as the policy declares them."""
        ...

    @property
    def capabilities(self) -> Capabilities:
        """What this connector can do."""
        ...

    @property
    def sweeping(self) -> Sweeping:
        """What a sweep asks of the store."""
        ...

    async def check(self) -> Sequence[Finding]:
        """Compare the running store with the mapping; an empty answer means all is well."""
        ...

    async def count(self) -> Sequence[Finding]:
        """Find rows that no table means, or more than one, or that lead to nobody.

        Reads every row of the tables in question. Warns as well of the tables of which no
        partition could ever be dropped, though the policy lets it.
        """
        ...

    async def resolve(self, lookups: Sequence[Lookup]) -> Sequence[Match]:
        """Find the root rows of a batch of cases, with one look-up for the whole batch."""
        ...

    async def erase(self, work: Work) -> Effects:
        """Delete or overwrite, in one transaction, what no living ground keeps.

        All or nothing: when it raises, nothing was changed (but see ``RetryLater.in_doubt``).
        """
        ...

    async def verify(self, work: Work) -> Remainders:
        """Read again, in a transaction of its own, what is there for these keys."""
        ...

    async def restrict(self, keys: Sequence[Key], *, lifted: bool) -> Effects:
        """Say in the store that processing is restricted for these keys, or no longer is.

        In one transaction, all or nothing. Effects are by table and count the rows changed; a
        table that declares no restriction is left alone.
        """
        ...

    async def restricted(self, keys: Sequence[Key], *, lifted: bool) -> Remainders:
        """Read again, in a transaction of its own, which rows do not say so, by table."""
        ...

    async def facts(self, key: Key, table: str | None = None) -> Sequence[RowFacts]:
        """Read what decides about one row of a table, by the row's own key.

        Without a table: about every row of the person whose root key it is.
        """
        ...

    async def identifiers(self, keys: Sequence[Key]) -> Mapping[Key, Sequence[tuple[str, str]]]:
        """Read the identifiers, kind and value, that the root rows of these keys carry.

        Values are as the store has them. A key without a row is not mentioned.
        """
        ...

    async def forecast(self, table: str, cutoffs: Sequence[Cutoffs]) -> Sequence[FallingDue]:
        """Count when the rows of a table fall due: the cut-offs of some days, in their order.

        Every consent counts as given, unless the row itself says otherwise. What a field group
        holds nothing of is not counted. No row leaves the store.
        """
        ...

    async def past(
        self,
        tables: Sequence[str],
        cutoffs: Cutoffs,
        without: Sequence[Key] = (),
        counted: Counted = lambda _table: None,
        *,
        whose: Whose = Whose.EACH,
    ) -> Past:
        """Count what these tables have past its last ground: what a forecast calls due now.

        People in ``without`` are left out. ``counted`` is told each table when it is done.
        ``whose`` says what is asked about people; who is not asked about counts as nobody. Nothing
        is locked, and no row leaves the store.
        """
        ...

    async def people(self) -> int:
        """Count the people of the store: the rows that its root table means."""
        ...

    async def compare(
        self, table: str, pairs: Sequence[tuple[str, str]], cutoffs: Cutoffs
    ) -> Sequence[DueInOne]:
        """Count, for pairs of a table's field groups, the rows that are due by just one of them.

        Consents count as in a forecast; pairs without such a row are left out. Raises ``Misfit``
        for rows that belong to several people: these go when their links go, of which no pair
        tells.
        """
        ...

    def watch(self, told: Timed) -> None:
        """Tell from now on how long each statement takes. To be called once, before any work."""
        ...

    def pools(self) -> Mapping[str, PoolUse]:
        """Tell how many connections are in use: for ``people``, and for ``sweeps``."""
        ...

    async def close(self) -> None:
        """Give back every connection."""
        ...
