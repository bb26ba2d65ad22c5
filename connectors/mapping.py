"""What a connector must know of a store: tables, links, field groups and their grounds.

The policy (``worker.core.policy``) compiles into these values; a connector turns them into
statements. Nothing here knows a database driver.

Terms (see also DESIGN): a *field group* is the fields of one table that share their grounds: the
unit of decision and of outcome. The *root* table of a store is the one whose key names a person
there; every other table hangs below it through ``parent``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

Key = tuple[int | str, ...]
"""The root table's key of one person, one value a key column, in the declared order."""

Shape = tuple[str, ...]
"""Sorted names of the revocable grounds that still live for a task. Same shape, same statement."""

Cutoffs = Mapping[str, date]
"""For each ground with an anchor: the latest anchor date whose period is over today."""


class NullAnchor(StrEnum):
    """What a null anchor means; the policy says it, nobody guesses."""

    RUNNING = "running"
    """The period has not begun (a contract without an end): the ground lives."""
    UNKNOWN = "unknown"
    """The date is missing: retained with the reason ``unknown-anchor``, shown to the operator."""


@dataclass(frozen=True, slots=True)
class ParentLink:
    """How the rows of two tables belong together: pairs of (own column, the other's column).

    A table names its parent so; ``ignore_case`` is for a link by value, such as an e-mail address
    in a log, where no foreign key exists.
    """

    table: str
    columns: tuple[tuple[str, str], ...]
    ignore_case: bool = False


class Pick(StrEnum):
    """Which date counts where several linked rows have one."""

    NEWEST = "newest"
    OLDEST = "oldest"


@dataclass(frozen=True, slots=True)
class Anchor:
    """A date column from which a ground's period runs, in the row, its parent's or a linked row.

    With ``link``, the column is in the linked table, and ``pick`` says which of several rows
    counts. Where no linked row exists there is nothing to wait for: the anchor is over.
    """

    column: str
    of_parent: bool
    null: NullAnchor
    link: ParentLink | None = None
    pick: Pick = Pick.NEWEST


@dataclass(frozen=True, slots=True)
class Filter:
    """A condition on one column of a row: its value is one of ``values``, or none of them.

    None among the values is SQL's NULL.
    """

    column: str
    values: tuple[str | int | bool | None, ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Evidence:
    """Where a row itself says that a consent stands: in it, or in its parent."""

    filter: Filter
    of_parent: bool = False


@dataclass(frozen=True, slots=True)
class Restriction:
    """How a table expresses that processing is restricted (GDPR art. 18): a column's value."""

    column: str
    value: str | int | bool
    lifted: str | int | bool | None


@dataclass(frozen=True, slots=True)
class GroundUse:
    """One ground as a field group uses it.

    It lives for a row when it is not revoked (``revocable`` and absent from the shape) and its
    anchor is later than the ground's cut-off (or it has no anchor).
    """

    ground: str
    revocable: bool
    anchor: Anchor | None
    others: tuple[Anchor, ...] = ()
    """Further anchors; the later of all counts, or with ``earliest`` the earlier."""
    earliest: bool = False
    evidence: Evidence | None = None
    """A consent that the store records itself: it lives only in rows that say so."""


@dataclass(frozen=True, slots=True)
class Field:
    """A column with personal data, and what stands there when its row must stay."""

    column: str
    category: str
    overwrite: str | int | bool | None
    """``None`` empties the field (outcome ``erased``); a value replaces it (``anonymised``).
    ``{key}`` in a text stands for the row's own key, where a column must be unique."""
    path: str | None = None
    """The way to the field inside a JSON column: ``address.street``, ``orders[].email``,
    ``**.email`` (at any depth)."""


@dataclass(frozen=True, slots=True)
class FieldGroup:
    """Fields of one table that share their grounds. ``name`` is unique within the store."""

    name: str
    fields: tuple[Field, ...]
    grounds: tuple[GroundUse, ...]
    irreversible: bool = False
    """Its rows are kept, and the policy says why they lead back to nobody once it is dead."""

    @property
    def anonymises(self) -> bool:
        """Whether what is left after overwriting is a declared value, or a row for statistics."""
        return self.irreversible or any(field.overwrite is not None for field in self.fields)


@dataclass(frozen=True, slots=True)
class IdentifierColumn:
    """A root column that holds an identifier of the declared kind."""

    kind: str
    column: str
    ignore_case: bool
    strong: bool
    """Only a strong identifier found in a row may lead on to another store (rule 2)."""


@dataclass(frozen=True, slots=True)
class Table:
    """One table of a store.

    ``name`` is the policy's word for it, ``relation`` its name in the database. With ``row_stays``
    the row is never deleted, its fields are overwritten only. ``rows_per_person`` of the root says
    whether two rows for one identifier are two people (``"one"``: the case is parked) or two rows
    of the same person (``"many"``).
    """

    name: str
    relation: str
    schema: str | None
    key: tuple[str, ...]
    parent: ParentLink | None
    groups: tuple[FieldGroup, ...]
    identifiers: tuple[IdentifierColumn, ...] = ()
    row_stays: bool = False
    rows_per_person: str = "one"
    where: tuple[Filter, ...] = ()
    """Which rows of the relation this table means; several tables may share one relation."""
    references: tuple[ParentLink, ...] = ()
    """Tables declared before, which a row points at. A row that is pointed at stays as long as
    the one that points at it."""
    shared_by: ParentLink | None = None
    """Rows that belong to several people through a link table: a row goes with its last link."""
    detach: tuple[ParentLink, ...] = ()
    """Tables whose pointers at a row are emptied before the row is deleted."""
    after: bool = False
    """A history that the store fills when we erase: cleaned after the tables that feed it."""
    restriction: Restriction | None = None
    not_personal: tuple[str, ...] = ()
    """Columns of which somebody has said why they are nobody's data."""
    others_not_personal: bool = False
    """The same of the rows of the relation that no table's ``where`` means."""
    drop_partition: bool = False
    """Whether a partition with nothing but rows past their grounds may be dropped as one."""
    read_triggers: tuple[str, ...] = ()
    """Triggers of the store that somebody has read: they take nothing along that must stay."""


@dataclass(frozen=True, slots=True)
class StoreMapping:
    """A store's tables, the root first and every parent before its children."""

    store: str
    time_zone: str
    """IANA name: a time stamp used as an anchor counts as its date in this zone."""
    tables: tuple[Table, ...]

    @property
    def root(self) -> Table:
        """The table whose key names a person in this store."""
        return self.tables[0]

    def children(self, table: Table) -> tuple[Table, ...]:
        """The tables whose rows hang directly below ``table``."""
        return tuple(t for t in self.tables if t.parent and t.parent.table == table.name)

    @property
    def copies(self) -> bool:
        """Whether the store copies what we erase into a history that a person may end a ground of.

        What is found there afterwards leads to nobody whose word is on record.
        """
        return any(
            table.after and any(use.revocable for group in table.groups for use in group.grounds)
            for table in self.tables
        )

    def groups(self) -> tuple[FieldGroup, ...]:
        """Every field group of the store, parents' before children's."""
        return tuple(group for table in self.tables for group in table.groups)
