"""Stores and tables as a policy file declares them: shapes and spelling, no cross-references."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Final, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Field,
    StrictBool,
    StrictInt,
    StrictStr,
    Tag,
    model_validator,
)

from worker.core.grounds import Declared, Guessable, flaw
from worker.core.retention import SweepRule

Category = Literal["name", "address", "email", "phone", "fax", "bank", "voluntary"]
ConnectorKind = Literal["crm", "newsletter", "billing", "sql"]


def _no_part(name: str) -> str:
    """Refuse the name of a part of the worker: consumer groups and ``--only`` go by these names."""
    if name == "intake":
        raise flaw("'intake' is a part of the worker itself; give the store another name")
    return name


StoreName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,39}$"), AfterValidator(_no_part)]
"""Part of a topic's name, hence the narrow alphabet."""
Column = Annotated[str, Field(min_length=1, max_length=128)]


def _says_why(reason: str) -> str:
    if not reason.strip():
        raise flaw("a reason is needed here: it is what an auditor reads; write why in words")
    return reason


Reason = Annotated[StrictStr, AfterValidator(_says_why)]
# "An HMAC is no anonymisation": recital 26 counts what can be led back as personal data.
_REVERSIBLE: Final = re.compile(
    r"(hash|hmac|pseudonym|encrypt|tokeni[sz]|\bmd5\b|\bsha[-_]?\d|\bbcrypt\b)", re.IGNORECASE
)


def _no_pseudonym(wish: object) -> object:
    """Refuse an action or overwrite that asks for a hash, a pseudonym or an encryption."""
    if isinstance(wish, str) and _REVERSIBLE.search(wish):
        raise flaw(
            f"'{wish}' is never anonymisation (GDPR art. 4(5), recital 26): what it leaves is "
            "still personal data; write action: erase, or action: anonymise with a fixed overwrite"
        )
    return wish


def _fixed_value(value: object) -> object:
    """Accept a text or a whole number, the two things that can stand in any row alike."""
    if value is None or (isinstance(value, (str, int)) and not isinstance(value, bool)):
        return _no_pseudonym(value)
    raise flaw("overwrite is a fixed text or a whole number")


def _as_rule(short: object) -> object:
    """Let ``email: column`` stand for ``email: {column: column}``."""
    return {"column": short} if isinstance(short, str) else short


class IdentifierRule(Guessable):
    """The root column that holds an identifier."""

    column: Column
    ignore_case: StrictBool = False


class DateRule(Guessable):
    """One date column, in the row, its parent or rows of a linked table; what an empty one means.

    ``newest`` or ``oldest`` names a column of the table ``in``, which is linked to this one: a
    child, a table that this one refers to, or one that refers to it.
    """

    column: Column | None = None
    newest: Column | None = None
    oldest: Column | None = None
    in_: str | None = Field(default=None, alias="in")
    null: Literal["running", "unknown"]
    of: Literal["row", "parent"] = "row"

    @model_validator(mode="after")
    def _stands(self) -> Self:
        if sum(name is not None for name in (self.column, self.newest, self.oldest)) != 1:
            raise flaw("an anchor is one of column:, newest: or oldest:")
        if (self.in_ is None) is not (self.column is not None):
            raise flaw("newest: and oldest: need in: <table>, and column: has none")
        if self.in_ is not None and self.of != "row":
            raise flaw("of: says where column: is; newest: and oldest: have in: instead")
        return self


class LaterRule(Declared):
    """Several dates, of which the later or the earlier counts."""

    later_of: tuple[DateRule, ...] = ()
    earlier_of: tuple[DateRule, ...] = ()

    @model_validator(mode="after")
    def _stands(self) -> Self:
        if bool(self.later_of) is bool(self.earlier_of):
            raise flaw("write later_of: [...] or earlier_of: [...], one of the two")
        return self


def _anchor_form(rule: object) -> str:
    several = ("later_of", "earlier_of")
    if isinstance(rule, Mapping):
        return "several" if any(name in rule for name in several) else "one"
    return "several" if isinstance(rule, LaterRule) else "one"


AnchorRule = Annotated[
    Annotated[DateRule, Tag("one")] | Annotated[LaterRule, Tag("several")],
    Discriminator(_anchor_form),
]


class LinkRule(Guessable):
    """Another table and how its rows belong to this one's: own column to the other's column."""

    table: str
    columns: Mapping[Column, Column] = Field(min_length=1)
    ignore_case: StrictBool = False


Scalar = StrictBool | StrictInt | StrictStr | None


class FilterRule(Declared):
    """Values that a column has, or with ``not`` has not; ``null`` is an empty column."""

    in_: tuple[Scalar, ...] = Field(default=(), alias="in")
    not_: tuple[Scalar, ...] = Field(default=(), alias="not")

    @model_validator(mode="after")
    def _stands(self) -> Self:
        if bool(self.in_) is bool(self.not_):
            raise flaw("write a value, a list of values, or {not: [values]}")
        return self


def _as_filter(short: object) -> object:
    """Let ``kind: email`` and ``kind: [email, null]`` stand for ``kind: {in: [...]}``."""
    if isinstance(short, (Mapping, FilterRule)):
        return short
    return {"in": short if isinstance(short, (list, tuple)) else [short]}


Condition = Annotated[FilterRule, BeforeValidator(_as_filter)]


class EvidenceRule(Declared):
    """The column in which a row says whether a consent stands, and the values that say yes."""

    column: Column
    value: Condition
    of: Literal["row", "parent"] = "row"


class RestrictRule(Declared):
    """The column that says that processing is restricted (GDPR art. 18), and its values."""

    column: Column
    value: StrictBool | StrictInt | StrictStr
    lifted: Scalar


class FieldRule(Guessable):
    """One column with personal data: what it is, why it is held, what happens to it after.

    The column is called as the field is, unless ``column`` says otherwise; ``path`` leads into a
    JSON column.
    """

    column: Column | None = None
    path: str | None = Field(default=None, min_length=1)
    category: Category
    grounds: tuple[str, ...] = Field(min_length=1)
    action: Annotated[Literal["erase", "anonymise"], BeforeValidator(_no_pseudonym)]
    overwrite: Annotated[str | int | None, BeforeValidator(_fixed_value)] = None

    @model_validator(mode="after")
    def _stands(self) -> Self:
        if self.action == "anonymise" and self.overwrite is None:
            raise flaw("action: anonymise leaves a fixed value; add overwrite: <value>")
        if self.action == "erase" and self.overwrite is not None:
            raise flaw("action: erase leaves nothing; drop overwrite, or write action: anonymise")
        return self


class AnonymiseRule(Declared):
    """The rows are kept for statistics, with nothing in them that leads back to a person."""

    irreversible: Annotated[Reason, BeforeValidator(_no_pseudonym)]
    """Why nobody can be found again by any means reasonably likely (GDPR recital 26)."""


def _no_method(wish: object) -> object:
    """Refuse ``anonymise: <method>``: what counts is what is left, and that somebody says why."""
    if isinstance(wish, AnonymiseRule):
        return wish
    if not isinstance(wish, Mapping):
        _no_pseudonym(wish)
        raise flaw(
            "anonymise says why nobody can be found again in the rows that stay; write "
            "anonymise: {irreversible: <why>}, and for each field what is left of it"
        )
    for name, value in wish.items():
        _no_pseudonym(name)
        _no_pseudonym(value)
    return wish


class TableRule(Declared):
    """One table: how it is found, how its rows are told apart, what they hold."""

    relation: str | None = Field(default=None, min_length=1)
    """Its name in the database; the policy's own name for it by default."""
    schema_: str | None = Field(default=None, alias="schema", min_length=1)
    parent: LinkRule | None = None
    where: Mapping[Column, Condition] = Field(default_factory=dict)
    """Which rows of the relation are meant; all of them by default."""
    references: tuple[LinkRule, ...] = ()
    """Tables declared before this one whose rows its own point at."""
    shared_by: LinkRule | None = None
    """The link table through which a row belongs to several people."""
    detach: tuple[LinkRule, ...] = ()
    """Tables whose pointers at a row (own column: theirs) are emptied before it is deleted."""
    history: StrictBool = False
    """Filled by the store itself when rows are erased: cleaned last."""
    restrict: RestrictRule | None = None
    key: tuple[Column, ...] = Field(min_length=1)
    rows_per_person: Literal["one", "many"] = "one"
    row: Literal["goes", "stays"] = "goes"
    anonymise: Annotated[AnonymiseRule | None, BeforeValidator(_no_method)] = None
    """Instead of ``row``: its fields are emptied or overwritten, and the row is kept."""
    drop_partition: StrictBool = False
    """Whether a partition of which every row is past its grounds may be dropped as one."""
    identifiers: Mapping[str, Annotated[IdentifierRule, BeforeValidator(_as_rule)]] = Field(
        default_factory=dict
    )
    anchors: Mapping[str, AnchorRule] = Field(default_factory=dict)
    evidence: Mapping[str, EvidenceRule] = Field(default_factory=dict)
    """For a consent whose evidence is a column: which one in this table."""
    not_personal: Mapping[Column, Reason] = Field(default_factory=dict)
    """Columns without personal data, each with the reason why not. For a JSON column of which
    paths are declared it speaks of the rest."""
    not_personal_rows: Reason | None = None
    """Why the rows that no ``where`` of this relation means are nobody's data."""
    triggers: Mapping[str, Reason] = Field(default_factory=dict)
    """Triggers of the store that change other tables, each with why they take nothing along."""
    fields: Mapping[Column, FieldRule]

    @model_validator(mode="after")
    def _stands(self) -> Self:
        if self.anonymise is not None and "row" in self.model_fields_set:
            raise flaw("anonymise keeps the row already; take row: out, or anonymise:")
        if self.drop_partition and self.stays:
            kept = "row: stays" if self.anonymise is None else "anonymise:"
            raise flaw(f"{kept} keeps every row, and drop_partition: drops them; take one out")
        return self

    @property
    def stays(self) -> bool:
        """Whether its rows are never deleted: their fields are emptied or overwritten only."""
        return self.row == "stays" or self.anonymise is not None


class Store(Declared):
    """One database or product that holds personal data."""

    connector: ConnectorKind
    sweep: SweepRule = SweepRule()
    tables: Mapping[str, TableRule] = Field(min_length=1)
